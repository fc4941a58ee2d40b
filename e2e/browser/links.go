package browser

import (
	"context"
	"strings"

	"github.com/chromedp/chromedp"
)

// Links lists where the open page leads within its site: paths, each once, in
// the order of the page.
func (tab *Tab) Links() []string {
	tab.t.Helper()
	addresses := ask[[]string](tab, `[...new Set([...document.querySelectorAll("a[href]:not([download])")].map(a => a.href.split("#")[0]))]`)
	var paths []string
	for _, address := range addresses {
		path, inside := strings.CutPrefix(address, tab.base)
		if inside && strings.HasPrefix(path, "/") {
			paths = append(paths, path)
		}
	}
	return paths
}

// IsPage tells whether what is open is an HTML page, not a feed or a picture.
func (tab *Tab) IsPage() bool {
	tab.t.Helper()
	return ask[string](tab, "document.contentType") == "text/html"
}

// A Shown is a picture on a page.
type Shown struct {
	Address string
	Width   int // as it came; 0 when it did not come
}

// Pictures lists the pictures of the open page; it scrolls to each, because
// browsers fetch those out of view late.
func (tab *Tab) Pictures() []Shown {
	tab.t.Helper()
	tab.within("scroll to every picture", func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`(async () => {
			for (const i of document.images) { i.scrollIntoView(); await i.decode().catch(() => {}); }
		})()`, chromedp.EvalAwaitPromise))
	})
	return ask[[]Shown](tab, `[...document.images].map(i => ({Address: i.currentSrc, Width: i.naturalWidth}))`)
}
