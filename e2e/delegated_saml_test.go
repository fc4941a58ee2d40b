package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// annexSettings delegate the sign-in of an annex to a house, by SAML.
const annexSettings = `
[[identity.upstreams]]
id = "valmont"
kind = "saml"
name_fr = "l’université de Valmont"
name_en = "the University of Valmont"

[[identity.upstreams.match]]
attribute = "mail"
field = "mail"

[identity.upstreams.saml]
metadata_url = "HOUSE/saml/metadata"
`

// annexTo opens an annex whose people sign in at a house, which knows it.
func annexTo(t *testing.T, h *house.House) *house.House {
	t.Helper()
	annex := house.Annex(t, strings.ReplaceAll(annexSettings, "HOUSE", h.URL))
	said, code := h.Command(t, "", "service", "import", annex.URL+"/identity/upstreams/valmont/metadata",
		"--id", "annexe", "--name-fr", "L’annexe", "--name-en", "The annex", "--attribute", "mail")
	if code != 0 {
		t.Fatal(said)
	}
	return annex
}

// isIn sees to it that a tab shows a page of one of the two houses.
func isIn(t *testing.T, tab *browser.Tab, h *house.House) {
	t.Helper()
	if !strings.HasPrefix(tab.Address(), h.URL+"/") {
		t.Fatalf("the person should be at %s and is at %s", h.URL, tab.Address())
	}
}

// The two houses are two sites, so the answer comes by a form that brings no
// cookie along, and the sign-out by an address that does.
func TestSomebodyEntersAnAnnexByTheSignInOfTheirUniversity(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	annex := annexTo(t, h)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, annex, look)
		tab.Visit("/login")
		tab.Follow("Se connecter avec l’université de Valmont")
		isIn(t, tab, h)
		signIn(tab, "student")
		if !look.Script {
			tab.Heading("En route vers L’annexe")
			tab.Press("Continuer vers L’annexe")
		}
		tab.Heading("Bonjour Lina.")
		isIn(t, tab, annex)

		// Who leaves the university leaves the annex: their browser carries the news.
		tab.Visit(h.URL + "/logout")
		tab.Press("Se déconnecter")
		closing := tab.Address()
		for range 100 { // until the job has found that no other way leads there
			if tab.Has("link", "Fermer L’annexe") {
				break
			}
			time.Sleep(100 * time.Millisecond)
			tab.Visit(closing)
		}
		tab.Follow("Fermer L’annexe")
		isIn(t, tab, h)
		tab.Sees("Les services que vous avez ouverts depuis cette session sont fermés.")
		tab.Visit(annex.URL + "/identity/sessions")
		tab.IsAt("/login")
		isIn(t, tab, annex)
	})
}
