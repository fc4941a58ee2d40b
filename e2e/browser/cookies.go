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
