package e2e

import (
	"net/http"
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
}
