package e2e

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestThePicturesOfTheReadme takes them anew, into the folder that AMPHI_SCREENS
// names: README.md shows those of docs/pictures. Without it the story is told all
// the same, so that a picture never shows what is no more.
func TestThePicturesOfTheReadme(t *testing.T) {
	desk, phone := browser.Desk, browser.Look{Width: 390, Script: true}
	h := house.Start(t) // where nobody has been before

	tab := visitor(t, h, desk)
	tab.Visit("/login")
	tab.Screen("sign-in-desk")
	tab.Look(phone)
	tab.Screen("sign-in-phone")

	tab.Look(desk)
	signIn(tab, "student")
	tab.IsAt("/")
	tab.Screen("home-desk")
	tab.Visit("/portal/services")
	tab.Screen("services-desk")
	tab.Expect(http.StatusNotFound)
	tab.Visit("/cas/login?service=https%3A%2F%2Fcovoiturage.valmont.example%2Ftrajets")
	tab.Screen("stopped-desk")
	tab.Look(phone.InTheDark())
	tab.Visit("/")
	tab.Screen("home-phone-dark")
	thePicturesOfServices(t, h, tab)
}

// thePicturesOfServices are of the pages around single sign-on: what a student is
// asked, and what an administrator sees of a service that is set up wrongly.
func thePicturesOfServices(t *testing.T, h *house.House, student *browser.Tab) {
	t.Helper()
	const address = "https://revues.example/"
	command(t, h.Folder(), "", "service", "add", "--id", "revues", "--name-fr", "Revues en ligne", "--pattern", address, "--consent",
		"--attribute", "displayName", "--attribute", "mail", "--attribute", "eduPersonScopedAffiliation", "--required", "eduPersonScopedAffiliation",
		"--owner", "Éditions du Lac", "--contact", "revues@valmont.example", "--reason-fr", "Pour vérifier que vous êtes de l’université, et signer vos annotations.")
	student.Look(browser.Look{Width: 390, Script: true})
	student.Visit("/sso/consents") // meanwhile the workspace sees the new service
	student.Visit("/cas/login?service=" + url.QueryEscape(address))
	student.Sees("Partager vos données", "À vous de choisir")
	student.Screen("consent-phone")

	// The server of the service asks about a ticket that nobody gave it.
	answer, err := http.Get(h.URL + "/cas/p3/serviceValidate?ticket=ST-0&service=" + url.QueryEscape(address))
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	admin := signedIn(t, h, browser.Desk, "admin")
	admin.Visit("/sso/services/revues#settings")
	admin.Sees("Ce que son équipe doit régler", "Ce qui ne va pas")
	admin.Screen("service-desk")
	admin.Visit("/sso/simulator?service=revues")
	admin.Fill("Personne", "student")
	admin.Press("Montrer ce qui se passerait")
	admin.Sees("L’accord de la personne")
	admin.Screen("simulator-desk")
	admin.Look(browser.Look{Width: 390, Dark: true, Script: true})
	admin.Visit("/sso/services/new")
	admin.Screen("service-new-phone-dark")
}
