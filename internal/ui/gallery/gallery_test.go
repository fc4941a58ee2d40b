package gallery_test

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/gallery"
)

func TestMain(m *testing.M) { os.Exit(browser.Run(m)) }

// shown are the pages of the gallery and who sees them.
var shown = map[string]struct {
	page     templ.Component
	stranger bool
}{
	"components": {page: gallery.Components()},
	"failure":    {page: gallery.Failure()},
	"door":       {page: gallery.SignIn(), stranger: true},
	"line":       {page: gallery.Line(), stranger: true},
	"public": {page: ui.FailurePage(web.Failure{
		Title: "Cette page n’existe pas.", Message: "Rien n’habite à cette adresse.", Next: "Revenez à l’accueil.",
		Code: "platform.page_missing", RequestID: "01J9-4F7K",
	}), stranger: true},
}

func texts(t *testing.T) *i18n.Catalogue {
	t.Helper()
	sources := []fs.FS{ui.Locales, web.Locales}
	catalogue, err := i18n.Load(time.UTC, clock.At(time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)), sources...)
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

// dress prepares the context of a page of the gallery.
func dress(ctx context.Context, p *i18n.Printer, stranger bool) context.Context {
	shell := gallery.Shell()
	if stranger {
		shell.Viewer, shell.Nav = campus.Viewer{}, nil
	}
	return ui.WithShell(i18n.With(ctx, p), shell)
}

func each(t *testing.T, check func(t *testing.T, page *html.Node, source string)) {
	catalogue := texts(t)
	for name, s := range shown {
		for _, locale := range campus.Locales {
			t.Run(name+" in "+string(locale), func(t *testing.T) {
				var b bytes.Buffer
				if err := s.page.Render(dress(t.Context(), catalogue.For(locale), s.stranger), &b); err != nil {
					t.Fatal(err)
				}
				page, err := html.Parse(bytes.NewReader(b.Bytes()))
				if err != nil {
					t.Fatal(err)
				}
				check(t, page, b.String())
			})
		}
	}
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func TestNoPageHoldsInlineStyleOrScript(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, _ string) {
		for n := range page.Descendants() {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.Contains(a.Val, "javascript:") {
					t.Errorf("<%s> has %s=%q, which the content-security policy refuses", n.Data, a.Key, a.Val)
				}
			}
			if n.Data == "style" && n.Type == html.ElementNode || n.Data == "script" && n.FirstChild != nil {
				t.Errorf("there is an inline <%s>", n.Data)
			}
		}
	})
}

func TestEveryIDIsUniqueAndEveryReferenceFindsItsTarget(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, _ string) {
		ids := map[string]bool{}
		for n := range page.Descendants() {
			if id, ok := attribute(n, "id"); ok {
				if ids[id] {
					t.Errorf("the id %q is there twice", id)
				}
				ids[id] = true
			}
		}
		for n := range page.Descendants() {
			for _, name := range []string{"for", "aria-describedby", "aria-labelledby", "aria-controls", "data-caps", "data-reveal"} {
				value, _ := attribute(n, name)
				for id := range strings.FieldsSeq(value) {
					if !ids[id] {
						t.Errorf("<%s %s=%q> names nothing on the page", n.Data, name, value)
					}
				}
			}
			if href, _ := attribute(n, "href"); len(href) > 1 && href[0] == '#' && !ids[href[1:]] {
				t.Errorf("the link to %s leads nowhere", href)
			}
		}
	})
}

func TestEveryFieldHasALabel(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, _ string) {
		labelled := map[string]bool{}
		for n := range page.Descendants() {
			if n.Data == "label" {
				id, _ := attribute(n, "for")
				labelled[id] = true
			}
		}
		for n := range page.Descendants() {
			kind, _ := attribute(n, "type")
			if !slices.Contains([]string{"input", "select", "textarea"}, n.Data) || kind == "hidden" {
				continue
			}
			id, _ := attribute(n, "id")
			if _, named := attribute(n, "aria-label"); !named && !labelled[id] {
				name, _ := attribute(n, "name")
				t.Errorf("the field %q has no label", name)
			}
		}
	})
}

func TestEveryLabelHasItsWords(t *testing.T) {
	each(t, func(t *testing.T, _ *html.Node, source string) {
		if i := strings.Index(source, "⟦"); i >= 0 {
			t.Errorf("a label is missing: %s", source[i:min(len(source), i+60)])
		}
	})
}

func TestAPageWithSomethingToMendSaysSoFirst(t *testing.T) {
	each(t, func(t *testing.T, page *html.Node, source string) {
		mends := strings.Contains(source, `class="summary"`)
		for n := range page.Descendants() {
			if n.Data == "title" && n.FirstChild != nil {
				title := n.FirstChild.Data
				if said := strings.HasPrefix(title, "Err"); said != mends {
					t.Errorf("something to mend: %t, yet the title is %q", mends, title)
				}
			}
		}
	})
}

func TestTheGalleryHoldsInEveryLook(t *testing.T) {
	chromium := browser.Shared(t)
	catalogue := texts(t)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", ui.Assets())
	for name, s := range shown {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := s.page.Render(dress(r.Context(), catalogue.For(campus.French), s.stranger), w); err != nil {
				t.Error(err)
			}
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name := range shown {
		for _, look := range browser.Looks() {
			if !look.Script { // script_test.go looks at pages without them
				continue
			}
			t.Run(name+" at "+look.String(), func(t *testing.T) {
				tab := chromium.Tab(t, server.URL, look)
				tab.Visit("/" + name)
				tab.Check()
				tab.Picture("gallery-" + name)
			})
		}
	}
}
