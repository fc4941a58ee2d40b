package e2e

import (
	"net/http"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

func TestAStudentEntersAndLeaves(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Visit("/")
		tab.IsAt("/login")
		tab.Heading("Entrez.")
		tab.Check()
		tab.Picture("sign-in")

		signIn(tab, "student")
		tab.IsAt("/")
		tab.Check()

		tab.Visit("/logout")
		tab.Press("Se déconnecter")
		tab.Heading("Vous êtes sorti.")
		tab.Check()

		tab.Visit("/")
		tab.IsAt("/login")
	})
}

func TestAWrongPasswordIsExplainedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Visit("/identity/sessions")
		tab.IsAt("/login")
		tab.Expect(http.StatusUnauthorized)
		tab.Expect(http.StatusUnprocessableEntity)

		tab.Press("Se connecter")
		tab.Sees("Saisissez votre identifiant.", "Saisissez votre mot de passe.")
		tab.Check()
		tab.Picture("sign-in-empty")

		tab.Fill("Identifiant", "teacher")
		tab.Fill("Mot de passe", "not the one")
		tab.Press("Se connecter")
		tab.Sees("Les deux ne vont pas ensemble.", "Vérifiez la touche Majuscule")
		if kept := tab.Value("Identifiant"); kept != "teacher" {
			t.Errorf("the identifier should be kept, the field holds %q", kept)
		}
		if kept := tab.Value("Mot de passe"); kept != "" {
			t.Errorf("the password should not come back, the field holds %q", kept)
		}
		tab.Check()
		tab.Picture("sign-in-refused")

		tab.Fill("Mot de passe", house.Password)
		tab.Press("Se connecter")
		tab.IsAt("/identity/sessions") // where the person was going
	})
}

func TestAnIdentifierThatNobodyHasGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	answer := func(who string) string {
		tab := visitor(t, house.Shared(t), browser.Desk)
		tab.Visit("/login")
		tab.Expect(http.StatusUnauthorized)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Fill("Identifiant", who)
		tab.Fill("Mot de passe", "not the one")
		tab.Press("Se connecter")
		tab.Sees("Vérifiez la touche Majuscule")
		return withoutReference(tab.Text())
	}
	if known, unknown := answer("staff"), answer("nobody-at-all"); known != unknown {
		t.Errorf("the answers differ:\n%s\n\n%s", known, unknown)
	}
}

func TestASessionIsClosedFromAnotherDevice(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		forgotten := signedIn(t, h, browser.Desk, "teacher")
		phone := signedIn(t, h, look, "teacher")

		phone.Visit("/identity/sessions")
		phone.Heading("Mes sessions ouvertes")
		phone.Sees("cet appareil")
		phone.Check()
		phone.Picture("sessions")
		phone.Press(phone.Name("button", "Fermer cette session"))
		phone.Sees("La session est fermée.")

		forgotten.Visit("/identity/sessions")
		forgotten.IsAt("/login")
		forgotten.Sees("Cette session a été fermée depuis un autre appareil.")
		forgotten.Check()
	})
}

func TestASharedComputerForgetsWhoWasThere(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Desk, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Visit("/login")
		tab.Tick("Cet appareil est partagé")
		signIn(tab, "student")
		tab.IsAt("/")
		for _, cookie := range tab.Cookies() {
			if !cookie.Expires.IsZero() {
				t.Errorf("on a shared computer no cookie may outlive the browser, %s does", cookie.Name)
			}
		}
		tab.Visit("/identity/sessions")
		tab.Sees("cet appareil", "appareil partagé")

		tab.Visit("/logout")
		tab.Press("Se déconnecter")
		tab.Sees("fermez aussi toutes les fenêtres du navigateur")
		if cookies := tab.Cookies(); len(cookies) > 0 {
			for _, c := range cookies {
				if c.HttpOnly {
					t.Errorf("the cookie %s should be gone", c.Name)
				}
			}
		}
		tab.Back()
		tab.SeesNot("Mes sessions ouvertes")
	})
}
