package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const (
	// patience is how long something may take to appear on a page; a machine
	// that tests many packages at once is slow.
	patience = 20 * time.Second
	// stillness is how long no request may have been under way before a page
	// counts as settled.
	stillness = 60 * time.Millisecond
)

// Tab is one person's browser window, with cookies of its own. Its methods end
// the test with a sentence when the page is not as the story says.
type Tab struct {
	t       testing.TB
	ctx     context.Context
	base    string
	look    Look
	witness *witness
}

// Tab opens a window on the site at base. When the test ends, whatever the
// browser complained about fails it.
func (b *Browser) Tab(t testing.TB, base string, look Look) *Tab {
	t.Helper()
	w := newWitness()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.hear))
	tab := &Tab{t: t, ctx: ctx, base: strings.TrimRight(base, "/"), look: look, witness: w}
	tab.do("open a window", chromedp.Do(ctx))
	t.Cleanup(func() {
		if t.Failed() {
			tab.describe()
		}
		tab.NoProblems()
		cancel()
	})
	_, err := chromedp.Call(ctx, audits.Enable, cdp.Empty{})
	tab.do("listen for policy violations", err)
	tab.Look(look)
	return tab
}

// Look changes how the tab sees pages. Width and colours change the page that
// is open; scripts are on or off from the next page on.
func (tab *Tab) Look(look Look) {
	tab.t.Helper()
	tab.look = look
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	tab.setScreen(look.Height())
	_, err := chromedp.Call(tab.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			// Pictures and clicks should not catch a page half-way through a movement.
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	tab.do("set the preferred colours", err)
	tab.setScript(look.Script)
}

// setScreen makes the screen as wide as the look says, and this high.
func (tab *Tab) setScreen(height int) {
	tab.t.Helper()
	_, err := chromedp.Call(tab.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(tab.look.Width), Height: int64(height), DeviceScaleFactor: 1, Mobile: tab.look.Width < 600,
	})
	tab.do("set the size of the screen", err)
}

func (tab *Tab) setScript(on bool) {
	tab.t.Helper()
	_, err := chromedp.Call(tab.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	tab.do("turn scripts on or off", err)
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
		// Not chromedp.NavigateBack: it waits for the very page, and some lead on.
		return chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("history.back()"))
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

// settle waits until the page has loaded and no request is under way.
func (tab *Tab) settle() {
	tab.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if tab.witness.quietFor() >= stillness {
			state, err := chromedp.Run(tab.ctx, chromedp.Evaluate[string]("document.readyState"))
			if err == nil && state == "complete" && tab.witness.quietFor() >= stillness {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
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
		time.Sleep(30 * time.Millisecond)
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
