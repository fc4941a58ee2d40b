package e2e

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
)

// learningSettings connect a Moodle: people sign in to SITE, and their accounts
// are kept at SERVICE. A programme of its own keeps the rest of the demo out.
const learningSettings = `
[sso]
allow_loopback = true

[[sso.services]]
id = "moodle"
name_fr = "Moodle"
patterns = ["SITE/"]

[[provisioning.targets]]
id = "moodle"
kind = "moodle"
url = "SERVICE"
decides_fr = "l’ingénierie pédagogique"

[provisioning.targets.rule]
kinds = ["student"]
programmes = ["M-NEUF"]

[provisioning.targets.moodle]
token = "token"
`

func TestANewStudentIsToldWhenMoodleIsReadyAndGoesOnByThemselves(t *testing.T) {
	t.Parallel()
	site, there := journals(t), pretend.NewMoodle("token")
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	annex := house.Annex(t, strings.NewReplacer("SITE", site.URL, "SERVICE", server.URL).Replace(learningSettings))
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		login := "nina"
		if look.Script {
			login = "nino"
		}
		there.Slow(10 * time.Second)
		asked := there.Asked()
		said, code := annex.Command(t, house.Password+"\n", "person", "add", login, "--mail", login+"@valmont.example", "--given-name", "Camille", "--family-name", "Neuf",
			"--affiliation", "student:rives:M-NEUF", "--password-stdin")
		if code != 0 {
			t.Fatal(said)
		}
		// Another process added them: the running one notices within a second.
		for deadline := time.Now().Add(20 * time.Second); there.Asked() == asked && time.Now().Before(deadline); {
			time.Sleep(50 * time.Millisecond)
		}
		tab := visitor(t, annex, look)
		tab.Visit("/cas/login?service=" + site.URL + "/")
		signIn(tab, login)
		tab.Heading("Votre compte Moodle n’est pas encore prêt.")
		tab.Sees("Vous n’avez rien à faire.", "Vous êtes connecté, et votre mot de passe est bon.", "l’ingénierie pédagogique")
		tab.Check()
		tab.Picture("account-not-ready")

		agent := signedIn(t, annex, look, "agent") // reads the same
		agent.Visit("/provisioning")
		agent.Check()
		agent.Visit("/provisioning/targets/moodle?q=" + login)
		agent.Check()
		agent.Follow("Camille Neuf")
		agent.Sees("Votre compte Moodle est en préparation.", "l’ingénierie pédagogique")
		agent.Check()
		agent.Picture("account-help-desk")

		there.Slow(0)
		for deadline := time.Now().Add(60 * time.Second); !strings.Contains(tab.Text(), "ticket: true"); time.Sleep(500 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("still at %s: %s", tab.Address(), tab.Text())
			}
		}
		if n := len(there.Users(login)); n != 1 {
			t.Errorf("%d accounts in Moodle", n)
		}
		tab.Visit(annex.URL + "/provisioning/mine")
		tab.Sees("Votre compte Moodle est prêt.", "Ce que le service a reçu")
		tab.Check()
		tab.Picture("my-accounts")
	})
}
