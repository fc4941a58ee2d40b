package e2e

import (
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/slapdtest"
)

// directorySettings ask a directory about the passwords of an annex, and make
// accounts for its students and its staff.
const directorySettings = `
[[identity.upstreams]]
id = "annuaire"
kind = "ldap"
name_fr = "l’annuaire"
name_en = "the directory"
contact = "la DSI, au 01 99 00 00 00"

[[identity.upstreams.match]]
attribute = "mail"
field = "mail"

[identity.upstreams.create]
allowed = true

[[identity.upstreams.create.affiliations]]
attribute = "employeeType"
value = "student"
kind = "student"

[[identity.upstreams.create.affiliations]]
attribute = "employeeType"
value = "staff"
kind = "staff"

[identity.upstreams.ldap]
urls = ["URL"]
ca_file = "CA"
bind_dn = "SERVICE"
bind_password = "PASSWORD"
base = "BASE"
change = "service"
`

// withDirectory opens an annex whose passwords a real slapd checks.
func withDirectory(t *testing.T) (*house.House, *slapdtest.Server) {
	t.Helper()
	s := slapdtest.Start(t)
	settings := strings.NewReplacer("URL", s.TLSURL, "CA", s.CAFile, "SERVICE", slapdtest.Service, "PASSWORD", slapdtest.ServicePassword, "BASE", slapdtest.Base)
	return house.Annex(t, settings.Replace(directorySettings)), s
}

// knock fills in the sign-in page that is open.
func knock(tab *browser.Tab, login, password string) {
	tab.Fill("Identifiant", login)
	tab.Fill("Mot de passe", password)
	tab.Press("Se connecter")
}

func TestADirectorySaysWhatStandsInTheWayAndTheWayOn(t *testing.T) {
	t.Parallel()
	annex, s := withDirectory(t)
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		ended, title := slapdtest.Expired, "Votre mot de passe de l’annuaire a expiré."
		if look.Script {
			ended, title = slapdtest.Reset, "Votre mot de passe de l’annuaire doit changer."
		}
		tab := visitor(t, annex, look)
		tab.Visit("/login")
		tab.Expect(422)
		knock(tab, slapdtest.Locked, slapdtest.Password) // a stranger must not learn that it is locked
		tab.Sees("Identifiant ou mot de passe incorrect.")
		tab.Expect(403)
		knock(tab, ended, slapdtest.Password)
		tab.Sees(title)
		tab.Check()
		tab.Picture("directory-ended")
		tab.Follow("Changer le mot de passe")
		tab.Heading("Un nouveau mot de passe")
		tab.Check()
		tab.Picture("directory-change")
		change := func(fresh string) {
			tab.Fill("Identifiant", ended)
			tab.Fill("Mot de passe actuel, ou celui que l’on vous a donné", slapdtest.Password)
			tab.Fill("Nouveau mot de passe", fresh)
			tab.Fill("Nouveau mot de passe, encore une fois", fresh)
			tab.Press("Changer et entrer")
		}
		tab.Expect(422)
		change("court")
		tab.Sees("l’annuaire refuse ce nouveau mot de passe.")
		tab.Check()
		change("tout-Neuf-2026!")
		tab.IsAt("/")
		tab.Sees("Votre mot de passe est changé.")
	})
	t.Run("and when it does not answer", func(t *testing.T) {
		s.Stop(t)
		tab := visitor(t, annex, browser.Phone)
		tab.Visit("/login")
		tab.Expect(503)
		knock(tab, slapdtest.Fine, slapdtest.Password)
		tab.Sees("l’annuaire ne répond pas.", "Votre mot de passe n’a pas été vérifié", "la DSI, au 01 99 00 00 00")
		tab.Check()
		tab.Picture("directory-down")
		tab.Visit("/login?local=1") // whose password is ours still gets in
		tab.Sees("Seuls les mots de passe propres à ce portail")
		tab.Check()
		signIn(tab, "admin")
		tab.IsAt("/")
		tab.Visit("/identity/upstreams")
		tab.Follow("l’annuaire")
		tab.Press("Essayer maintenant")
		tab.Sees("échoué")
		tab.Check()
		tab.Picture("upstream-state")
	})
}

// providerSettings delegate to an OpenID provider whom addresses of one domain
// lead to.
const providerSettings = `
[[identity.upstreams]]
id = "campus"
kind = "oidc"
name_fr = "Mon campus"
name_en = "My campus"
domains = ["etu.valmont.example"]
password_page = "https://campus.example/password"

[[identity.upstreams.match]]
attribute = "email"
field = "mail"

[identity.upstreams.oidc]
issuer = "URL"
client_id = "CLIENT"
client_secret = "SECRET"
`

func TestAnAddressLeadsToItsProviderAndBack(t *testing.T) {
	t.Parallel()
	op := optest.Start(t)
	annex := house.Annex(t, strings.NewReplacer("URL", op.URL, "CLIENT", optest.ClientID, "SECRET", optest.Secret).Replace(providerSettings))
	said, code := annex.Command(t, "", "person", "list")
	if code != 0 {
		t.Fatal(said)
	}
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		op.Refuse, op.Claims["sub"], op.Claims["email"] = "", "lina-"+t.Name(), addressIn(t, said)
		tab := visitor(t, annex, look)
		tab.Visit("/login?next=/identity/sessions")
		tab.Sees("Se connecter avec Mon campus")
		tab.Check()
		tab.Picture("sign-in-choices")
		if look.Script { // the second visit is by the button, and nobody else's link
			op.Claims["sub"] = "lina-TestAnAddressLeadsToItsProviderAndBack/without_scripts"
			tab.Follow("Se connecter avec Mon campus")
		} else {
			tab.Fill("Identifiant", "lina@etu.valmont.example")
			tab.Press("Se connecter") // without a password: it is not for this page
		}
		tab.IsAt("/identity/sessions")
		tab.Visit("/logout")
		tab.Press("Se déconnecter")
		tab.Sees("Se déconnecter aussi de Mon campus")
		tab.Check()

		op.Refuse, op.Because = "access_denied", "AADSTS50105: The signed in user is not assigned to a role for the application."
		tab.Expect(403)
		tab.Visit("/identity/upstreams/campus/start")
		tab.Heading("Mon campus ne vous a pas ouvert ce portail.")
		tab.Check()
		tab.Picture("upstream-stopped")
		tab.Follow("Entrer autrement")
		tab.Sees("Seuls les mots de passe propres à ce portail")
	})
}

// addressIn finds the mail address of the demo's student in a list of people.
func addressIn(t *testing.T, said string) string {
	t.Helper()
	for line := range strings.Lines(said) {
		if _, after, found := strings.Cut(line, "<"); found && strings.HasPrefix(line, "student ") {
			address, _, _ := strings.Cut(after, ">")
			return address
		}
	}
	t.Fatalf("no student in %q", said)
	return ""
}
