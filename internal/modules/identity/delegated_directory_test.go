package identity

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/slapdtest"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

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
