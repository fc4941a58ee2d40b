package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// DropCookies loses every cookie, as a browser does that refuses them, or one that
// was closed and shows the same page again.
func (tab *Tab) DropCookies() {
	tab.t.Helper()
	tab.within("lose the cookies", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{})
		return err
	})
}

// KeepCookie gives the browser a cookie of a site for a folder of it, as an
// earlier visit may have.
func (tab *Tab) KeepCookie(site, folder, name, value string) {
	tab.t.Helper()
	tab.within("keep a cookie", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{URL: site, Path: folder, Name: name, Value: value})
		return err
	})
}
