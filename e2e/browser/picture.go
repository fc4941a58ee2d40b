package browser

import (
	"context"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// screens is where pictures go, below the folder that go.mod is in.
const screens = "var/screens"

// Picture keeps what the tab shows, the whole page, as a PNG file under
// var/screens/. With AMPHI_SCREENS=FOLDER in the environment it goes there:
// that is how the pictures of the README are made.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	folder := os.Getenv("AMPHI_SCREENS")
	if folder == "" {
		folder = screens
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(Root(tab.t), folder)
	}
	tab.keep(filepath.Join(folder, name+"-"+tab.look.String()+".png"))
}

func (tab *Tab) keep(file string) {
	tab.t.Helper()
	tab.within("take a picture", func(ctx context.Context) error {
		metrics, err := chromedp.Call(ctx, page.GetLayoutMetrics, struct{}{})
		if err != nil {
			return err
		}
		beyond := true
		height := max(metrics.CSSContentSize.Height, float64(tab.look.Height()))
		shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
			CaptureBeyondViewport: &beyond,
			Clip:                  &page.Viewport{Width: float64(tab.look.Width), Height: height, Scale: 1},
		})
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, shot.Data, 0o644)
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
