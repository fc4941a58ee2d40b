package identity

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestAnAnswerCountsOnceAndInItsOwnBrowser(t *testing.T) {
	h, _ := delegating(t)
	t.Run("in another browser", func(t *testing.T) {
		back := h.browser().still().away(startCampus)
		thief := h.browser()
		thief.get(startCampus) // has a cookie of its own
		thief.post("/logout", nil)
		want(t, thief.get(back.RequestURI()), 403, "identity.upstream_other_browser")
	})
	t.Run("without the cookie", func(t *testing.T) {
		back := h.browser().still().away(startCampus)
		b := h.browser()
		want(t, b.get(back.RequestURI()), 422, "identity.upstream_cookie_lost", "Test my browser")
		want(t, b.get("/identity/sessions"), 200, `name="password"`)
	})
	t.Run("twice", func(t *testing.T) {
		b := h.browser().still()
		back := b.away(startCampus + "?next=/identity/sessions")
		b.get(back.RequestURI())
		a := b.get(back.RequestURI()) // the back button
		if a.StatusCode != 303 || a.Header.Get("Location") != "/identity/sessions" {
			t.Errorf("the back button leads to %d %s", a.StatusCode, a.Header.Get("Location"))
		}
	})
	t.Run("after lunch", func(t *testing.T) {
		b := h.browser().still()
		back := b.away(startCampus + "?next=/identity/sessions")
		h.clock.Advance(time.Hour)
		if a := b.get(back.RequestURI()); a.StatusCode != 303 || !strings.HasPrefix(a.Header.Get("Location"), startCampus+"?next=%2Fidentity%2Fsessions") {
			t.Errorf("it leads to %d %s", a.StatusCode, a.Header.Get("Location"))
		}
	})
	t.Run("of nobody", func(t *testing.T) {
		if a := h.browser().still().get("/identity/upstreams/campus/answer?state=made-up&code=x"); a.StatusCode != 303 || a.Header.Get("Location") != startCampus {
			t.Errorf("it leads to %d %s", a.StatusCode, a.Header.Get("Location"))
		}
	})
	t.Run("in two tabs at once", func(t *testing.T) {
		b := h.browser().still()
		one, two := b.away(startCampus+"?next=/identity/sessions"), b.away(startCampus)
		if a := b.get(two.RequestURI()); a.Header.Get("Location") != "/" {
			t.Errorf("the second tab leads to %s", a.Header.Get("Location"))
		}
		if a := b.get(one.RequestURI()); a.Header.Get("Location") != "/identity/sessions" {
			t.Errorf("the first tab leads to %s", a.Header.Get("Location"))
		}
	})
}

func TestAPostFromAnotherSiteGoesOnOnceTheCookieIsThere(t *testing.T) {
	h, _ := delegating(t)
	b := h.browser().still()
	back := b.away(startCampus)
	without := &browser{Client: &http.Client{CheckRedirect: b.CheckRedirect}, h: h} // as a browser posts across sites
	resp, _ := pagetest.Ask(t, without.Client, "POST", h.server.URL+back.Path, back.Query(), "Sec-Fetch-Site", "cross-site", "Origin", "https://campus.example")
	to := resp.Header.Get("Location")
	if resp.StatusCode != 303 || !strings.HasPrefix(to, "/identity/upstreams/campus/resume?ticket=") {
		t.Fatalf("the post leads to %d %s", resp.StatusCode, to)
	}
	want(t, without.get(to), 422, "identity.upstream_cookie_lost")
	thief := h.browser().still()
	thief.away(startCampus)
	want(t, thief.get(to), 403, "identity.upstream_other_browser")
	if a := b.get(to); a.StatusCode != 303 || a.Header.Get("Location") != "/" {
		t.Errorf("its own browser is led to %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	if a := h.browser().still().get(to); a.Header.Get("Location") != startCampus {
		t.Errorf("the ticket opens again: %d %s", a.StatusCode, a.Header.Get("Location"))
	}
}

func TestTheThirdRoundWithinAMinuteStops(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		op.Refuse = "login_required"
		b := h.browser()
		for range 2 {
			want(t, b.get(startCampus), 410, "identity.upstream_stale", "Start clean")
			h.clock.Advance(5 * time.Second)
		}
		want(t, b.get(startCampus), 502, "identity.upstream_loop", "Start clean", "Sign out of My campus first")
		a := b.post(startCampus, url.Values{"next": {"/"}})
		if refresh := a.Header.Get("Refresh"); !strings.Contains(refresh, "clean=1") {
			t.Errorf("starting clean leads to %q", refresh)
		}
		h.clock.Advance(2 * time.Minute)
		op.Refuse = ""
		want(t, b.get(startCampus), 200, "home of lmartin")
	})
}

func TestAnUpstreamThatForgetsTheQuestionStopsAtTheThird(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, _ *optest.Provider) {
		b := h.browser().still()
		b.get(startCampus + "?next=/identity/sessions")
		for round := 0; ; round++ {
			a := b.get("/identity/upstreams/campus/answer?code=x") // without state
			if round == 3 {
				want(t, a, 502, "identity.upstream_loop", "an answer with the state of its question")
				break
			}
			if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != startCampus {
				t.Fatalf("round %d leads to %d %s", round, a.StatusCode, a.Header.Get("Location"))
			}
			b.get(startCampus)
		}
		h.clock.Advance(2 * time.Minute)
		if a := b.get("/identity/upstreams/campus/answer?code=x"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("later it leads to %d", a.StatusCode)
		}
	})
}

func TestAnOldSignInIsNoAnswerToWhoMustProveItAgain(t *testing.T) {
	h, op := delegating(t)
	op.Claims["auth_time"] = h.clock.Now().Add(-3 * time.Hour).Unix()
	want(t, h.browser().get(startCampus), 200, "home of lmartin")
	want(t, h.browser().get(startCampus+"?force=1"), 410, "identity.upstream_stale", "2026-11-22T06:00:00Z")
}

func TestAnUpstreamThatDoesNotSayWhenItAskedProvesNothing(t *testing.T) {
	h, op := delegating(t, func(c *upstream.Config) { c.Contact = "dsi@valmont.example" })
	op.Claims["auth_time"], op.Claims["amr"] = nil, []string{"mfa"}
	a := h.browser().get(startCampus + "?force=1&next=/identity/sessions")
	want(t, a, 502, "identity.upstream_undated", "dsi@valmont.example", "optional claim auth_time", "max_age")
	if asked := op.Asked; asked.Get("max_age") != "0" || asked.Get("prompt") != "login" || !strings.Contains(asked.Get("claims"), `"auth_time":{"essential":true}`) {
		t.Errorf("the instant was not asked for: %v", op.Asked)
	}
	b := h.browser()
	want(t, b.get(startCampus+"?force=1&clean=1"), 200, "home of lmartin") // their own wish to begin anew still works
	stories, err := h.stories.Of(t.Context(), h.lina, 1)
	if err != nil || len(stories) != 1 || h.clock.Now().Sub(stories[0].FactorAt) < freshFactor {
		t.Errorf("a factor of no date is fresh: %+v, %v", stories, err)
	}
	back := h.browser().still() // the answer of a demand that took too long leads to the same demand
	to := back.away(startCampus + "?force=1")
	h.clock.Advance(time.Hour)
	if a := back.get(to.RequestURI()); !strings.Contains(a.Header.Get("Location"), "force=1") {
		t.Errorf("after a long lunch nobody is asked again: %s", a.Header.Get("Location"))
	}
}

func TestWhoDoesNotComeBackIsToldWhatItMayHaveBeen(t *testing.T) {
	h, _ := delegating(t)
	b := h.browser().still()
	b.get(startCampus)
	if page := b.get("/login").body; strings.Contains(page, "upstream_not_back") {
		t.Error("it is told at once")
	}
	h.clock.Advance(2 * time.Minute)
	want(t, b.get("/login"), 200, "identity.upstream_not_back", "You did not come back from My campus")
	if page := b.get("/login").body; strings.Contains(page, "upstream_not_back") {
		t.Error("it is told twice")
	}
}

func TestJourneysThatLeadNowhereAreCountedAndForgotten(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, _ *optest.Provider) {
		b := h.browser()
		want(t, b.get(startCampus), 200, "home of lmartin")
		h.clock.Advance(50 * time.Minute)
		for range 3 {
			h.browser().still().get(startCampus)
		}
		count := func(query string) (n int) {
			t.Helper()
			if err := h.db.Read().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		left := func(journeys, lost int, when string) {
			t.Helper()
			for range 2 { // a job may run twice
				if err := h.upstreams.Forget(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := count("SELECT COUNT(*) FROM identity_upstream_transactions"); got != journeys {
				t.Errorf("%s, %d journeys are kept, want %d", when, got, journeys)
			}
			if got := count("SELECT COALESCE(SUM(number), 0) FROM identity_upstream_lost"); got != lost {
				t.Errorf("%s, %d are counted as lost, want %d", when, got, lost)
			}
		}
		left(4, 0, "after some minutes")
		h.clock.Advance(61 * time.Minute)
		left(1, 3, "after an hour")
		h.clock.Advance(4 * 24 * time.Hour)
		left(1, 3, "while the session is open")
		if err := h.endIdleSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		left(0, 3, "after the session")
	})
}

func TestOneNetworkHasSoManyJourneysUnderWay(t *testing.T) {
	h, _ := delegating(t)
	h.move("203.0.113.7")
	b := h.browser().still()
	begun := 0
	for begun < 2000 && b.get(startCampus).StatusCode == http.StatusSeeOther {
		begun++
	}
	if a := b.get(startCampus); begun != 1000 || a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Fatalf("%d were begun, then %d", begun, a.StatusCode)
	}
	h.move("203.0.113.8")
	if a := h.browser().still().get(startCampus); a.StatusCode != http.StatusSeeOther {
		t.Errorf("another network is answered %d", a.StatusCode)
	}
	h.move("203.0.113.7")
	h.clock.Advance(2 * time.Second)
	for range 3 { // whoever comes in makes room for the next
		want(t, h.browser().get(startCampus), 200, "home of lmartin")
	}
}
