package identity

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

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
