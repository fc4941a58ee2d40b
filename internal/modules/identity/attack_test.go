package identity

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// doors are the addresses on the way in that go on by themselves when nothing is
// left to ask.
var doors = []string{"/login/locked", "/login/factor", "/login/new-password", "/login/prepare-factor"}

// slipsIn tries every door of the way in and reports through which one a browser
// gets inside without proving anything.
func (b *browser) slipsIn() (through string) {
	b.h.t.Helper()
	for _, path := range doors {
		for _, try := range []func() answer{
			func() answer { return b.get(path) },
			func() answer { return b.post(path, url.Values{}) },
		} {
			try()
			if strings.Contains(b.get("/identity/sessions").body, "My open sessions") {
				return path
			}
		}
	}
	return ""
}

func TestALoopDoesNotReopenASignInThatIsOver(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
	h.loop = &contract.Loop{Reason: "identity.cookie_lost", Turns: 3, Clean: true}
	looped := h.story(incident(t, b.get("/leave")))
	want(t, b.post("/logout", url.Values{}), 200)
	// The next one at this computer has no password.
	if through := b.slipsIn(); through != "" {
		t.Fatalf("after the sign-out %s opens the account again", through)
	}
	if looped.Reason != "identity.cookie_lost" {
		t.Errorf("the loop is not in the story: %+v", looped)
	}
}

func TestWhoCopiedTheCookieOfABrowserBeforeASignInHasNothingOfIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.app(h.lina)
		b := h.browser()
		b.get("/login")
		thief := h.browser()
		here, _ := url.Parse(h.server.URL)
		thief.Jar.SetCookies(here, b.Jar.Cookies(here)) // of a computer in the library, an hour ago
		a := b.signIn("lmartin", linasPassword)
		code := a.Request.URL.Query().Get("at")
		for _, at := range []string{"", "?at=" + code} {
			want(t, thief.get("/login/factor"+at), http.StatusGone, "identity.sign_in_lost")
		}
		want(t, b.get("/login/factor?at="+code), 200) // her own goes on
	})
}

func TestTabsThatWereOpenBeforeASignInGoOnAfterIt(t *testing.T) {
	h := openOne(t)
	show := h.app(h.lina)
	b := h.browser()
	first := b.signIn("lmartin", linasPassword, "next", "/identity/sessions").Request.URL.Query().Get("at")
	b.signIn("lmartin", linasPassword, "next", "/identity/devices")
	if a := b.post("/login/factor/totp", url.Values{"at": {first}, "code": {show()}}); a.Request.URL.Path != "/identity/sessions" {
		t.Errorf("the first tab came to %s", a.Request.URL)
	}
}

func TestASignInUnderWayEndsWithThePasswordItBeganWith(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		show := h.app(h.lina)
		thief := h.browser()
		code := thief.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
		hash, err := h.HashPassword(t.Context(), "un autre mot de passe")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.StorePassword(t.Context(), tx, h.lina, hash) }); err != nil {
			t.Fatal(err)
		}
		want(t, thief.post("/login/factor/totp", url.Values{"at": {code}, "code": {show()}}), http.StatusGone, "identity.sign_in_lost")
	})
}

func TestAPasswordThatWasRightIsNotKeptWarmForHours(t *testing.T) {
	h := openOne(t)
	show := h.app(h.lina)
	thief := h.browser()
	code := thief.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
	for range 12 { // a post that costs nothing keeps the story alive
		h.clock.Advance(attempt.Lasts - time.Minute)
		thief.post("/login/factor/trouble", url.Values{"at": {code}, "error": {"NotAllowedError"}, "after": {"900"}})
	}
	want(t, thief.post("/login/factor/totp", url.Values{"at": {code}, "code": {show()}}), http.StatusGone, "identity.sign_in_lost")
}

func TestNobodyRegistersAnAppWithAKeyThatSomebodyElseSaw(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Factor.RequiredKinds = []campus.Kind{campus.Student} })
	page := func(b *browser) string {
		code := b.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
		a := b.get("/identity/factors/totp?at=" + code)
		want(t, a, 200, "otpauth:")
		_, key, _ := strings.Cut(a.body, "secret=")
		return key[:32]
	}
	if thief, lina := page(h.browser()), page(h.browser()); thief == lina {
		t.Error("who has the password sees the key that its owner is about to register")
	}
}

func TestStrangersDoNotFillTheTableOfSignInsWithSelfTests(t *testing.T) {
	h := openOne(t)
	result := h.browser().get("/diagnostic/result?" + seenOf(t, h))
	_, of, _ := strings.Cut(result.body, `name="of" value="`)
	of, _, _ = strings.Cut(of, `"`)
	if of == "" {
		t.Fatal("the page of the result has no form")
	}
	for range 300 {
		h.browser().post("/diagnostic/result", url.Values{"of": {of}}) // a new cookie each time
	}
	var rows int
	if err := h.db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM identity_attempts").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows > 100 {
		t.Errorf("one network wrote %d sign-ins without trying a single password", rows)
	}
}

// seenOf is the parameter that the first hop of the self-test leads on with.
func seenOf(t *testing.T, h *house) string {
	t.Helper()
	_, started, ok := strings.Cut(h.browser().get("/diagnostic").body, "/diagnostic/result?")
	if !ok {
		t.Fatal("the self-test does not lead on")
	}
	started, _, _ = strings.Cut(started, `"`)
	return strings.ReplaceAll(started, "&amp;", "&")
}

func TestAPasswordAloneChangesNothingWhereItOpensNothing(t *testing.T) {
	const other = "un autre mot de passe 7"
	for name, prepare := range map[string]func(*testing.T, *house){
		"a lock": func(t *testing.T, h *house) {
			if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.risk.LockOneself(t.Context(), tx, h.lina) }); err != nil {
				t.Fatal(err)
			}
		},
		"a factor that does not work": func(t *testing.T, h *house) {
			h.app(h.lina)
			err := h.db.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), "UPDATE identity_factors SET suspended_at = $1", tx.Now())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := openOne(t)
			prepare(t, h)
			a := h.browser().post("/password", url.Values{"username": {"lmartin"}, "current_password": {linasPassword}, "new_password": {other}, "new_password_again": {other}})
			if a.Request.URL.Path == "/password/changed" || a.Request.URL.Path == "/password" {
				t.Errorf("it leads to %s: %.300s", a.Request.URL, a.body)
			}
			if _, err := h.CheckPassword(t.Context(), "lmartin", other, netip.MustParseAddr("192.0.2.9")); err == nil {
				t.Error("whoever has the password shuts its owner out")
			}
		})
	}
}

// board collects the notices of the portal.
type board struct{ urls []string }

func (b *board) Notify(_ context.Context, _ db.Tx, _ campus.PersonID, n contract.Notice) error {
	b.urls = append(b.urls, n.URL)
	return nil
}

// Whoever sits in a session that the letter warns of reads the portal too.
func TestNoSecretOfALetterIsInTheNoticesOfThePortal(t *testing.T) {
	h := openOne(t)
	var notices board
	h.Announce(&notices)
	agent := campus.Viewer{Person: "agent", Rights: []campus.Right{campus.RightHelpdesk}}
	if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.risk.LockOneself(t.Context(), tx, h.lina) }); err != nil {
		t.Fatal(err)
	}
	if err := h.risk.SendUnlock(t.Context(), agent, h.lina, journal.Event{}); err != nil {
		t.Fatal(err)
	}
	if len(notices.urls) != 1 {
		t.Fatalf("notices lead to %q", notices.urls)
	}
	for _, to := range notices.urls {
		if strings.Contains(to, "token=") {
			t.Errorf("a notice holds %s", to)
		}
	}
}

func TestAGuessLeavesLittleBehind(t *testing.T) {
	h := openOne(t)
	next := "/portal?q=" + strings.Repeat("x", 20<<10)
	want(t, h.browser().signIn("nobody", "wrong", "next", next), http.StatusUnprocessableEntity, next)
	if n := h.count("SELECT MAX(LENGTH(next) + LENGTH(typed) + LENGTH(user_agent)) FROM identity_attempts"); n > 4<<10 {
		t.Errorf("a stranger's wrong password fills %d bytes", n)
	}
	if a := h.browser().signIn("lmartin", linasPassword, "next", next); a.Request.URL.RequestURI() != next {
		t.Error("the right one does not lead where it was to lead")
	}
}

func TestARescueOpensWithThePasswordAloneAndDelaysNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		show := h.app(h.lina)
		inside, thief := h.browser(), h.browser()
		at := inside.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
		want(t, inside.post("/login/factor/totp", url.Values{"at": {at}, "code": {show()}}), 200, "home of lmartin")
		at = thief.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
		for range 6 {
			thief.post("/login/factor/totp", url.Values{"at": {at}, "code": {"000000"}})
		}
		const rescued = "trois hiboux verts"
		hash, err := h.HashPassword(t.Context(), rescued)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.Rescue(t.Context(), tx, h.lina, hash) }); err != nil {
			t.Fatal(err)
		}
		want(t, inside.get("/identity/sessions"), 200, "Password") // the open session is over
		want(t, thief.post("/login/factor/totp", url.Values{"at": {at}, "code": {show()}}), http.StatusGone)
		want(t, h.browser().signIn("lmartin", linasPassword), 422)
		want(t, h.browser().signIn("lmartin", rescued), 200, "home of lmartin")
		h.app(h.lina) // the next one is registered at once
		events, err := h.journal.Of(t.Context(), h.lina, 20)
		if err != nil || !slices.ContainsFunc(events, func(e journal.Entry) bool { return e.Kind == "identity.recovery_done" }) {
			t.Errorf("the journal has %+v, %v", events, err)
		}
	})
}

func TestGuessingCodesElsewhereDoesNotKeepTheOwnerWaiting(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		show := h.app(h.lina)
		prove := func(b *browser, code string) answer {
			at := b.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
			return b.post("/login/factor/totp", url.Values{"at": {at}, "code": {code}})
		}
		hers, thief := h.browser(), h.browser()
		want(t, prove(hers, show()), 200, "home of lmartin")
		want(t, hers.post("/logout", url.Values{}), 200)
		last := answer{}
		for range 6 {
			last = prove(thief, "000000")
		}
		want(t, last, http.StatusTooManyRequests, "identity.factor_slowed")
		h.clock.Advance(time.Minute) // the thief's next code is looked at, and wrong
		prove(thief, "000000")
		want(t, prove(h.browser(), show()), http.StatusTooManyRequests, "identity.factor_slowed")
		want(t, prove(hers, show()), 200, "home of lmartin")
		want(t, prove(thief, "000000"), http.StatusTooManyRequests, "identity.factor_slowed")
	})
}

func TestWhoIsLockedOutRegistersNoFactorToGetIn(t *testing.T) {
	h := openOne(t)
	if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.risk.LockOneself(t.Context(), tx, h.lina) }); err != nil {
		t.Fatal(err)
	}
	thief := h.browser()
	a := thief.signIn("lmartin", linasPassword)
	if a.Request.URL.Path != "/login/locked" {
		t.Fatalf("a locked account leads to %s", a.Request.URL)
	}
	at := a.Request.URL.Query().Get("at")
	for _, path := range []string{"/login/prepare-factor", "/identity/factors/totp", "/identity/factors/sms", "/identity/factors/recovery-codes"} {
		if a := thief.get(path + "?at=" + at); a.Request.URL.Path != "/login/locked" {
			t.Errorf("%s leads to %s", path, a.Request.URL)
		}
	}
	thief.post("/identity/factors/totp", url.Values{"at": {at}, "label": {"mine"}, "code": {"123456"}})
	if n := h.count("SELECT COUNT(*) FROM identity_app_enrolments"); n != 0 {
		t.Error("the registration of an app has begun")
	}
}

func TestANewPasswordOnTheWayInEndsTheOtherWaysAndNotThisOne(t *testing.T) {
	h := openOne(t)
	if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.renewal.Demand(t.Context(), tx, h.lina, renewal.SetByAgent) }); err != nil {
		t.Fatal(err)
	}
	thief, b := h.browser(), h.browser()
	for _, one := range []*browser{thief, b} {
		if a := one.signIn("lmartin", linasPassword); a.Request.URL.Path != "/login/new-password" {
			t.Fatalf("a password that must change leads to %s", a.Request.URL)
		}
	}
	const other = "un autre mot de passe 7"
	form := url.Values{renewal.PlainField: {other}, renewal.AgainField: {other}}
	want(t, b.post("/login/new-password", form), http.StatusOK, "home of lmartin")
	want(t, thief.post("/login/new-password", form), http.StatusGone, "identity.sign_in_lost")
}
