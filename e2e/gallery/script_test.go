package gallery_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/gallery"
)

// visit opens a small house of a few pages with the scripts of ui.
func visit(t *testing.T, look browser.Look) *browser.Tab {
	t.Helper()
	catalogue := texts(t)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", ui.Assets())
	page := func(title, content string, adjust ...func(*ui.Shell)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			shell := gallery.Shell()
			shell.Path = r.URL.Path
			for _, a := range adjust {
				a(&shell)
			}
			ctx := ui.WithShell(i18n.With(r.Context(), catalogue.For(campus.French)), shell)
			body := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
				_, err := io.WriteString(w, content)
				return err
			})
			w.Header().Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := ui.Page(ui.PageProps{Title: title}).Render(templ.WithChildren(ctx, body), w); err != nil {
				t.Error(err)
			}
		}
	}
	mux.Handle("GET /{$}", page("Premier", `<p><a href="/second">Suite</a></p><br><p><a href="/text">Texte</a></p>
		<form method="post" action="/broken"><label for="word">Mot</label> <input id="word" name="word"><button class="button">Envoyer</button></form>`))
	mux.Handle("GET /second", page("Second", `<a href="/third">Encore</a>`))
	mux.Handle("GET /third", page("Troisième", `<p>Arrivée.</p>`))
	mux.HandleFunc("GET /text", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprint(w, "Du texte simple.")
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /broken", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	tab := browser.Shared(t).Tab(t, server.URL, look)
	tab.Visit("/")
	return tab
}

func TestAfterALinkTheKeyboardIsAtTheNewHeading(t *testing.T) {
	tab := visit(t, browser.Desk)
	tab.Follow("Suite")
	tab.Heading("Second")
	tab.Key("\t") // from the heading to the first link of the content
	tab.Key("\r")
	tab.Heading("Troisième")
	tab.IsAt("/third")
	tab.Back()
	tab.Heading("Second")
	tab.NoProblems()
}

func TestALinkToWhatIsNoPageIsFollowedByTheBrowser(t *testing.T) {
	tab := visit(t, browser.Desk)
	tab.Follow("Texte")
	tab.Sees("Du texte simple.")
	tab.IsAt("/text")
}

func TestAFormWhoseAnswerNeverComesSaysSoAndKeepsWhatWasTyped(t *testing.T) {
	tab := visit(t, browser.Desk)
	tab.Fill("Mot", "précieux")
	tab.Press("Envoyer")
	tab.Sees("La réponse n’est pas arrivée.")
	if kept := tab.Value("Mot"); kept != "précieux" {
		t.Errorf("the field holds %q", kept)
	}
	tab.Problems() // the browser reports the broken connection, as it should
}

func TestMenusOpenWithAndWithoutScripts(t *testing.T) {
	for _, look := range []browser.Look{browser.Desk.WithoutScript(), browser.Phone, browser.Phone.InTheDark().WithoutScript()} {
		t.Run(look.String(), func(t *testing.T) {
			tab := visit(t, look)
			tab.Click("DisclosureTriangle", "Menu de Lina Martin")
			tab.Sees("Mon profil", "Se déconnecter")
			tab.Check()
			tab.Picture("menu-person")
			if look.Width == browser.Phone.Width {
				tab.Visit("/")
				tab.Click("DisclosureTriangle", "Plus")
				tab.Sees("Bibliothèque")
				tab.Check()
				tab.Picture("menu-more")
			}
		})
	}
}
