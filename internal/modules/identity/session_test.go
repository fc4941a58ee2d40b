package identity

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestASessionEndsWhenIdleAndAtItsAbsoluteLimit(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		limits := h.config.Session
		b := h.browser()
		b.signIn("lmartin", linasPassword)
		for elapsed := time.Duration(0); elapsed+limits.Idle-time.Minute < limits.Absolute; elapsed += limits.Idle - time.Minute {
			want(t, b.get("/"), 200, "home of lmartin") // use keeps it open
			h.clock.Advance(limits.Idle - time.Minute)
		}
		h.clock.Advance(limits.Idle)
		want(t, b.get("/"), 200, "reached its longest duration")

		idle := h.browser()
		idle.signIn("lmartin", linasPassword)
		h.clock.Advance(limits.Idle + time.Second)
		want(t, idle.get("/"), 200, "closed because it was not used")

		shared := h.browser()
		shared.signIn("lmartin", linasPassword, "shared", "on")
		h.clock.Advance(limits.SharedIdle + time.Second)
		want(t, shared.get("/"), 200, "closed because it was not used")
	})
}

func TestTheJobEndsIdleSessionsOnceAndTellsTheFollowers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.signIn("lmartin", linasPassword)
		if err := h.endIdleSessions(t.Context()); err != nil || len(h.ended) != 0 {
			t.Fatalf("ended %v, %v", h.ended, err)
		}
		h.clock.Advance(h.config.Session.Idle + time.Second)
		for range 2 {
			if err := h.endIdleSessions(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(h.ended) != 1 {
			t.Errorf("followers were told %d times", len(h.ended))
		}
		want(t, b.get("/"), 200, "closed because it was not used")
		h.clock.Advance(keepEnded + time.Hour)
		if err := h.forgetSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := b.get("/"); strings.Contains(a.body, "identity.session") {
			t.Error("a forgotten session is still explained")
		}
	})
}

func TestASessionIsClosedFromAnotherDevice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		here, there := h.browser(), h.browser()
		here.signIn("lmartin", linasPassword)
		there.signIn("lmartin", linasPassword)
		sessions, err := h.Sessions(t.Context(), h.lina)
		if err != nil || len(sessions) != 2 {
			t.Fatalf("%d sessions, %v", len(sessions), err)
		}
		want(t, here.post("/identity/sessions/close-others", url.Values{}), 200, "My open sessions")
		want(t, there.get("/"), 200, "closed from another device")
		want(t, here.get("/"), 200, "home of lmartin")
	})
}

func TestClosingTheOthersClosesThemAllHoweverMany(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		thief := h.browser()
		thief.signIn("lmartin", linasPassword)
		h.clock.Advance(time.Minute)
		here := h.browser()
		for range 230 { // more than one page of them
			here = h.browser()
			here.signIn("lmartin", linasPassword)
		}
		want(t, here.post("/identity/sessions/close-others", url.Values{}), 200, "My open sessions")
		want(t, thief.get("/"), 200, "closed from another device")
		if n, err := h.CountOpenSessions(t.Context()); err != nil || n != 1 {
			t.Errorf("%d sessions are open, %v", n, err)
		}
	})
}

func TestANewPasswordShutsOutWhoeverHadTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.shutOut = nil // of her first password
		thief := h.browser()
		want(t, thief.signIn("lmartin", linasPassword), 200, "home of lmartin")
		hash, err := h.HashPassword(t.Context(), "un autre mot de passe")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.StorePassword(t.Context(), tx, h.lina, hash) }); err != nil {
			t.Fatal(err)
		}
		want(t, thief.get("/"), 200, "identity.session_over")
		if len(h.ended) != 1 {
			t.Errorf("followers were told of %d sessions", len(h.ended))
		}
		if len(h.shutOut) == 0 || h.shutOut[0] != string(h.lina)+" but " {
			t.Errorf("what outlives sessions goes on: followers were told of %v", h.shutOut)
		}
		want(t, h.browser().signIn("lmartin", "un autre mot de passe"), 200, "home of lmartin")
	})
}

func TestNobodyClosesSomebodyElsesSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(Person{Login: "paul", Mail: "paul@valmont.example", FamilyName: "Durand"}, linasPassword)
		lina, paul := h.browser(), h.browser()
		lina.signIn("lmartin", linasPassword)
		paul.signIn("paul", linasPassword)
		sessions, _ := h.Sessions(t.Context(), h.lina)
		path := "/identity/sessions/" + sessions[0].ID + "/close"
		want(t, paul.post(path, url.Values{}), 404, "identity.session_missing")
		want(t, h.browser().post(path, url.Values{}), 401, "platform.sign_in_needed")
		want(t, lina.get("/"), 200, "home of lmartin")
	})
}

func TestSigningOutEndsTheSessionForGood(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.shutOut = nil // of her first password
		b := h.browser()
		b.signIn("lmartin", linasPassword)
		base, _ := url.Parse(h.server.URL)
		stolen := b.Jar.Cookies(base)
		want(t, b.get("/logout"), 200, "Do you want to leave?")
		want(t, b.get("/"), 200, "home of lmartin") // asking changed nothing
		want(t, b.post("/logout", url.Values{}), 200, "You are signed out.")
		if len(h.ended) != 1 || len(h.shutOut) != 0 {
			t.Errorf("followers were told of %d sessions, and of %v", len(h.ended), h.shutOut)
		}
		thief := h.browser()
		thief.Jar.SetCookies(base, stolen)
		want(t, thief.get("/"), 200, "This session is over.")
	})
}

func TestASharedComputerKeepsNothing(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a := b.signIn("lmartin", linasPassword, "shared", "on")
	for _, c := range a.Cookies() {
		if c.Name == sessionCookie && (c.MaxAge != 0 || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode) {
			t.Errorf("cookie %+v", c)
		}
	}
	if got := b.post("/logout", url.Values{}).Header.Get("Clear-Site-Data"); !strings.Contains(got, "storage") {
		t.Errorf("Clear-Site-Data: %q", got)
	}
}

func TestAForgedCookieIsAStranger(t *testing.T) {
	h := openOne(t)
	base, _ := url.Parse(h.server.URL)
	for _, value := range []string{"x", strings.Repeat("A", 43), "'; DROP TABLE identity_people; --"} {
		b := h.browser()
		b.Jar.SetCookies(base, []*http.Cookie{{Name: sessionCookie, Value: value}})
		if a := b.get("/"); a.Request.URL.Path != "/login" {
			t.Errorf("%q reached %s", value, a.Request.URL)
		}
	}
}

func TestEachSignInGetsANewTokenAndAnotherPersonEndsTheSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(Person{Login: "paul", Mail: "paul@valmont.example", FamilyName: "Durand"}, linasPassword)
		base, _ := url.Parse(h.server.URL)
		b := h.browser()
		b.signIn("lmartin", linasPassword)
		token := func() string {
			for _, c := range b.Jar.Cookies(base) {
				if c.Name == sessionCookie {
					return c.Value
				}
			}
			t.Fatal("no session cookie")
			return ""
		}
		first := token()
		b.signIn("lmartin", linasPassword, "renew", "1")
		if token() == first {
			t.Error("the token survived a renewed sign-in")
		}
		if sessions, _ := h.Sessions(t.Context(), h.lina); len(sessions) != 1 {
			t.Errorf("%d sessions after a renewal", len(sessions))
		}
		want(t, b.signIn("paul", linasPassword), 200, "home of paul")
		if sessions, _ := h.Sessions(t.Context(), h.lina); len(sessions) != 0 || len(h.ended) != 1 {
			t.Errorf("%d sessions of the person before, %d told", len(sessions), len(h.ended))
		}
	})
}
