package renewal

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	chromium "github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui"
)

// The browser and the server word their verdicts alike; here they must reach the
// same ones.
func TestTheBrowserTicksWhatTheServerWouldAccept(t *testing.T) {
	path := chromium.Find()
	if path == "" {
		t.Skip("there is no Chromium")
	}
	h := openOne(t, func(c *Config) { c.Upper, c.Special = true, true })
	pages := h.server.Config.Handler
	mux := http.NewServeMux()
	mux.Handle("/assets/", ui.Assets())
	mux.Handle("/", pages)
	h.server.Config.Handler = mux
	h.actor = &entry.Actor{Person: lina.ID, Attempt: "a-1", At: "K7F-3Q9"}
	h.in(func(tx db.Tx) error { return h.Demand(t.Context(), tx, lina.ID, InBreach) })
	b, err := chromium.Start(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})

	tab := b.Tab(t, h.server.URL, chromium.Phone)
	tab.Visit("/login/new-password")
	tab.Check()
	texts := h.Texts.For(h.language)
	for _, plain := range []string{
		"a", "Ab1!", "gravier", "gravier93lampe", "Gravier-93-lampe", "Gravier 93 lampe", "gravier lampe cerise tunnel", "zyxwvutsrqponmlkjihg",
		"Ab1!Ab1!Ab1!Ab1!", "L-M-a-R-t-I-n-93!", "Mârtïn-93-xyzt", "Gravier93lampe🐸", "سلام٣٤٥ نافذةA!", "Iloveyou2026!!", "e\u0301te\u0301-Gravier-93", "Œuvre-ß-Ærø-93",
	} {
		tab.Fill("New password", plain)
		broken := h.rules.Check(plain, aboutOf(lina))
		has := func(key string) bool {
			return slices.ContainsFunc(broken, func(r rules.Rule) bool { return r.Key == key })
		}
		for _, r := range h.rules.List() {
			if r.Where != rules.Live {
				continue
			}
			line := texts.T(r.Key, r.Pairs...) + " " + texts.T(map[bool]string{true: "identity.renewal.broken", false: "identity.renewal.kept"}[has(r.Key)])
			if text := said(tab); !strings.Contains(text, line) {
				t.Errorf("%q: the page does not say %q but\n%s", plain, line, text)
			}
		}
	}

	// What the browser cannot know is asked once the rest is right.
	yes, no := texts.T("identity.renewal.kept"), texts.T("identity.renewal.broken")
	known := texts.T(rules.KeyBreached)
	for plain, end := range map[string]string{"Iloveyou!2026!": no, "Gravier-93-lampe": yes} {
		tab.Fill("New password", plain)
		for range 50 {
			if strings.Contains(said(tab), known+" "+end) {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if !strings.Contains(said(tab), known+" "+end) {
			t.Errorf("%q: the page says\n%s", plain, said(tab))
		}
	}

	tab.Click("DisclosureTriangle", texts.T("identity.renewal.phrase.title"))
	tab.Press(texts.T("identity.renewal.phrase.again"))
	tab.Press(texts.T("identity.renewal.phrase.use"))
	phrase := tab.Value("New password")
	if broken := h.rules.Check(phrase, rules.About{}); len(broken) > 0 || tab.Value("The same, once more") != phrase {
		t.Errorf("the passphrase %q is not in both fields, or breaks %v", phrase, broken)
	}
	tab.Sees(texts.T("identity.renewal.same"))
	tab.Check()
	tab.Picture("new-password")
}

// said is the page as it is read out, each line of it on one line.
func said(tab *chromium.Tab) string { return strings.Join(strings.Fields(tab.Text()), " ") }
