package identity

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/slapdtest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// delegating is a house that has an OpenID provider beside it.
func delegating(t *testing.T, change ...func(*upstream.Config)) (*house, *optest.Provider) {
	t.Helper()
	op, settings := beside(t, change...)
	h := openOne(t, settings)
	op.Now = h.clock.Now
	return h, op
}

// eachDelegating runs a test with such a house on both databases.
func eachDelegating(t *testing.T, test func(t *testing.T, h *house, op *optest.Provider)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		op, settings := beside(t)
		op.Now = now.Now
		test(t, open(t, now, d, settings), op)
	}, append(cellar, schema)...)
}

// beside is a provider and the settings of a house that delegates to it.
func beside(t *testing.T, change ...func(*upstream.Config)) (*optest.Provider, func(*Config)) {
	t.Helper()
	op := optest.Start(t)
	c := upstream.Config{
		ID: "campus", Kind: upstream.KindOIDC, NameFrench: "Mon campus", NameEnglish: "My campus", Domains: []string{"valmont.example"}, PasswordPage: "https://campus.example/password",
		Match: []upstream.MatchConfig{{Attribute: "email", Field: upstream.FieldMail}}, Factor: upstream.FactorConfig{Accept: []string{"mfa"}},
		OIDC: upstream.OIDCConfig{Issuer: op.URL, ClientID: optest.ClientID, ClientSecret: optest.Secret},
	}
	for _, f := range change {
		f(&c)
	}
	return op, func(all *Config) { all.Upstreams = []upstream.Config{c} }
}

const (
	startCampus = "/identity/upstreams/campus/start"
	partCampus  = "/identity/upstreams/campus/part"
	endedCampus = "/identity/upstreams/campus/ended"
)

// still makes the browser stop at each redirect.
func (b *browser) still() *browser {
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// away goes to the provider by hand, and gives the address that it sends the
// browser back to.
func (b *browser) away(path string) (back *url.URL) {
	b.h.t.Helper()
	a := b.get(path)
	if a.StatusCode != http.StatusSeeOther {
		b.h.t.Fatalf("%s answers %d: %.300s", path, a.StatusCode, a.body)
	}
	resp, err := b.Get(a.Header.Get("Location"))
	if err != nil {
		b.h.t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err = url.Parse(resp.Header.Get("Location"))
	if err != nil {
		b.h.t.Fatal(err)
	}
	return back
}

func TestWhoIsVouchedForComesIn(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		b := h.browser()
		want(t, b.get("/login?next=/identity/sessions"), 200, "Sign in with My campus", startCampus+"?next=%2Fidentity%2Fsessions")
		want(t, b.get(startCampus+"?next=/identity/sessions"), 200, "My open sessions")
		// From now on it is the link that counts, whatever address they have there.
		op.Claims["email"] = "lina.durand@valmont.example"
		want(t, h.browser().get(startCampus), 200, "home of lmartin")
		want(t, b.get("/logout"), 200)
		want(t, b.post("/logout", nil), 200, "Sign out of My campus as well", partCampus)
		if page := b.get("/login").body; !strings.Contains(page, `class="button wide" href="`+startCampus) {
			t.Error("the browser does not remember by which way it came in")
		}
		stories, err := h.stories.Of(t.Context(), h.lina, 5)
		if err != nil || len(stories) == 0 || stories[0].Method != entry.Upstream || !stories[0].FactorAt.IsZero() {
			t.Errorf("the stories are %+v, %v", stories, err)
		}
	})
}

func TestWhoSignsOutMayEndTheSessionThereOnceAndNobodyAfterThem(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		signedOut := func() *browser {
			b := h.browser()
			want(t, b.get(startCampus), 200, "home of lmartin")
			page := b.post("/logout", nil)
			want(t, page, 200, partCampus)
			if strings.Contains(page.body, "id_token_hint") || page.Header.Get("Cache-Control") != "no-store" {
				t.Error("the page holds what the upstream is told of somebody")
			}
			return b
		}
		nothing := func(b *browser, when string) {
			t.Helper()
			if page := b.get("/logout/done"); strings.Contains(page.body, partCampus) {
				t.Errorf("%s, the last person’s session there is offered", when)
			}
			if a := b.post(partCampus, nil); a.Header.Get("Refresh") != "" {
				t.Errorf("%s, the browser is led to %s", when, a.Header.Get("Refresh"))
			}
		}
		b := signedOut()
		nothing(h.browser(), "in another browser")
		if to := b.post(partCampus, nil).Header.Get("Refresh"); !strings.HasPrefix(to, "0; url="+op.URL+"/logout?client_id=amphi&id_token_hint=ey") {
			t.Errorf("led to %q", to)
		}
		nothing(b, "a second time")
		b = signedOut()
		h.clock.Advance(11 * time.Minute)
		nothing(b, "after eleven minutes")

		want(t, b.get(startCampus), 200, "home of lmartin")
		b.post("/logout", nil) // and somebody else sits down at once
		want(t, b.signIn("lmartin", linasPassword, "local", "1"), 200, "home of lmartin")
		if a := b.post(partCampus, nil); a.Header.Get("Refresh") != "" {
			t.Errorf("inside a session, the browser is led to %s", a.Header.Get("Refresh"))
		}
		b.post("/logout", nil)
		nothing(b, "after a password of ours")
	})
}

// says posts a logout token as the provider does, from another machine.
func (h *house) says(token string) (status int, body string) {
	h.t.Helper()
	resp, body := pagetest.Ask(h.t, http.DefaultClient, "POST", h.server.URL+endedCampus, url.Values{"logout_token": {token}}, "Sec-Fetch-Site", "cross-site")
	return resp.StatusCode, body
}

func TestASessionEndsWithTheOneAtItsUpstream(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		enter := func(sid string) *browser {
			op.Claims["sid"] = sid
			b := h.browser()
			want(t, b.get(startCampus), 200, "home of lmartin")
			return b
		}
		in := func(b *browser) bool { return strings.Contains(b.get("/identity/sessions").body, "My open sessions") }
		first, second, third := enter("s-1"), enter("s-2"), enter("s-2")
		own := h.browser()
		want(t, own.signIn("lmartin", linasPassword, "local", "1"), 200, "home of lmartin")

		token := op.LogoutToken(map[string]any{"sid": "s-1"})
		if status, body := h.says(token); status != http.StatusOK || body != "" {
			t.Fatalf("it is answered %d %s", status, body)
		}
		if in(first) || !in(second) || !in(third) || !in(own) {
			t.Error("another session ended than the one that was named")
		}
		if page := first.get("/logout/done"); strings.Contains(page.body, partCampus) {
			t.Error("what has ended at the upstream is offered to be ended there")
		}
		if len(h.ended) != 1 {
			t.Errorf("the services of %d sessions are told", len(h.ended))
		}
		h.clock.Advance(time.Second)
		fresh := enter("s-1") // a browser that kept its session there by another tab
		if status, body := h.says(token); status != http.StatusBadRequest || !strings.Contains(body, "did not come before") || !in(fresh) {
			t.Errorf("a message that comes again is answered %d %s", status, body)
		}
		for name, change := range map[string]map[string]any{
			"somebody else's session": {"sid": "s-1", "sub": "another"},
			"an unknown session":      {"sid": "s-9"},
			"nobody we know":          {"sub": "another"},
		} {
			if status, _ := h.says(op.LogoutToken(change)); status != http.StatusOK || !in(fresh) || !in(second) {
				t.Errorf("%s: answered %d", name, status)
			}
		}
		if status, _ := h.says(op.LogoutToken(nil)); status != http.StatusOK {
			t.Fatalf("the end of all sessions is answered %d", status)
		}
		if in(fresh) || in(second) || in(third) || !in(own) {
			t.Error("all sessions by the upstream end, and no other")
		}
		want(t, own.get("/identity/journal"), 200, "ended the sessions that it had opened: My campus")
	})
}

func TestASignInThatWaitsEndsWithTheSessionAtItsUpstream(t *testing.T) {
	h, op := delegating(t)
	op.Claims["sid"] = "s-1"
	b := h.browser()
	want(t, b.get(startCampus), 200, "home of lmartin")
	err := h.db.InTx(t.Context(), func(tx db.Tx) error { // as it stands in front of a second factor
		_, err := tx.ExecContext(t.Context(), "UPDATE identity_attempts SET outcome = 'open' WHERE person_id = $1", string(h.lina))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := h.says(op.LogoutToken(nil)); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	stories, err := h.stories.Of(t.Context(), h.lina, 1)
	if err != nil || len(stories) != 1 || !stories[0].ProvedAt.IsZero() || stories[0].Method != "" {
		t.Errorf("what was proved still counts: %+v, %v", stories, err)
	}
}

func TestOneNetworkSendsSoManyUnsignedSignOuts(t *testing.T) {
	h, op := delegating(t)
	h.move("203.0.113.7")
	op.Stranger = true
	for range 20 {
		if status, body := h.says(op.LogoutToken(nil)); status != http.StatusBadRequest || !strings.Contains(body, "invalid_request") {
			t.Fatalf("%d %s", status, body)
		}
	}
	fetched := op.Fetched
	if status, _ := h.says(op.LogoutToken(nil)); status != http.StatusTooManyRequests || op.Fetched != fetched {
		t.Errorf("after 20 it is answered %d, and the keys are fetched %d times more", status, op.Fetched-fetched)
	}
	h.move("203.0.113.8")
	op.Stranger = false
	if status, body := h.says(op.LogoutToken(nil)); status != http.StatusOK {
		t.Errorf("the upstream itself is answered %d %s", status, body)
	}
}

func TestASecondFactorThereCountsWhereThePolicySaysSo(t *testing.T) {
	for said, want := range map[string]entry.Method{"mfa": entry.Elsewhere, "pwd": ""} {
		h, op := delegating(t)
		op.Claims["amr"] = []string{said}
		h.browser().get(startCampus)
		stories, err := h.stories.Of(t.Context(), h.lina, 1)
		if err != nil || len(stories) != 1 || stories[0].FactorMethod != want {
			t.Errorf("%s: the story is %+v, %v", said, stories, err)
		}
	}
}

func TestASignInThereIsAsOldAsItsUpstreamSays(t *testing.T) {
	h, op := delegating(t)
	for name, c := range map[string]struct {
		address string
		said    any
		ago     time.Duration
	}{
		"by a session of three hours":      {startCampus, h.clock.Now().Add(-3 * time.Hour).Unix(), 3 * time.Hour},
		"that says nothing of it":          {startCampus, nil, 24 * time.Hour},
		"that says nothing, begun anew":    {startCampus + "?clean=1&choose=1", nil, 24 * time.Hour},
		"begun anew":                       {startCampus + "?clean=1", h.clock.Now().Unix() - 1, 0},
		"whose clock is ahead":             {startCampus, h.clock.Now().Add(time.Minute).Unix(), 0},
		"made anew because we asked there": {startCampus + "?force=1", h.clock.Now().Unix() - 1, 0},
	} {
		op.Claims["auth_time"] = c.said
		want(t, h.browser().get(c.address), 200, "home of lmartin")
		var signedIn, seen int64
		row := h.db.Read().QueryRowContext(t.Context(), "SELECT signed_in_at, last_seen_at FROM identity_sessions ORDER BY id DESC LIMIT 1")
		if err := row.Scan(&signedIn, &seen); err != nil {
			t.Fatal(err)
		}
		if got := h.clock.Now().Sub(time.UnixMicro(signedIn)).Round(time.Second); got != c.ago || seen != h.clock.Now().UnixMicro() {
			t.Errorf("%s: a service is told of a sign-in %v ago, want %v; seen at %v", name, got, c.ago, time.UnixMicro(seen))
		}
	}
}

func TestASecondFactorThereIsAsOldAsItsUpstreamSays(t *testing.T) {
	h, op := delegating(t)
	op.Claims["amr"] = []string{"mfa"}
	for ago, fresh := range map[time.Duration]bool{time.Minute: true, 3 * time.Hour: false, -time.Minute: true} {
		op.Claims["auth_time"] = h.clock.Now().Add(-ago).Unix()
		b := h.browser()
		want(t, b.get(startCampus), 200, "home of lmartin")
		stories, err := h.stories.Of(t.Context(), h.lina, 1)
		if err != nil || len(stories) != 1 || stories[0].FactorAt.IsZero() {
			t.Fatalf("the story is %+v, %v", stories, err)
		}
		if at := stories[0].FactorAt; at.After(h.clock.Now()) || h.clock.Now().Sub(at) < freshFactor != fresh {
			t.Errorf("a factor of %v ago is of %v", ago, at)
		}
	}
}

func TestWhoHasNoAccountHereIsToldAsWhomTheyCame(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		op.Claims["sub"], op.Claims["email"] = "88", "nouveau@valmont.example"
		b := h.browser()
		want(t, b.get(startCampus), 403, "identity.upstream_no_account", "nouveau@valmont.example", "Choose another My campus account", "email = mail")
		want(t, b.get("/identity/sessions"), 200, `name="password"`) // nobody was let in

		op.Claims["email"] = "lina@gmail.example"
		want(t, h.browser().get(startCampus), 403, "identity.upstream_wrong_account", "lina@gmail.example", "@valmont.example")

		// A login that was given to somebody else leads nobody into the old account.
		op.Claims["sub"], op.Claims["email"] = "77f1", "lina.martin@valmont.example"
		want(t, h.browser().get(startCampus), 200, "home of lmartin")
		op.Claims["sub"] = "a-new-person"
		a := h.browser().get(startCampus)
		want(t, a, 409, "identity.upstream_taken")
		if strings.Contains(a.body, "77f1") {
			t.Error("the page shows the identifier of somebody else")
		}
	})
}

func TestTwoOfAnUpstreamAtOnceGetOneAccountBetweenThem(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		add := func(subject string) error {
			return h.db.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_upstream_links (id, upstream, issuer, subject, person_id, state, rule, name, made_at, used_at)
					VALUES ($1, 'campus', $2, $1, $3, 'linked', 'email=mail', '', 0, 0)`, subject, op.URL, string(h.lina))
				return err
			})
		}
		if err := add("a-first"); err != nil {
			t.Fatal(err)
		}
		if err := add("a-second"); !db.IsUnique(err) {
			t.Errorf("the database takes both: %v", err)
		}
		want(t, h.browser().get(startCampus), 409, "identity.upstream_taken")
	})
}

func TestAnAccountIsMadeForWhomARuleFits(t *testing.T) {
	h, op := delegating(t, func(c *upstream.Config) {
		c.Create = upstream.CreateConfig{Allowed: true, Affiliations: []upstream.AffiliationConfig{{Attribute: "affiliation", Value: "student", Kind: string(campus.Student), Campus: "rives"}}}
	})
	op.Claims = map[string]any{"sub": "99", "email": "noe.petit@valmont.example", "email_verified": true, "preferred_username": "noe.petit@valmont.example", "given_name": "Noé", "family_name": "Petit"}
	want(t, h.browser().get(startCampus), 403, "identity.upstream_not_entitled")
	op.Claims["affiliation"] = []string{"member", "student"}
	want(t, h.browser().get(startCampus), 200, "home of noe.petit")
	p, err := h.PersonByLogin(t.Context(), "noe.petit")
	if err != nil || len(p.Affiliations) != 1 || p.Affiliations[0].Kind != campus.Student || len(p.Rights) > 0 {
		t.Errorf("the account is %+v, %v", p, err)
	}
	op.Claims["sub"], op.Claims["email"] = "100", "other@valmont.example" // the same login
	want(t, h.browser().get(startCampus), 409, "identity.upstream_taken")
}

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

func TestTheDomainOfAnAddressLeadsToItsUpstream(t *testing.T) {
	h, op := delegating(t)
	a := h.browser().signIn("Lina.Martin@valmont.example", "")
	want(t, a, 200, "You are going to My campus")
	if refresh := a.Header.Get("Refresh"); !strings.Contains(refresh, "hint=lina.martin%40valmont.example") {
		t.Errorf("the page goes on to %q", refresh)
	}
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
	want(t, h.browser().signIn("lina.martin@valmont.example", linasPassword, "local", "1"), 200, "home of lmartin")
	want(t, h.browser().signIn("x@elsewhere.example", "y"), 422, "identity.wrong_credentials")
	op.Stop()
	want(t, h.browser().get(startCampus), 503, "identity.upstream_unreachable", "Your password was not tested", "/login?local=1")
	want(t, h.browser().get("/login?local=1"), 200, `name="local"`, "Only passwords of this portal")
}

func TestEverybodyIsSentAtOnceExceptWhoAsksForTheLocalForm(t *testing.T) {
	h, op := delegating(t, func(c *upstream.Config) { c.AtOnce = true })
	want(t, h.browser().get("/identity/sessions"), 200, "My open sessions")
	op.Refuse = "access_denied"
	want(t, h.browser().get("/login"), 403, "identity.upstream_declined")
	want(t, h.browser().get("/login?local=1"), 200, `name="password"`)
}

func TestAnAdministratorSeesBothValuesAndTriesWithoutBeingSignedIn(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		h.add(Person{Login: "admin", Mail: "admin@valmont.example", FamilyName: "Admin", Rights: []campus.Right{campus.RightAdmin}}, linasPassword)
		op.Spoil = func(c map[string]any) { c["aud"] = "somebody-else" }
		h.browser().get(startCampus)
		op.Spoil = nil

		student := h.browser()
		student.signIn("lmartin", linasPassword)
		for _, path := range []string{"/identity/upstreams", "/identity/upstreams/campus", "/identity/upstreams/campus/test"} {
			want(t, student.get(path), 403, "platform.right_missing")
		}
		admin := h.browser()
		admin.signIn("admin", linasPassword)
		want(t, admin.get("/identity/upstreams"), 200, "My campus", "failures today: 1")
		want(t, admin.get("/identity/upstreams/campus"), 200, "aud amphi", "aud somebody-else", "identity.upstream_unfit", h.server.URL+"/identity/upstreams/campus/answer")
		want(t, admin.get("/identity/upstreams/campus/test"), 200, "the account lmartin, by the rule email=mail", "preferred_username")
		want(t, admin.get("/"), 200, "home of admin")
		want(t, admin.get("/identity/upstreams/campus?who=nobody"), 200, "Nobody has this identifier")
		want(t, student.post("/identity/upstreams/campus/links", url.Values{"login": {"admin"}, "external": {"guid-1"}}), 403, "platform.right_missing")
		want(t, admin.post("/identity/upstreams/campus/links", url.Values{"login": {"lmartin"}, "external": {"guid-1"}}), 200, "guid-1", "prepared")
		page := admin.get("/identity/upstreams/campus?who=lmartin").body
		_, after, _ := strings.Cut(page, `action="/identity/upstreams/campus/links/`)
		link, _, _ := strings.Cut(after, "/")
		want(t, student.post("/identity/upstreams/campus/links/"+link+"/remove", url.Values{"login": {"lmartin"}}), 403, "platform.right_missing")
		want(t, admin.post("/identity/upstreams/campus/links/"+link+"/remove", url.Values{"login": {"lmartin"}}), 200, "No link.")
		op.Refuse, op.Because = "access_denied", "AADSTS50105: not assigned"
		want(t, admin.get("/identity/upstreams/campus/test"), 200, "AADSTS50105", "has not opened this portal")

		back := admin.still().away("/identity/upstreams/campus/test")
		admin.post("/logout", nil)
		want(t, admin.get(back.RequestURI()), 403, "identity.upstream_other_browser") // who tests must still be there
	})
}

// withDirectory is a house that asks slapd about passwords.
func withDirectory(t *testing.T) (*house, *slapdtest.Server) {
	t.Helper()
	s := slapdtest.Start(t)
	h := openOne(t, func(c *Config) {
		c.SignIn.Burst = 5
		c.Upstreams = []upstream.Config{{
			ID: "annuaire", Kind: upstream.KindLDAP, NameFrench: "l’annuaire", NameEnglish: "the directory", PasswordPage: "https://campus.example/password",
			Match: []upstream.MatchConfig{{Attribute: "mail", Field: upstream.FieldMail}},
			LDAP: upstream.LDAPConfig{
				URLs: []string{s.TLSURL}, CAFile: s.CAFile, BindDN: slapdtest.Service, BindPassword: slapdtest.ServicePassword, Base: slapdtest.Base, Change: "service", Patience: time.Minute,
			},
		}}
	})
	for _, login := range []string{slapdtest.Fine, slapdtest.Expired, slapdtest.Reset, slapdtest.Locked, slapdtest.Grace, slapdtest.Soon} {
		h.add(Person{Login: login, Mail: login + "@valmont.example", FamilyName: "X"}, "")
	}
	return h, s
}

func TestThePasswordsOfADirectoryOpenTheDoor(t *testing.T) {
	h, _ := withDirectory(t)
	want(t, h.browser().signIn(slapdtest.Fine, slapdtest.Password), 200, "home of "+slapdtest.Fine)
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin") // hers is ours
	want(t, h.browser().signIn(slapdtest.Fine, slapdtest.Password, "local", "1"), 422, "identity.wrong_credentials")
	want(t, h.browser().signIn(slapdtest.Slow, slapdtest.Password), 403, "identity.upstream_no_account", "driss.benali@valmont.example")
	p, err := h.PersonByLogin(t.Context(), slapdtest.Fine)
	if err != nil {
		t.Fatal(err)
	}
	stories, err := h.stories.Of(t.Context(), p.ID, 5)
	if err != nil || len(stories) == 0 || stories[len(stories)-1].Method != entry.Directory {
		t.Errorf("the stories are %+v, %v", stories, err)
	}
	if _, _, elsewhere, err := h.keptElsewhere(t.Context(), p); err != nil || !elsewhere {
		t.Errorf("a forgotten password of the directory would become one of ours: %v", err)
	}
	own, err := h.PersonByLogin(t.Context(), "lmartin")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, elsewhere, err := h.keptElsewhere(t.Context(), own); err != nil || elsewhere {
		t.Errorf("somebody with a password of ours is sent elsewhere: %v", err)
	}
}

func TestWhatADirectorySaysIsToldAfterTheRightPasswordOnly(t *testing.T) {
	h, _ := withDirectory(t)
	for login, reason := range map[string]string{slapdtest.Expired: "identity.upstream_password_expired", slapdtest.Reset: "identity.upstream_password_reset"} {
		want(t, h.browser().signIn(login, slapdtest.Password), 403, reason, "Change the password", "/identity/upstreams/annuaire/password")
		want(t, h.browser().signIn(login, "faux"), 422, "identity.wrong_credentials")
	}
	locked := h.browser().signIn(slapdtest.Locked, slapdtest.Password)
	nobody := h.browser().signIn("personne.locale", slapdtest.Password)
	want(t, locked, 422, "identity.wrong_credentials")
	if strings.ReplaceAll(withoutCode(locked.body), slapdtest.Locked, "personne.locale") != withoutCode(nobody.body) {
		t.Error("a locked account is answered otherwise than one that does not exist")
	}
	if _, err := h.post.Latest(t.Context(), h.db.Read(), mailer.ChannelMail, "identity.upstream_locked", slapdtest.Locked+"@valmont.example"); err != nil {
		t.Errorf("its owner got no letter: %v", err)
	}
}

func TestAnEndedPasswordOfADirectoryIsChangedHere(t *testing.T) {
	h, _ := withDirectory(t)
	b := h.browser()
	change := func(old, fresh, again string) answer {
		return b.post("/identity/upstreams/annuaire/password", url.Values{"username": {slapdtest.Expired}, "old": {old}, "fresh": {fresh}, "again": {again}})
	}
	want(t, b.get("/identity/upstreams/annuaire/password"), 200, "Your the directory password must change")
	want(t, change(slapdtest.Password, "tout-Neuf-2026!", "autre"), 422, "The two differ")
	want(t, change("faux", "tout-Neuf-2026!", "tout-Neuf-2026!"), 422, "identity.upstream_refused")
	want(t, change(slapdtest.Password, "court", "court"), 422, "identity.upstream_password_form")
	want(t, change(slapdtest.Password, "tout-Neuf-2026!", "tout-Neuf-2026!"), 200, "home of "+slapdtest.Expired)
}

func TestAPasswordThatStillWorksIsNotChangedByItAlone(t *testing.T) {
	h, _ := withDirectory(t)
	change := func(login, old string) answer {
		return h.browser().post("/identity/upstreams/annuaire/password", url.Values{"username": {login}, "old": {old}, "fresh": {"tout-Neuf-2026!"}, "again": {"tout-Neuf-2026!"}})
	}
	want(t, change(slapdtest.Fine, slapdtest.Password), 422, "identity.upstream_password_there", "https://campus.example/password")
	want(t, h.browser().signIn(slapdtest.Fine, slapdtest.Password), 200, "home of "+slapdtest.Fine)
	// Nor does the page tell which accounts there are, and which are locked.
	locked, nobody := change(slapdtest.Locked, slapdtest.Password), change("personne.locale", slapdtest.Password)
	want(t, locked, 422, "identity.upstream_refused")
	if strings.ReplaceAll(withoutCode(locked.body), slapdtest.Locked, "personne.locale") != withoutCode(nobody.body) {
		t.Error("a locked account is answered otherwise than one that does not exist")
	}
}

func TestADirectoryThatIsDownTestsAndCountsNothing(t *testing.T) {
	h, s := withDirectory(t)
	s.Stop(t)
	b := h.browser()
	for range 12 { // more than the budget of five
		want(t, b.signIn(slapdtest.Fine, slapdtest.Password), 503, "identity.upstream_unreachable", "Your password was not tested")
	}
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
	want(t, h.browser().get("/login?local=1"), 200, `name="password"`)
	s.Resume(t)
	h.clock.Advance(2 * time.Minute)
	want(t, b.signIn(slapdtest.Fine, slapdtest.Password), 200, "home of "+slapdtest.Fine)
}

func TestGuessingAtADirectoryIsSlowedDown(t *testing.T) {
	h, _ := withDirectory(t)
	for range 5 {
		want(t, h.browser().signIn(slapdtest.Fine, "faux"), 422, "identity.wrong_credentials")
	}
	want(t, h.browser().signIn(slapdtest.Fine, slapdtest.Password), 429, "identity.sign_in_slowed")
	want(t, h.browser().post("/identity/upstreams/annuaire/password", url.Values{"username": {slapdtest.Fine}, "old": {"x"}, "fresh": {"yy"}, "again": {"yy"}}), 429)
}
