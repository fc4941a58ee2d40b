package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

func TestFivePeopleFindFiveHomes(t *testing.T) {
	t.Parallel()
	homes := map[string]string{}
	for _, who := range people {
		tab := signedIn(t, house.Shared(t), browser.Desk, who)
		home := strings.Join(tab.Names("heading")[1:], " · ") // without the name in the first
		if twin, same := homes[home]; same {
			t.Errorf("%s and %s find the same home: %s", who, twin, home)
		}
		homes[home] = who
	}
}

func TestAServiceIsFoundAndPinned(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := signedIn(t, house.Shared(t), look, "teacher")
		tab.Visit("/portal/services")
		tab.Fill("Chercher un service", "impression")
		tab.Press("Rechercher")
		tab.Sees("pour « impression »")
		pin := tab.Name("button", "Épingler ")
		service := strings.TrimPrefix(pin, "Épingler ")
		tab.Press(pin)
		tab.Sees(service + " est épinglé.")

		tab.Visit("/")
		tab.Sees(service) // pinned services come home
		tab.Visit("/portal/services")
		tab.Press("Ne plus épingler " + service)
		tab.Sees("Le service n’est plus épinglé.")
		if !tab.Has("button", pin) {
			t.Errorf("there should be a button %q again", pin)
		}

		tab.Fill("Chercher un service", "xyzzy")
		tab.Press("Rechercher")
		tab.Sees("Aucun service ne correspond.")
	})
}

func TestAnOpenedServiceIsRemembered(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	tab := signedIn(t, h, browser.Desk, "staff")
	tab.SeesNot("ouvert à l’instant")
	tab.Visit("/portal/services")
	open := ""
	for _, link := range tab.Links() {
		if strings.HasSuffix(link, "/open") {
			open = link
		}
	}
	// The service lives elsewhere, where no test goes.
	request := get(t, h, open)
	for _, c := range tab.Cookies() {
		request.AddCookie(c)
	}
	answer, _ := send(t, client(t), request)
	if where := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(where, "https://") {
		t.Fatalf("%s should lead to the service, it answers %s to %q", open, answer.Status, where)
	}
	tab.Visit("/")
	tab.Sees("ouvert à l’instant")
}

func TestOneBoxFindsEverything(t *testing.T) {
	t.Parallel()
	tab := signedIn(t, house.Shared(t), browser.Desk, "student")
	tab.Visit("/search?q=bibliotheque") // accents do not count
	tab.Check()
	tab.Sees("Bibliothèque", "La bibliothèque ouvre jusqu’à 23 h")
	tab.Visit("/search?q=xyzzy")
	tab.Sees("Rien ne correspond à « xyzzy ».", "Demander de l’aide")
	tab.Check()
}

func TestNotificationsAreReadOneByOneAndAllAtOnce(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := signedIn(t, house.Start(t), look, "student")
		tab.Visit("/portal/notifications")
		tab.Sees("notifications à lire")
		mark := tab.Name("button", "Marquer comme lue")
		tab.Press(mark)
		tab.Name("button", strings.Replace(mark, "comme lue", "comme non lue", 1)) // it can be undone
		tab.Press("Tout marquer comme lu")
		tab.SeesNot("Tout marquer comme lu", "Marquer comme lue")
		tab.Visit("/")
		tab.Sees("Rien n’attend d’être lu.")
	})
}

func TestLanguageAndAppearanceFollowThePerson(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Start(t)
		tab := signedIn(t, h, look, "agent")
		if tab.IsDark() {
			t.Error("the page should be light at first, as the device is")
		}
		tab.Visit("/portal/profile")
		tab.Tick("English")
		tab.Tick("Sombre")
		tab.Press("Enregistrer")
		tab.Sees("Your preferences are saved.")
		tab.Check()

		other := visitor(t, h, browser.Desk) // another device, which is French and light
		other.Visit("/login")
		signIn(other, "agent")
		other.IsAt("/")
		if other.Language() != "en" || !other.IsDark() {
			t.Errorf("on another device the page is in %q, dark: %v", other.Language(), other.IsDark())
		}
	})
}

func TestSomebodyWhoCannotEnterFindsHelp(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Shared(t), look)
		tab.Visit("/login")
		tab.Follow("Je n’arrive pas à entrer")
		tab.Heading("Pourquoi je n’arrive pas à entrer ?")
		tab.Visit("/portal/help")
		tab.Heading("Aide")
		tab.Sees("Vous ne pouvez pas entrer ?", "Parler à quelqu’un")
		tab.Fill("Chercher dans l’aide", "mot de passe")
		tab.Press("Rechercher")
		tab.Sees("pour « mot de passe »")

		tab.Visit("/login")
		tab.Follow("Accessibilité")
		tab.Heading("Accessibilité")
		tab.Sees("Voie de recours")
	})
}
