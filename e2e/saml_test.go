package e2e

import (
	"testing"

	"github.com/amphi-campus/amphi/e2e/apache"
	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// samlService is an Apache with mod_auth_mellon that is registered at a house.
func samlService(t *testing.T, h *house.House, flags ...string) *apache.Site {
	t.Helper()
	site := apache.StartFor(t, apache.Providers{SAML: h.URL + "/saml/metadata"})
	said, code := h.Command(t, "", append([]string{
		"service", "import", site.Metadata(), "--id", "mellon", "--name-fr", "Le service d’Apache", "--name-en", "The service of Apache",
		"--attribute", "uid", "--attribute", "mail",
	}, flags...)...)
	if code != 0 {
		t.Fatal(said)
	}
	return site
}

func TestASAMLServiceThatOthersWroteOpensAndCloses(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	site := samlService(t, h)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, h, look)
		onward := func() { // the page that carries the answer goes on by itself where scripts run
			if !look.Script {
				tab.Heading("En route vers Le service d’Apache")
				tab.Check()
				tab.Press("Continuer vers Le service d’Apache")
			}
		}
		tab.Visit(site.SAML())
		tab.Heading("Entrez.")
		tab.Sees("Le service d’Apache")
		signIn(tab, "student")
		onward()
		tab.Heading("A page behind SAML")
		tab.Sees("Signed in as student", "MAIL=", "MELLON_urn:oid:0.9.2342.19200300.100.1.1=student")

		// Signed out there, the person is signed out here.
		tab.Visit(site.SAMLSignOut())
		tab.Heading("An open page")
		tab.Visit(h.URL + "/")
		tab.Heading("Entrez.")

		// Signed out here, the person is signed out there: by SOAP.
		tab.Visit(site.SAML())
		signIn(tab, "student")
		onward()
		tab.Sees("Signed in as student")
		cookies := tab.Cookies()
		tab.Visit(h.URL + "/logout")
		tab.Press("Se déconnecter")
		tab.Heading("Vous êtes déconnecté.")
		waitUntilRefused(t, site.SAML(), cookies, site.URL+"/mellon/login")
	})
}
