package browser

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// screens is where pictures go, below the folder that go.mod is in.
const screens = "var/screens"

// asked tells whether somebody asked for pictures, by naming in AMPHI_SCREENS the
// folder for those of the README. They take a third of the time of a story.
func asked() bool { return os.Getenv("AMPHI_SCREENS") != "" }

// Picture keeps the whole page as a PNG file under var/screens/, on a screen as
// high as the page, when pictures were asked for.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	if !asked() {
		return
	}
	tab.setScreen(tab.pageHeight())
	defer tab.setScreen(tab.look.Height())
	tab.keep(filepath.Join(Root(tab.t), screens, name+"-"+tab.look.String()+".png"))
}

// Screen keeps what the window shows as a PNG file, for the README, in the folder
// that AMPHI_SCREENS names.
func (tab *Tab) Screen(name string) {
	tab.t.Helper()
	folder := os.Getenv("AMPHI_SCREENS")
	if !asked() {
		return
	}
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

// keep writes what the window shows to a file. No story fails for want of its
// picture: a browser that does not paint one is asked again, and then it is said.
func (tab *Tab) keep(file string) {
	tab.t.Helper()
	shot, err := tab.shot()
	if err != nil {
		shot, err = tab.shot()
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, shot, 0o644)
	}
	if err != nil {
		tab.t.Logf("no picture %s: %v", filepath.Base(file), err)
	}
}

// exposure is how long the browser may take to paint a picture.
const exposure = 5 * time.Second

// shot is a picture of what the window shows. A window behind others may not be
// painted at all, so it comes to the front.
func (tab *Tab) shot() ([]byte, error) {
	ctx, cancel := context.WithTimeout(tab.ctx, exposure)
	defer cancel()
	if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}

// describe helps whoever reads a failure: where the tab was and how it looked.
func (tab *Tab) describe() {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, exposure)
	defer cancel()
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		tab.t.Logf("the browser could not say where it was: %v", err)
		return
	}
	file := filepath.Join(Root(tab.t), screens, "failed", sanitise(tab.t.Name())+".png")
	tab.t.Logf("the story stopped at %s; see %s", address, file)
	tab.keep(file)
}
