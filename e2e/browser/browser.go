// Package browser drives a real Chromium the way a person would: it looks for
// buttons, links and fields by their role and label, as assistive technology
// sees them, and it notices everything that went wrong on a page meanwhile.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// Browser is one running Chromium. Tabs opened from it share nothing: each has
// its own cookies.
type Browser struct {
	ctx   context.Context
	close []context.CancelFunc
	mu    sync.Mutex
	free  []*window // clean, and open
}

// Find gives the Chromium to use: the one that `make test` names, else the
// first on the path. It is empty when there is none.
func Find() string {
	if named := os.Getenv("AMPHI_TEST_CHROMIUM"); named != "" {
		return named
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// unneeded features cost each new window more than the story in it: the list
// under the address bar is a page in a process of its own, and one more process
// is kept ready for a page that nobody opens.
var unneeded = []string{
	"Translate", "BlinkGenPropertyTrees", // as chromedp has it
	"WebUIOmniboxPopup", "WebUIOmniboxFullPopup", "WebUIOmniboxAimPopup", "PreloadTopChromeWebUI",
	"SpareRendererForSitePerProcess",
}

// Start starts the Chromium at path, without a window.
func Start(path string) (*Browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		// Nothing but the pages under test may use the network.
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("disable-features", strings.Join(unneeded, ",")),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1 , EXCLUDE [::1]"),
		// The same picture on every machine.
		chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("lang", "fr-FR"),
		chromedp.Flag("accept-lang", "fr-FR,fr"),
		chromedp.DisableGPU,
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses its sandbox to root
	}
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	b := &Browser{ctx: ctx, close: []context.CancelFunc{closeBrowser, closeAllocator}}
	if err := chromedp.Do(ctx); err != nil {
		b.cancel()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return b, nil
}

// Close ends the browser and waits for it.
func (b *Browser) Close() error {
	patience, done := context.WithTimeout(b.ctx, 10*time.Second)
	defer done()
	err := chromedp.Cancel(patience)
	b.cancel()
	if errors.Is(err, context.Canceled) {
		return nil // the browser was gone already
	}
	return err
}

func (b *Browser) cancel() {
	for _, c := range b.close {
		c()
	}
}
