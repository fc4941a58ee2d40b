package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/apache"
	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// threeProtocols is one Apache with a page behind each protocol, registered at a
// house.
func threeProtocols(t *testing.T, h *house.House) *apache.Site {
	t.Helper()
	site := apache.StartFor(t, apache.Providers{
		CAS: h.URL + "/cas", SAML: h.URL + "/saml/metadata", OpenID: h.URL + "/.well-known/openid-configuration",
	})
	if said, code := h.Command(t, "", "service", "import", site.Metadata(), "--id", "by-saml", "--name-fr", "Page SAML", "--name-en", "SAML page",
		"--attribute", "uid", "--attribute", "mail"); code != 0 {
		t.Fatal(said)
	}
	hash := sha256.Sum256([]byte(apache.ClientSecret))
	entry := strings.NewReplacer("{client}", apache.Client, "{hash}", hex.EncodeToString(hash[:]), "{redirect}", site.Redirect(),
		"{open}", site.Open(), "{back}", site.BackChannel()).Replace(`[[services]]
id = "by-openid"
name_fr = "Page OpenID"
name_en = "OpenID page"
protocol = "oidc"
attributes = ["uid", "displayName", "mail"]
[services.oidc]
client_id = "{client}"
secret_hash = "{hash}"
redirect_uris = ["{redirect}"]
logout_redirect_uris = ["{open}"]
back_channel_logout_uri = "{back}"
`)
	if said, code := h.Command(t, entry, "service", "add", "-"); code != 0 {
		t.Fatal(said)
	}
	return site
}

func TestOneSignInOpensThreeProtocolsAndOneSignOutClosesThem(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	site := threeProtocols(t, h)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, h, look)

		// The password is asked for once.
		tab.Visit(site.Protected())
		signIn(tab, "student")
		tab.Heading("A protected page")
		tab.Sees("Signed in as student")
		tab.Visit(site.OpenID())
		tab.Heading("A page behind OpenID Connect")
		tab.Sees("Signed in as student", "OIDC_CLAIM_email=")
		tab.Visit(site.SAML())
		if !look.Script { // the page that carries the answer has a button
			tab.Press("Continuer vers Page SAML")
		}
		tab.Heading("A page behind SAML")
		tab.Sees("Signed in as student", "MAIL=")
		cookies := tab.Cookies()

		// One sign-out, and a page that says what became of each.
		tab.Visit(h.URL + "/logout")
		tab.Press("Se déconnecter")
		tab.IsAt("/sso/signed-out")
		tab.Heading("Vous êtes déconnecté.")
		waitUntilRefused(t, site.Protected(), cookies, h.URL+"/cas/login")
		waitUntilRefused(t, site.OpenID(), cookies, h.URL+"/oidc/authorize")
		waitUntilRefused(t, site.SAML(), cookies, site.URL)
		tab.Sees("Les services que vous avez ouverts depuis cette session sont fermés.", "Page SAML", "Page OpenID")
		tab.Check()
		shown(tab, look, "signed-out")
		for _, page := range []string{site.Protected(), site.OpenID(), site.SAML()} {
			tab.Visit(page)
			tab.Heading("Entrez.")
		}

		// The help desk reads both ends of each way.
		desk := signedIn(t, h, look, "agent")
		desk.Visit("/sso/trace?person=student")
		desk.Heading("Chemins vers les services")
		desk.Sees("Page SAML", "Page OpenID", "déconnecté", "Son serveur est venu après")
		desk.Check()
		shown(desk, look, "trace")
	})
}
