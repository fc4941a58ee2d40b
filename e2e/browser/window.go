package browser

import (
	"context"
	"sync"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// A window has cookies, storage and a process of its own. To open one takes as
// long as a page and a half, and its process takes as long again to run axe for
// the first time; so a window that somebody leaves is cleaned and lent again.
type window struct {
	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	ear    func(event any) // of whoever has the window now
}

// hear is called for each event of the window, in order.
func (w *window) hear(event any) {
	w.mu.Lock()
	ear := w.ear
	w.mu.Unlock()
	if ear != nil {
		ear(event)
	}
}

// lend makes somebody hear what happens in the window from now on; nil is nobody.
func (w *window) lend(ear func(event any)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ear = ear
}

// window gives a clean window.
func (b *Browser) window() (*window, error) {
	b.mu.Lock()
	if n := len(b.free); n > 0 {
		w := b.free[n-1]
		b.free = b.free[:n-1]
		b.mu.Unlock()
		return w, nil
	}
	b.mu.Unlock()
	w := &window{}
	w.ctx, w.cancel = chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.hear))
	for _, prepare := range []func() error{
		func() error { return chromedp.Do(w.ctx) },
		// The browser tells what its policies forbid, and need not tell of styles.
		func() error { _, err := chromedp.Call(w.ctx, audits.Enable, cdp.Empty{}); return err },
		func() error { _, err := chromedp.Call(w.ctx, css.Disable, cdp.Empty{}); return err },
		// Each window is in front, as far as its page knows.
		func() error {
			_, err := chromedp.Call(w.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
			return err
		},
	} {
		if err := prepare(); err != nil {
			w.cancel()
			return nil, err
		}
	}
	return w, nil
}

// giveBack takes a window from somebody who leaves. One that cannot be cleaned is
// closed.
func (b *Browser) giveBack(w *window) {
	w.lend(nil)
	if err := w.clean(); err != nil {
		w.cancel()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, w)
}

// clean makes the window forget everything: pages, cookies, storage, keys, and
// where the mouse was.
func (w *window) clean() error {
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	if _, err := chromedp.Call(ctx, webauthn.Disable, cdp.Empty{}); err != nil {
		return err
	}
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return err
	}
	everything := storage.ClearDataForOriginParams{Origin: tree.FrameTree.Frame.SecurityOrigin, StorageTypes: "all"}
	if _, err := chromedp.Call(ctx, storage.ClearDataForOrigin, everything); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return err
	}
	for _, command := range []cdp.Command[cdp.Empty, cdp.Empty]{network.ClearBrowserCookies, network.ClearBrowserCache, page.ResetNavigationHistory} {
		if _, err := chromedp.Call(ctx, command, cdp.Empty{}); err != nil {
			return err
		}
	}
	_, err = chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved})
	return err
}
