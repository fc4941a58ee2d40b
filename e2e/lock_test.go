package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
	"github.com/amphi-campus/amphi/e2e/post"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// oathApp is the app on somebody's phone: Debian's oathtool with the key that
// the page showed.
type oathApp struct{ key string }

// code is what the app shows at an instant.
func (a oathApp) code(t *testing.T, at time.Time) string {
	t.Helper()
	tool := need.Program(t, "oathtool")
	said, err := exec.Command(tool, "--totp", "--base32", "--now", at.UTC().Format("2006-01-02 15:04:05 UTC"), a.key).Output()
	if err != nil {
		t.Fatalf("oathtool: %v", err)
	}
	return strings.TrimSpace(string(said))
}

// now and next are the code that the app shows, and the one that it shows after
// that: a code counts once, and nobody waits for half a minute in a story.
func (a oathApp) now(t *testing.T) string { t.Helper(); return a.code(t, time.Now()) }
func (a oathApp) next(t *testing.T) string {
	t.Helper()
	return a.code(t, time.Now().Add(30*time.Second))
}

// addOathApp registers an app for whoever is signed in.
func addOathApp(t *testing.T, tab *browser.Tab) oathApp {
	t.Helper()
	tab.Visit("/identity/factors/totp")
	app := oathApp{key: shownKey(t, tab)}
	tab.Fill("Code affiché par l’application", app.now(t))
	tab.Press("Vérifier et ajouter")
	tab.Sees("L’application est ajoutée.")
	return app
}

// shownKey is the key that the page shows for an app to be typed in.
func shownKey(t *testing.T, tab *browser.Tab) string {
	t.Helper()
	tab.Click("DisclosureTriangle", "L’appareil photo ne marche pas ?")
	for _, line := range strings.Split(tab.Text(), "\n") {
		key := strings.ReplaceAll(strings.TrimSpace(line), " ", "")
		if len(key) >= 26 && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == "" {
			return key
		}
	}
	t.Fatalf("no key in\n%s", tab.Text())
	return ""
}

// guess types wrong passwords for somebody, as a stranger would.
func guess(tab *browser.Tab, who string, times int) {
	tab.Expect(http.StatusUnprocessableEntity)
	tab.Visit("/login")
	for range times {
		signInAs(tab, who, "not the one")
		tab.Sees("ne vont pas ensemble")
	}
}

// lockingEarly locks after three wrong passwords, not ten.
func lockingEarly(office *post.Office) []string {
	return append(office.Environment(), "AMPHI_IDENTITY__RISK__LOCK_AFTER=3", "AMPHI_IDENTITY__RISK__LOCK_STEPS=10m")
}

const lockedHeading = "Votre compte est verrouillé un moment."

func TestGuessingLocksStrangersOutAndTheOwnerGetsIn(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, lockingEarly(office))
	mine := signedIn(t, h, browser.Desk, "student")
	leave(mine)

	stranger := visitor(t, h, browser.Phone)
	guess(stranger, "student", 3)
	// What a stranger reads is what they read before, and does not tell of a lock.
	signInAs(stranger, "student", "not the one either")
	stranger.SeesNot("verrou")
	if letter := office.About(t, demoPerson(t, "student").Mail, "verrouillé"); !strings.Contains(letter.Text, "/login/unlock?") {
		t.Errorf("the letter should lead to the way out:\n%s", letter.Text)
	}

	// In the browser that its owner uses, nothing is locked.
	mine.Visit("/login")
	signInAs(mine, "student", house.Password)
	mine.IsAt("/")

	// Nobody in particular reads what a lock is.
	look := browser.Phone
	stranger.Visit("/login/locked")
	stranger.Heading("Ce qu’est un verrou")
	shown(stranger, look, "lock-about")
}

func TestALockIsLiftedByACodeOrALink(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, lockingEarly(office))
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		byCode, byLink := "student", "teacher"
		if !look.Script {
			byCode, byLink = "staff", "agent"
		}
		tab := visitor(t, h, look)
		guess(tab, byCode, 3)
		signInAs(tab, byCode, house.Password)
		tab.Heading(lockedHeading)
		tab.Sees("Le verrou se lève de lui-même", "Beaucoup de mots de passe faux ont été saisis")
		shown(tab, look, "locked")
		letter := office.About(t, demoPerson(t, byCode).Mail, "verrouillé")
		code := letter.Code(t)
		tab.Fill("Code du message", otherThan(code))
		tab.Press("Déverrouiller avec le code")
		tab.Sees("Le code ne correspond pas.")
		shown(tab, look, "locked-wrong-code")
		tab.Press("Recevoir un code de déverrouillage")
		tab.Sees("Un message avec un code et un lien est en route")
		newer := office.About(t, demoPerson(t, byCode).Mail, "Déverrouill")
		tab.Fill("Code du message", newer.Code(t))
		tab.Press("Déverrouiller avec le code")
		tab.IsAt("/")
		tab.Sees("Votre compte est déverrouillé.")

		// By the link of the letter, on whatever device it is read.
		tab = visitor(t, h, look)
		guess(tab, byLink, 3)
		letter = office.About(t, demoPerson(t, byLink).Mail, "verrouillé")
		reader := visitor(t, h, look)
		reader.Expect(http.StatusGone)
		reader.Visit(letter.Link(t))
		reader.Heading("Déverrouiller votre compte")
		reader.Sees("Rien ne s’est encore passé.")
		shown(reader, look, "unlock-link")
		reader.Press("Déverrouiller mon compte")
		reader.IsAt("/login")
		reader.Sees("Votre compte est déverrouillé.")
		signInAs(tab, byLink, house.Password)
		tab.IsAt("/")
		reader.Visit(letter.Link(t))
		reader.Press("Déverrouiller mon compte")
		shown(reader, look, "unlock-link-over")
	})
}

func TestALockIsLiftedByASecondFactor(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, lockingEarly(office))
	app := addOathApp(t, signedIn(t, h, browser.Desk, "teacher"))
	look := browser.Phone.WithoutScript()
	tab := visitor(t, h, look)
	guess(tab, "teacher", 3)
	signInAs(tab, "teacher", house.Password)
	tab.Heading(lockedHeading)
	shown(tab, look, "locked-factor")
	tab.Follow("Déverrouiller avec mon second facteur")
	tab.Fill("Code affiché par l’application", app.next(t))
	tab.Press("Continuer")
	tab.IsAt("/")
	office.About(t, demoPerson(t, "teacher").Mail, "verrouillé")
}

func TestALockByTheRulesSaysWhatWasUnusualAndIsLiftedByOneself(t *testing.T) {
	t.Parallel()
	office := post.Open(t)
	h := house.StartWith(t, append(office.Environment(), "AMPHI_IDENTITY__RISK__POINTS__NEW_DEVICE=100"))
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		who := "student"
		if !look.Script {
			who = "teacher"
		}
		at := demoPerson(t, who).Mail
		known := signedIn(t, h, browser.Desk, who) // the first browser is no news
		leave(known)

		tab := visitor(t, h, look)
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Visit("/login")
		signInAs(tab, who, "not the one")
		tab.SeesNot("verrou") // a stranger learns nothing
		signInAs(tab, who, house.Password)
		tab.Heading(lockedHeading)
		tab.Sees("Cette connexion ne ressemble pas aux autres", "La connexion venait d’un navigateur que nous ne connaissions pas.", "Se lève de lui-même")
		find(t, tab, incidentForm)
		shown(tab, look, "locked-rules")
		tab.Visit("/") // around it
		tab.IsAt("/login")

		// Where its owner is known nothing is locked.
		known.Visit("/login")
		signInAs(known, who, house.Password)
		known.IsAt("/")

		signInAs(tab, who, house.Password)
		tab.Heading(lockedHeading)
		if look.Script {
			tab.Fill("Code du message", office.About(t, at, "verrouillé").Code(t))
			tab.Press("Déverrouiller avec le code")
		} else {
			tab.Press("Recevoir un code de déverrouillage")
			tab.Fill("Code du message", office.About(t, at, "Déverrouill").Code(t))
			tab.Press("Déverrouiller avec le code")
		}
		tab.IsAt("/")
		tab.Sees("Votre compte est déverrouillé.")

		// From now on this browser is known as well.
		leave(tab)
		tab.Visit("/login")
		signInAs(tab, who, house.Password)
		tab.IsAt("/")
	})
}

func TestASharedComputerKeepsNothingOfWhoSatThere(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		tab := visitor(t, house.Start(t), look) // where nobody else is the agent, in a browser that stays
		tab.Visit("/login")
		tab.Tick("Cet appareil est partagé")
		signInAs(tab, "agent", house.Password)
		tab.IsAt("/")
		tab.Visit("/identity/devices")
		tab.SeesNot("ce navigateur")
		shown(tab, look, "devices-shared")
		for _, c := range tab.Cookies() {
			if !c.Expires.IsZero() || strings.Contains(c.Name, "device") {
				t.Errorf("the cookie %s stays on a shared computer until %s", c.Name, c.Expires)
			}
		}
		leave(tab)
		for _, c := range tab.Cookies() {
			if c.HttpOnly {
				t.Errorf("the cookie %s is left behind", c.Name)
			}
		}
		// The next person there is not told of a password that was somebody's.
		tab.Visit("/")
		tab.IsAt("/login")
		if who := tab.Value("Identifiant"); who != "" {
			t.Errorf("the page still knows %q", who)
		}
	})
}
