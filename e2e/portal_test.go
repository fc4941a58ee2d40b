package e2e

import (
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

func TestFivePeopleFindFiveHomes(t *testing.T) {
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		homes := map[string]string{}
		for _, who := range people {
			tab := signedIn(t, house.Shared(t), look, who)
			tab.Check()
			tab.Picture("home-" + who)
			home := tab.Text()
			if twin, same := homes[home]; same {
				t.Errorf("%s and %s find the same home:\n%s", who, twin, home)
			}
			homes[home] = who
		}
	})
}
