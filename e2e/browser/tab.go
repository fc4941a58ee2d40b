package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	// pace is how often a page is looked at while it is waited for.
	pace = 10 * time.Millisecond
	// patience is how long something may take to appear on a page; a machine
	// that tests many packages at once is slow.
	patience = 20 * time.Second
	// stillness is how long no request may have been under way before a page
	// counts as settled. What a click leads to is told apart without it; it is for
	// scripts that ask for something a moment later.
	stillness = 20 * time.Millisecond
)

// Tab is one person's browser window, with cookies of its own. Its methods end
// the test with a sentence when the page is not as the story says.
type Tab struct {
	t       testing.TB
	ctx     context.Context
	base    string
	look    Look
	dressed bool // whether the window has this look yet, and not that of whoever had it before
	witness *witness
}

// Tab opens a window on the site at base. When the test ends, whatever the
// browser complained about fails it.
func (b *Browser) Tab(t testing.TB, base string, look Look) *Tab {
	t.Helper()
	w, err := b.window()
	if err != nil {
		t.Fatalf("open a window: %v", err)
	}
	tab := &Tab{t: t, ctx: w.ctx, base: strings.TrimRight(base, "/"), look: look, witness: newWitness()}
	w.lend(tab.witness.hear)
	t.Cleanup(func() {
		if t.Failed() {
			tab.describe()
		}
		tab.NoProblems()
		b.giveBack(w)
	})
	tab.Look(look)
	return tab
}

// Look changes how the tab sees pages. Width and colours change the page that
// is open; scripts are on or off from the next page on. What stays as it was is not
// said again: the browser would lay the page out anew.
func (tab *Tab) Look(look Look) {
	tab.t.Helper()
	before, dressed := tab.look, tab.dressed
	tab.look, tab.dressed = look, true
	if !dressed || look.Width != before.Width {
		tab.setScreen(look.Height())
	}
	if !dressed || look.Dark != before.Dark {
		tab.setColours(look.Dark)
	}
	if !dressed || look.Script != before.Script {
		tab.setScript(look.Script)
	}
}

// setColours makes the browser of somebody who prefers dark pages, or light ones.
func (tab *Tab) setColours(dark bool) {
	tab.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	tab.within("set the preferred colours", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme},
				// Pictures and clicks should not catch a page half-way through a movement.
				{Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return err
	})
}

// setScreen makes the screen as wide as the look says, and this high.
func (tab *Tab) setScreen(height int) {
	tab.t.Helper()
	tab.within("set the size of the screen", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: int64(tab.look.Width), Height: int64(height), DeviceScaleFactor: 1, Mobile: tab.look.Width < 600,
		})
		return err
	})
}

func (tab *Tab) setScript(on bool) {
	tab.t.Helper()
	tab.within("turn scripts on or off", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// HasScript tells whether scripts run in this tab.
func (tab *Tab) HasScript() bool { return tab.look.Script }

// Visit opens a page: a path of the site, or a whole address.
func (tab *Tab) Visit(address string) {
	tab.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = tab.base + address
	}
	tab.within("open "+address, func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.Navigate(address))
	})
	tab.settle()
}

// Back goes one page back, as with the browser's button.
func (tab *Tab) Back() {
	tab.t.Helper()
	tab.after("go back", func(ctx context.Context) error {
		history, err := chromedp.Run(ctx, chromedp.NavigationEntries())
		if err != nil {
			return err
		}
		if history.CurrentIndex == 0 {
			return errors.New("there is no page before this one")
		}
		left := history.Entries[history.CurrentIndex]
		// Not chromedp.NavigateBack: it waits for the very page, and some lead on.
		to := page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID}
		if _, err := chromedp.Call(ctx, page.NavigateToHistoryEntry, to); err != nil {
			return err
		}
		for {
			// The browser does not know for a moment, while it changes pages.
			now, err := chromedp.Run(ctx, chromedp.NavigationEntries())
			if err == nil && now.Entries[now.CurrentIndex].ID != left.ID {
				return nil
			}
			if ctx.Err() != nil {
				return errors.Join(ctx.Err(), err)
			}
			time.Sleep(pace)
		}
	})
}

// Address is where the tab is now.
func (tab *Tab) Address() string {
	tab.t.Helper()
	return ask[string](tab, "document.location.href")
}

// Path is where the tab is now, within the site, without the query.
func (tab *Tab) Path() string {
	tab.t.Helper()
	address, err := url.Parse(tab.Address())
	tab.do("read the address", err)
	return address.Path
}

// IsAt waits until the tab has arrived at a path.
func (tab *Tab) IsAt(path string) {
	tab.t.Helper()
	tab.eventually(func() error {
		if now := tab.Path(); now != path {
			return fmt.Errorf("the page should be %s, but it is %s", path, now)
		}
		return nil
	})
}

// Cookies are those that the tab would send to the page that is open.
func (tab *Tab) Cookies() []*http.Cookie {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	held, err := chromedp.Call(ctx, network.GetCookies, network.GetCookiesParams{})
	tab.do("read the cookies", err)
	var cookies []*http.Cookie
	for _, c := range held.Cookies {
		cookie := &http.Cookie{Name: c.Name, Value: c.Value, Path: c.Path, Secure: c.Secure, HttpOnly: c.HTTPOnly}
		if !c.Session {
			cookie.Expires = time.Unix(int64(c.Expires), 0)
		}
		cookies = append(cookies, cookie)
	}
	return cookies
}

// Status is the HTTP status of the page that is open.
func (tab *Tab) Status() int { return int(tab.witness.lastStatus()) }

// Expect says that this story meets an answer with this HTTP status, which
// would be a problem otherwise: 422 for a form that is refused, for instance.
func (tab *Tab) Expect(status int) { tab.witness.expect(int64(status)) }

// Problems returns what the browser complained about since it was last asked.
func (tab *Tab) Problems() []string { return tab.witness.take() }

// NoProblems fails the test for each complaint of the browser: script errors,
// violations of the content-security policy, failed requests.
func (tab *Tab) NoProblems() {
	tab.t.Helper()
	for _, problem := range tab.Problems() {
		tab.t.Errorf("the browser complained: %s", problem)
	}
}

// atRest tells whether the page has loaded and htmx has put every answer in its
// place.
const atRest = `document.readyState === "complete" && !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")`

// settle waits until the page has loaded and no request is under way. The page
// answers after it has told of everything that it asked for before.
func (tab *Tab) settle() {
	tab.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(pace) {
		if tab.witness.quietFor() < stillness {
			continue
		}
		ctx, cancel := context.WithTimeout(tab.ctx, patience)
		rests, err := chromedp.Run(ctx, chromedp.Evaluate[bool](atRest))
		cancel()
		// A page that goes away cannot answer: the next one is asked.
		if err == nil && rests && tab.witness.quietFor() >= stillness {
			return
		}
	}
	tab.t.Fatalf("the page %s is still loading after %s, it waits for %q", tab.Address(), patience, tab.witness.underWay())
}

// after does something that may lead to another page and waits for that page.
func (tab *Tab) after(what string, act func(context.Context) error) {
	tab.t.Helper()
	tab.witness.touch()
	tab.within(what, act)
	tab.settle()
}

// leading is the error of an act that may lead to another page: the browser need
// not say how the act ended when its page went away over it.
func leading(err error) error {
	said, ok := errors.AsType[*cdproto.Error](err)
	if ok && (strings.Contains(said.Message, "navigated or closed") || strings.Contains(said.Message, "context was destroyed")) {
		return nil
	}
	return err
}

// eventually repeats a look at the page until it finds what it should.
func (tab *Tab) eventually(look func() error) {
	tab.t.Helper()
	if err := tab.until(look); err != nil {
		tab.t.Fatal(err)
	}
}

func (tab *Tab) until(look func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := look()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pace)
	}
}

// within limits one act, so that a browser that hangs fails one story only.
func (tab *Tab) within(what string, act func(context.Context) error) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, 2*patience)
	defer cancel()
	tab.do(what, act(ctx))
}

func (tab *Tab) do(what string, err error) {
	tab.t.Helper()
	if err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
}

// ask evaluates an expression in the page; it works with scripts turned off,
// because the question comes from outside the page.
func ask[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	var answer T
	// The page may go away while we ask: ask the next one.
	tab.eventually(func() error {
		ctx, cancel := context.WithTimeout(tab.ctx, patience)
		defer cancel()
		var err error
		answer, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression))
		return err
	})
	return answer
}
