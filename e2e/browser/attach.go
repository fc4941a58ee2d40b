package browser

import (
	"context"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Attach chooses files for the field with a name, as its dialogue does: what the field
// held before is gone.
func (tab *Tab) Attach(field string, files ...string) {
	tab.t.Helper()
	tab.within("attach files to "+field, func(ctx context.Context) error {
		node, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject](`document.querySelector('input[type="file"][name="`+field+`"]')`))
		if err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, ObjectID: node.ObjectID})
		return err
	})
}
