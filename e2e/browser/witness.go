package browser

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// A witness listens to everything that the browser says about one tab. It
// keeps what a visitor's browser console would show in red, and knows whether
// requests are under way.
type witness struct {
	mu       sync.Mutex
	problems []string
	expected map[int64]bool               // HTTP statuses that the story expects
	open     map[network.RequestID]errand // requests under way
	inner    map[cdp.FrameID]bool         // frames within the page
	leaving  time.Time                    // when the page asked for another one, until that is requested
	lastMove time.Time                    // when a request last started or ended
	status   int64                        // of the last page
}

// An errand is a request under way.
type errand struct {
	url  string
	page cdp.LoaderID // that needs the answer; empty when the answer is a page
}

func newWitness() *witness {
	return &witness{expected: map[int64]bool{}, open: map[network.RequestID]errand{}, inner: map[cdp.FrameID]bool{}, lastMove: time.Now()}
}

// hear is called for each event of the tab, in order; it must not block.
func (w *witness) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *page.EventFrameAttached:
		w.inner[e.FrameID] = true
	case *page.EventFrameRequestedNavigation:
		if !w.inner[e.FrameID] && e.Disposition == page.ClientNavigationDispositionCurrentTab {
			w.leaving = time.Now()
		}
	case *page.EventFrameNavigated:
		w.arrived(e.Frame.ID)
		if !w.inner[e.Frame.ID] {
			// Nobody tells how the requests of the page that was left end.
			maps.DeleteFunc(w.open, func(_ network.RequestID, o errand) bool { return o.page != "" && o.page != e.Frame.LoaderID })
		}
	case *page.EventNavigatedWithinDocument:
		w.arrived(e.FrameID)
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			w.arrived(e.FrameID) // from here on the request counts
		}
		// A frame in a sandbox has a process of its own, which alone hears how its
		// request ends.
		if !slices.Contains(longLived, e.Type) && !w.inner[e.FrameID] {
			o := errand{url: e.Request.URL, page: e.LoaderID}
			if e.Type == network.ResourceTypeDocument {
				// A tab goes to one page at a time, and nobody tells how the one before
				// ends: its process may be gone. A redirection keeps its identifier.
				maps.DeleteFunc(w.open, func(_ network.RequestID, o errand) bool { return o.page == "" })
				o.page = ""
			}
			w.open[e.RequestID], w.lastMove = o, time.Now()
		}
	case *network.EventResponseReceived:
		w.response(e)
	case *network.EventLoadingFinished:
		delete(w.open, e.RequestID)
		w.lastMove = time.Now()
	case *network.EventLoadingFailed:
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" {
			w.problem("request failed: %s %s %s", w.open[e.RequestID].url, e.ErrorText, e.BlockedReason)
		}
		delete(w.open, e.RequestID)
		w.lastMove = time.Now()
	case *runtime.EventExceptionThrown:
		w.problem("script error: %s", exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.problem("console.%s: %s", e.Type, argumentsText(e.Args))
		}
	case *log.EventEntryAdded:
		// Failed requests are judged by their status above.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			w.problem("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *audits.EventIssueAdded:
		if csp := e.Issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
			w.problem("content-security policy: %s does not allow %q", csp.ViolatedDirective, csp.BlockedURL)
		}
	}
}

// longLived requests never mean "still loading": streams stay open by design,
// and the browser gives a page's icon ("other") up without a word when another
// page follows soon.
var longLived = []network.ResourceType{network.ResourceTypeEventSource, network.ResourceTypeWebSocket, network.ResourceTypePing, network.ResourceTypeOther}

func (w *witness) response(e *network.EventResponseReceived) {
	if e.Type == network.ResourceTypeDocument {
		w.status = e.Response.Status
	}
	if e.Response.Status >= http.StatusBadRequest && !w.expected[e.Response.Status] {
		w.problem("%s answered %d", e.Response.URL, e.Response.Status)
	}
}

func (w *witness) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(w.problems, text) {
		w.problems = append(w.problems, text)
	}
}

// arrived notes that the page that was asked for is on its way or there.
func (w *witness) arrived(frame cdp.FrameID) {
	if !w.inner[frame] {
		w.leaving, w.lastMove = time.Time{}, time.Now()
	}
}

// departure is how long a page may take from asking for another one to its
// request. A browser that refuses to go there never requests it.
const departure = 3 * time.Second

// quietFor tells how long no request has started, ended or been under way.
func (w *witness) quietFor() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.open) > 0 || time.Since(w.leaving) < departure {
		return 0
	}
	return time.Since(w.lastMove)
}

// underWay names the requests that have not ended.
func (w *witness) underWay() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var urls []string
	for _, o := range w.open {
		urls = append(urls, o.url)
	}
	return urls
}

func (w *witness) lastStatus() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

func (w *witness) expect(status int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected[status] = true
}

// take returns the problems so far and forgets them.
func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	problems := w.problems
	w.problems = nil
	return problems
}

func exceptionText(d *runtime.ExceptionDetails) string {
	text := d.Text
	if d.Exception != nil && d.Exception.Description != "" {
		text = d.Exception.Description
	}
	return fmt.Sprintf("%s (%s:%d)", text, d.URL, d.LineNumber+1)
}

func argumentsText(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		if a.Description != "" {
			words = append(words, a.Description)
		} else {
			words = append(words, string(a.Value))
		}
	}
	return strings.Join(words, " ")
}

// touch restarts the clock of quietFor, so that what an act causes has time to
// begin.
func (w *witness) touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastMove = time.Now()
}
