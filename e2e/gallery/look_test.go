// Package gallery_test looks at every component in a real browser, and at what
// the scripts of the pages promise.
package gallery_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/gallery"
)

func TestMain(m *testing.M) { os.Exit(browser.Run(m)) }

func texts(t *testing.T) *i18n.Catalogue {
	t.Helper()
	catalogue, err := gallery.Texts()
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

func TestTheGalleryHoldsInEveryLook(t *testing.T) {
	chromium := browser.Shared(t)
	catalogue := texts(t)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", ui.Assets())
	for _, s := range gallery.Sights() {
		mux.HandleFunc("GET /"+s.Name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := s.Page.Render(s.Dress(r.Context(), catalogue.For(campus.French)), w); err != nil {
				t.Error(err)
			}
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, s := range gallery.Sights() {
		t.Run(s.Name, func(t *testing.T) {
			tab := chromium.Tab(t, server.URL, browser.Phone)
			tab.Visit("/" + s.Name)
			for _, look := range browser.Looks() {
				if look.Script { // script_test.go looks at pages without them
					tab.Look(look)
					tab.Check()
					tab.Picture("gallery-" + s.Name)
				}
			}
		})
	}
}
