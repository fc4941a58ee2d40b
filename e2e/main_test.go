// Package e2e holds the stories: what Amphi promises to people, acted out in a
// real browser against the real program and its demo university.
package e2e

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// Stories wait for the browser more than they work: twice as many as there are
// processors run side by side, unless the command line says how many.
func TestMain(m *testing.M) {
	flag.Parse()
	usual := strconv.Itoa(runtime.GOMAXPROCS(0))
	if side := flag.Lookup("test.parallel"); side.Value.String() == usual {
		if err := side.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0))); err != nil {
			panic(err) // a number, as the flag wants
		}
	}
	os.Exit(house.Run(m))
}

// people are the demo's sign-ins, one for each kind of home.
var people = []string{"student", "teacher", "staff", "agent", "admin"}

// visitor opens a browser on the house for somebody who has not signed in.
func visitor(t *testing.T, h *house.House, look browser.Look) *browser.Tab {
	t.Helper()
	return browser.Shared(t).Tab(t, h.URL, look)
}

// signedIn opens a browser and signs in.
func signedIn(t *testing.T, h *house.House, look browser.Look, who string) *browser.Tab {
	t.Helper()
	tab := visitor(t, h, look)
	tab.Visit("/login")
	signIn(tab, who)
	tab.IsAt("/")
	return tab
}

// signIn fills in the sign-in page that is open.
func signIn(tab *browser.Tab, who string) {
	tab.Fill("Identifiant", who)
	tab.Fill("Mot de passe", house.Password)
	tab.Press("Se connecter")
}

// bothWays runs a story without scripts and with: every task can be done either
// way.
func bothWays(t *testing.T, look browser.Look, story func(t *testing.T, look browser.Look)) {
	t.Run("without scripts", func(t *testing.T) { story(t, look.WithoutScript()) })
	t.Run("with scripts", func(t *testing.T) { story(t, look) })
}
