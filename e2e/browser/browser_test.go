package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
)

func TestMain(m *testing.M) { os.Exit(browser.Run(m)) }

// site is a small site with what the stories meet: a form that is refused, a
// page that follows, a page where everything is wrong.
func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, status int, body string) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<!doctype html><html lang="fr"><head><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Essai</title><link rel="icon" href="data:,"></head><body><main>%s</main></body></html>`, body)
	}
	form := func(w http.ResponseWriter, status int, message, name string) {
		page(w, status, fmt.Sprintf(`<h1>Bonjour</h1><p>%s</p><form method="post" action="/answer">
			<p><label>Nom <input name="name" value=%q></label></p>
			<p><label>Campus <select name="campus"><option>Valmont</option><option>Rives</option></select></label></p>
			<p><label><input type="checkbox" name="agree"> D’accord</label></p>
			<noscript><p>Sans script.</p></noscript>
			<p><button>Qui êtes-vous&#8239;?</button></p></form><script src="/hello.js"></script>`, message, name))
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { form(w, 200, "", "personne") })
	mux.HandleFunc("POST /answer", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("agree") == "" {
			form(w, http.StatusUnprocessableEntity, "Il faut être d’accord.", r.FormValue("name"))
			return
		}
		http.Redirect(w, r, "/done?"+r.Form.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) {
		page(w, 200, fmt.Sprintf(`<h1>Merci</h1><p>%s, %s</p><a href="/">Recommencer</a>`, r.FormValue("name"), r.FormValue("campus")))
	})
	mux.HandleFunc("GET /hello.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `document.querySelector("h1").insertAdjacentHTML("afterend", "<p>Avec script.</p>")`)
	})
	mux.HandleFunc("GET /wrong", func(w http.ResponseWriter, r *http.Request) {
		page(w, 200, `<h1>Tout va mal</h1><img src="/missing.png"><p style="color: #ccc">gris</p><div class="wide"><svg width="2000" height="10"></svg></div><script>1</script><script src="/wrong.js"></script>`)
	})
	mux.HandleFunc("GET /wrong.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `console.error("plainte"); throw new Error("panne")`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAPersonFindsThingsByRoleAndLabel(t *testing.T) {
	for _, look := range browser.Looks() {
		t.Run(look.String(), func(t *testing.T) {
			t.Parallel()
			tab := browser.Shared(t).Tab(t, site(t), look)
			tab.Visit("/")
			tab.Heading("Bonjour")
			if look.Script {
				tab.Sees("Avec script.")
			} else {
				tab.SeesNot("Avec script.")
				tab.Sees("Sans script.")
			}
			tab.Check()

			tab.Expect(http.StatusUnprocessableEntity)
			tab.Fill("Nom", "Zoé")
			tab.Press("Qui êtes-vous ?")
			tab.Sees("Il faut être d’accord.")
			if got := tab.Value("Nom"); got != "Zoé" {
				t.Errorf("the field holds %q", got)
			}

			tab.Choose("Campus", "Rives")
			tab.Tick("D’accord")
			tab.Press("Qui êtes-vous ?")
			tab.IsAt("/done")
			tab.Heading("Merci")
			tab.Sees("Zoé, Rives")
			tab.Follow("Recommencer")
			tab.Heading("Bonjour")
		})
	}
}

func TestWhatGoesWrongOnAPageIsNoticed(t *testing.T) {
	tab := browser.Shared(t).Tab(t, site(t), browser.Phone)
	tab.Visit("/wrong")
	flaws := strings.Join(tab.Flaws(), "\n")
	for _, want := range []string{"wider than its screen of 320 px", "axe image-alt"} {
		if !strings.Contains(flaws, want) {
			t.Errorf("the flaws should name %q:\n%s", want, flaws)
		}
	}
	problems := strings.Join(tab.Problems(), "\n")
	for _, want := range []string{"/missing.png answered 404", "plainte", "panne", "script-src-elem", "style-src-attr"} {
		if !strings.Contains(problems, want) {
			t.Errorf("the complaints should name %q:\n%s", want, problems)
		}
	}
}

// A page that waits for something loads itself again, perhaps while axe looks.
func TestAPageThatLoadsItselfAgainIsLookedAtAgain(t *testing.T) {
	for _, look := range []browser.Look{browser.Desk, browser.Desk.WithoutScript()} {
		t.Run(look.String(), func(t *testing.T) {
			visits := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				visits++
				again, content := "", `<img src="data:,">`
				if visits == 1 { // axe takes longer than a second for so much
					again, content = `<meta http-equiv="refresh" content="1">`, strings.Repeat("<p>Un instant.</p>", 5_000)
				}
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprintf(w, `<!doctype html><html lang="fr"><head><title>Patience</title>%s<link rel="icon" href="data:,"></head><body><main><h1>Patience</h1>%s<noscript>Sans script.</noscript></main></body></html>`, again, content)
			}))
			t.Cleanup(server.Close)
			tab := browser.Shared(t).Tab(t, server.URL, look)
			tab.Visit("/")
			if flaws := strings.Join(tab.Barriers(), "\n"); !strings.Contains(flaws, "axe image-alt") {
				t.Errorf("the page that came should be looked at, of which axe says:\n%s", flaws)
			}
			if look.Script {
				tab.SeesNot("Sans script.")
			} else {
				tab.Sees("Sans script.")
			}
		})
	}
}

// names is a site that knows who has told it a name: by a cookie, and by either
// storage of the browser.
func names(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if name := r.FormValue("name"); name != "" {
			http.SetCookie(w, &http.Cookie{Name: "name", Value: name, Path: "/"})
		}
		who := "personne"
		if cookie, err := r.Cookie("name"); err == nil {
			who = cookie.Value
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Qui</title><link rel="icon" href="data:,"><h1>%s</h1><script src="/keep.js"></script>`, who)
	})
	mux.HandleFunc("GET /keep.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `for (const kept of [localStorage, sessionStorage]) {
			if (kept.name) document.body.append("déjà là");
			kept.name = "quelqu’un";
		}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestTwoTabsAreTwoPeople(t *testing.T) {
	at := names(t)
	first := browser.Shared(t).Tab(t, at, browser.Desk)
	second := browser.Shared(t).Tab(t, at, browser.Desk)
	first.Visit("/?name=Ada")
	first.Visit("/")
	second.Visit("/")
	first.Heading("Ada")
	second.Heading("personne")
	second.SeesNot("déjà là")
}

func TestAWindowThatIsLentAgainHasForgottenWhoWasThere(t *testing.T) {
	at := names(t)
	for range 3 { // more people than windows
		t.Run("somebody", func(t *testing.T) {
			tab := browser.Shared(t).Tab(t, at, browser.Desk)
			tab.Visit("/")
			tab.Heading("personne")
			tab.SeesNot("déjà là")
			if cookies := tab.Cookies(); len(cookies) > 0 {
				t.Errorf("a window that is lent again has %v", cookies)
			}
			tab.Visit("/?name=Ada")
			tab.Visit("/")
			tab.Heading("Ada")
			tab.Sees("déjà là")
		})
	}
}

func TestTheBackButtonLeadsToThePageBefore(t *testing.T) {
	for _, look := range []browser.Look{browser.Desk, browser.Desk.WithoutScript()} {
		t.Run(look.String(), func(t *testing.T) {
			tab := browser.Shared(t).Tab(t, site(t), look)
			tab.Visit("/")
			tab.Tick("D’accord")
			tab.Press("Qui êtes-vous ?")
			for range 3 {
				tab.Heading("Merci")
				tab.Back()
				tab.IsAt("/")
				tab.Heading("Bonjour")
				tab.Visit("/done")
			}
		})
	}
}
