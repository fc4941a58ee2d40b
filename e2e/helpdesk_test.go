package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/e2e/post"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
)

// trackingNumber is the number of a request on the page on which it stands.
func trackingNumber(t *testing.T, tab *browser.Tab) string {
	t.Helper()
	_, number, _ := strings.Cut(tab.Path(), "/helpdesk/follow/")
	if len(number) != 8 {
		t.Fatalf("no tracking number at %s", tab.Address())
	}
	return number
}

func TestALockedOutStudentAsksFromAPhoneAndReadsTheAnswer(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, office.Environment())
	me := demoPerson(t, "student")
	file := filepath.Join(t.TempDir(), "erreur.txt")
	if err := os.WriteFile(file, []byte("Erreur 500\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		contact := me.PersonalMail
		if look.Script { // the other address has just had its code
			contact = me.Mail
		}
		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/login")
		signInAs(tab, "student", "not the one")
		tab.Sees("ne vont pas ensemble")
		tab.Follow("Demander de l’aide")

		// What happened is known: the guide begins there.
		tab.Heading("Demander de l’aide")
		tab.Sees("Votre connexion de", "s’est arrêtée")
		shown(tab, look, "helpdesk-start")
		tab.Follow("Partir de là")
		tab.Sees("Nous savons déjà")
		shown(tab, look, "helpdesk-known")
		tab.Follow("Ce n’était pas cela : écrire à l’assistance")

		// The request is written already.
		tab.Heading("Votre demande")
		tab.Sees("Code d’incident", "Navigateur", "student")
		shown(tab, look, "helpdesk-write")
		tab.Fill("Où répondre : adresse de courriel ou numéro de mobile", contact)
		tab.Attach("files", file)

		// Without a word of what happened it comes back, and its file waits.
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Press("Continuer : recevoir un code")
		tab.Sees("Dites ce qui s’est passé.", "Fichiers en attente", "erreur.txt")
		shown(tab, look, "helpdesk-again")
		tab.Fill("Ce qui s’est passé", "Je suis sûre de mon mot de passe. mdp : Chaton2019")
		tab.Press("Continuer : recevoir un code")
		tab.Heading("Un code, et c’est envoyé")
		shown(tab, look, "helpdesk-proof")
		letter := office.About(t, contact, "montre que cette adresse")
		tab.Fill("Code reçu", otherThan(letter.Code(t)))
		tab.Press("Continuer")
		tab.Sees("Le code ne correspond pas.")
		tab.Fill("Code reçu", letter.Code(t))
		tab.Press("Continuer")
		tab.Sees("Votre demande porte le numéro", "nous l’avons masqué", "Où elle en est", "erreur.txt")
		tab.SeesNot("Chaton2019")
		number := trackingNumber(t, tab)
		shown(tab, look, "helpdesk-opened")

		// An agent answers; the student reads it, and says that it helped.
		agent := signedIn(t, h, browser.Desk, "agent")
		agent.Visit("/helpdesk/tickets/" + number)
		agent.Sees("Je suis sûre de mon mot de passe.")
		agent.SeesNot("Chaton2019")
		agent.Fill("Texte", "Votre identifiant est juste : choisissez un nouveau mot de passe.")
		agent.Choose("Et ensuite", "c’est résolu")
		agent.Press("Envoyer")
		agent.Sees("choisissez un nouveau mot de passe")
		tab.Visit("/helpdesk/follow/" + number)
		tab.Sees("choisissez un nouveau mot de passe", "Résolue.", "Est-ce résolu")
		shown(tab, look, "helpdesk-answered")
		tab.Tick("Oui")
		tab.Press("Répondre")
		tab.Sees("Merci. Votre réponse est gardée.", "Vous avez répondu")
	})
}

// awaitedMoodle is a Moodle that has not made the account of somebody yet.
const awaitedMoodle = `
[sso]
allow_loopback = true

[[sso.services]]
id = "moodle"
name_fr = "Moodle"
patterns = ["SITE/"]
home = "SITE/"

[[provisioning.targets]]
id = "moodle"
kind = "moodle"
url = "SERVICE"
decides_fr = "l’ingénierie pédagogique"

[provisioning.targets.rule]
kinds = ["student"]

[provisioning.targets.moodle]
token = "token"
`

func TestWhoAsksAboutAnAccountThatIsComingNeedsNoTicket(t *testing.T) {
	t.Parallel()
	site, there := journals(t), pretend.NewMoodle("token")
	there.Slow(time.Hour)
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	annex := house.Annex(t, strings.NewReplacer("SITE", site.URL, "SERVICE", server.URL).Replace(awaitedMoodle))
	said, code := annex.Command(t, house.Password+"\n", "person", "add", "noa", "--mail", "noa@valmont.example", "--given-name", "Noa", "--family-name", "Neuf",
		"--affiliation", "student:rives", "--password-stdin")
	if code != 0 {
		t.Fatal(said)
	}
	tab := visitor(t, annex, browser.Phone)
	tab.Visit("/login")
	signIn(tab, "noa")
	tab.Visit("/helpdesk")
	tab.Follow("Un service ne s’ouvre pas, ou il y manque quelque chose")
	tab.Heading("De quel service s’agit-il ?")
	shown(tab, browser.Phone, "helpdesk-which")
	tab.Follow("Moodle")
	tab.Heading("Votre compte y est en préparation.")
	tab.Sees("Nous savons déjà", "nous voyons votre compte dans Moodle", "l’ingénierie pédagogique")
	shown(tab, browser.Phone, "helpdesk-ledger")
	tab.Visit("/helpdesk/mine")
	tab.Sees("Vos demandes seront ici")
	shown(tab, browser.Phone, "helpdesk-mine-empty")
}
