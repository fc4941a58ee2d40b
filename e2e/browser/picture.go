package browser

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"
)

// screens is where pictures go, below the folder that go.mod is in.
const screens = "var/screens"

// Picture keeps the whole page as a PNG file under var/screens/, on a screen as
// high as the page.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	tab.setScreen(tab.pageHeight())
	defer tab.setScreen(tab.look.Height())
	tab.keep(filepath.Join(Root(tab.t), screens, name+"-"+tab.look.String()+".png"))
}

// Screen keeps what the window shows as a PNG file, for the README. It goes to
// the folder that AMPHI_SCREENS names, else under var/screens/.
func (tab *Tab) Screen(name string) {
	tab.t.Helper()
	folder := cmp.Or(os.Getenv("AMPHI_SCREENS"), screens)
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(Root(tab.t), folder)
	}
	tab.keep(filepath.Join(folder, name+".png"))
}

// pageHeight is how high a screen must be to show the page without scrolling.
func (tab *Tab) pageHeight() int {
	tab.t.Helper()
	return max(tab.look.Height(), ask[int](tab, `document.documentElement.scrollHeight`))
}

func (tab *Tab) keep(file string) {
	tab.t.Helper()
	tab.within("take a picture", func(ctx context.Context) error {
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, shot, 0o644)
	})
}

// describe helps whoever reads a failure: where the tab was and how it looked.
func (tab *Tab) describe() {
	tab.t.Helper()
	if tab.ctx.Err() != nil {
		return
	}
	address, err := chromedp.Run(tab.ctx, chromedp.Location())
	if err != nil {
		tab.t.Logf("the browser could not say where it was: %v", err)
		return
	}
	file := filepath.Join(Root(tab.t), screens, "failed", sanitise(tab.t.Name())+".png")
	tab.t.Logf("the story stopped at %s; see %s", address, file)
	shot, err := chromedp.Run(tab.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, shot, 0o644)
	}
	if err != nil {
		tab.t.Logf("no picture of it: %v", err)
	}
}
