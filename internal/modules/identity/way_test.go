package identity

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

var incidentCode = regexp.MustCompile(`\b[2-9A-Z]{3}-[2-9A-Z]{3}\b`)

// incident is the code that a page shows.
func incident(t *testing.T, a answer) string {
	t.Helper()
	code := incidentCode.FindString(a.body)
	if code == "" {
		t.Fatalf("%s shows no incident code", a.Request.URL)
	}
	return code
}

// app registers an authenticator app and returns what it shows.
func (h *house) app(who campus.PersonID) (show func() string) {
	h.t.Helper()
	actor := entry.Actor{Person: who, Session: "tests"}
	e, err := h.factors.BeginApp(h.t.Context(), actor)
	if err != nil {
		h.t.Fatal(err)
	}
	show = func() string {
		code, err := totp.GenerateCode(strings.ReplaceAll(e.Key, " ", ""), h.clock.Now())
		if err != nil {
			h.t.Fatal(err)
		}
		return code
	}
	if _, err := h.factors.ConfirmApp(h.t.Context(), factor.Occasion{Actor: actor}, e.ID, "phone", show()); err != nil {
		h.t.Fatal(err)
	}
	h.clock.Advance(time.Minute) // the code of the registration is spent
	return show
}

// story reads a sign-in as the help desk would.
func (h *house) story(code string) attempt.Attempt {
	h.t.Helper()
	a, err := h.stories.ByCode(h.t.Context(), code)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func TestEverySignInTellsItsStoryUnderOneCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		code := incident(t, b.signIn("lmartin", "wrong"))
		if again := incident(t, b.signIn("lmartin", "wrong too")); again != code {
			t.Errorf("the second try has the code %s, the first %s", again, code)
		}
		want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
		a := h.story(code)
		if a.Person != h.lina || a.Typed != "lmartin" || a.Outcome != attempt.In || a.Method != entry.Password || a.ProvedAt.IsZero() {
			t.Errorf("the story is %+v", a)
		}
		var told []string
		for _, s := range a.Steps {
			told = append(told, string(s.Stage)+" "+string(s.Result)+" "+s.Reason)
		}
		failed := "password failed identity.wrong_credentials"
		if !slices.Equal(told, []string{failed, failed, "password passed "}) {
			t.Errorf("the steps are %q", told)
		}
		events, err := h.journal.Of(t.Context(), h.lina, 10)
		if err != nil || len(events) == 0 || events[0].Kind != "identity.signed_in" || events[0].Facts["incident"] != code {
			t.Errorf("the journal has %+v, %v", events, err)
		}

		other := h.browser()
		unknown := h.story(incident(t, other.signIn("Soleil2026!", "wrong")))
		if unknown.Person != "" || strings.Contains(unknown.Typed, "leil") {
			t.Errorf("what nobody has is kept as %q", unknown.Typed)
		}
		if got := unknown.Steps[0].Facts["shape"]; got != shapeOdd {
			t.Errorf("its shape is %q", got)
		}
	})
}

func TestWhatWasTypedIsHintedAtWithoutTellingWhoExists(t *testing.T) {
	h := openOne(t, func(c *Config) { c.MailDomains = []string{"valmont.example"} })
	for typed, hint := range map[string]string{
		"lina@gmail.example": "personal address", "22104567": "You typed a number", "Lina Martin": "does not look like an identifier",
	} {
		want(t, h.browser().signIn(typed, "wrong"), 422, hint)
	}
	for _, typed := range []string{"lmartin", "nobody", "somebody@valmont.example"} {
		if a := h.browser().signIn(typed, "wrong"); strings.Contains(a.body, "You typed") || strings.Contains(a.body, "does not look") {
			t.Errorf("%s: a hint about what is a good form", typed)
		}
	}
}

func TestTheStoryOfAnotherBrowserOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		show := h.app(h.lina)
		b := h.browser()
		a := b.signIn("lmartin", linasPassword)
		want(t, a, 200)
		code := a.Request.URL.Query().Get("at")
		thief := h.browser()
		thief.get("/login") // has a cookie of its own
		want(t, thief.get("/login/factor?at="+code), http.StatusGone, "identity.sign_in_lost")
		want(t, thief.post("/login/factor/totp", url.Values{"at": {code}, "code": {show()}}), http.StatusGone)
		want(t, b.post("/login/factor/totp", url.Values{"at": {code}, "code": {show()}}), 200, "home of lmartin")
	})
}

func TestWhoHasAFactorIsAskedForItAndNothingOpensBefore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		show := h.app(h.lina)
		b := h.browser()
		a := b.signIn("lmartin", linasPassword, "next", "/identity/sessions")
		if a.Request.URL.Path != "/login/factor" {
			t.Fatalf("a right password leads to %s", a.Request.URL)
		}
		if inside := b.get("/identity/sessions"); inside.Request.URL.Path != "/login" {
			t.Errorf("the password alone opens %s", inside.Request.URL)
		}
		for _, step := range []string{"/login/new-password", "/login/prepare-factor"} {
			if got := b.get(step + "?at=" + a.Request.URL.Query().Get("at")); got.Request.URL.Path == "/" {
				t.Errorf("%s goes round the factor", step)
			}
		}
		code := a.Request.URL.Query().Get("at")
		form := func(typed string) url.Values { return url.Values{"at": {code}, "code": {typed}} }
		wrong := b.post("/login/factor/totp", form("000000"))
		want(t, wrong, 422, code) // the same incident code
		want(t, b.post("/login/factor/totp", form(show())), 200, "My open sessions")
		if s := h.story(code); s.FactorMethod != entry.TOTP || s.Outcome != attempt.In {
			t.Errorf("the story is %+v", s)
		}
	})
}

func TestAFactorThatDoesNotWorkIsStillAskedFor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.app(h.lina)
		err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_factors SET suspended_at = $1", tx.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b := h.browser()
		if a := b.signIn("lmartin", linasPassword); a.Request.URL.Path != "/login/factor" {
			t.Fatalf("with its factor stopped, a password leads to %s", a.Request.URL)
		}
		if a := b.get("/"); a.Request.URL.Path != "/login" {
			t.Errorf("it opens %s", a.Request.URL)
		}
	})
}

func TestTwoTabsKeepTheirOwnWay(t *testing.T) {
	h := openOne(t)
	show := h.app(h.lina)
	b := h.browser()
	first := b.signIn("lmartin", linasPassword, "next", "/identity/sessions").Request.URL.Query().Get("at")
	second := b.signIn("lmartin", linasPassword, "next", "/identity/devices").Request.URL.Query().Get("at")
	if first == "" || first == second {
		t.Fatalf("the tabs are on %q and %q", first, second)
	}
	if a := b.post("/login/factor/totp", url.Values{"at": {first}, "code": {show()}}); a.Request.URL.Path != "/identity/sessions" {
		t.Errorf("the first tab came to %s", a.Request.URL)
	}
	// The second finds a session and goes on to where it was going, or to where it
	// can: it never asks for the spent code again.
	if a := b.post("/login/factor/totp", url.Values{"at": {second}, "code": {show()}}); a.StatusCode >= 500 {
		t.Errorf("the second tab got %d", a.StatusCode)
	}
}

func TestASignInThatTakesTooLongBeginsAgain(t *testing.T) {
	h := openOne(t)
	show := h.app(h.lina)
	b := h.browser()
	code := b.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
	h.clock.Advance(attempt.Lasts + time.Second)
	want(t, b.post("/login/factor/totp", url.Values{"at": {code}, "code": {show()}}), http.StatusGone, "identity.sign_in_lost", code, `href="/login"`)
}

func TestAnotherPersonInTheSameBrowserInheritsNothing(t *testing.T) {
	h := openOne(t)
	h.app(h.add(Person{Login: "paul", Mail: "paul@valmont.example", FamilyName: "Durand"}, linasPassword))
	show := h.app(h.lina)
	b := h.browser()
	code := b.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
	now := b.signIn("paul", linasPassword).Request.URL.Query().Get("at")
	// Whatever record the browser is on now, Lina's code must not open Paul's account.
	for _, at := range []string{code, now} {
		if a := b.post("/login/factor/totp", url.Values{"at": {at}, "code": {show()}}); strings.Contains(a.body, "home of paul") {
			t.Fatal("the factor of one opened the account of another")
		}
	}
}

func TestAFormerPasswordIsToldToWhoUsesThisBrowserOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
		p, err := h.PersonByID(t.Context(), h.lina)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := h.renewal.Hash(t.Context(), "un autre mot de passe 7")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the password that the tests begin with was set without a trace
			err = h.db.InTx(t.Context(), func(tx db.Tx) error { return h.renewal.Store(t.Context(), tx, p, secret, journal.Event{}) })
			if err != nil {
				t.Fatal(err)
			}
			if secret, err = h.renewal.Hash(t.Context(), "et encore un autre 8"); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 * h.config.Risk.LockAfter { // a telephone that keeps trying
			want(t, b.signIn("lmartin", "un autre mot de passe 7"), 422, "identity.old_password", "Sunday 22 November")
		}
		want(t, h.browser().signIn("lmartin", "un autre mot de passe 7"), 422, "identity.wrong_credentials")
		want(t, b.signIn("lmartin", "et encore un autre 8"), 200, "home of lmartin") // nothing was locked
	})
}

func TestABrowserThatDropsOurCookieIsToldAndItsPasswordIsNotTried(t *testing.T) {
	h := openOne(t)
	send := func(form url.Values) answer {
		r, err := http.NewRequest("POST", h.server.URL+"/login", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		b := h.browser()
		b.Jar = nil
		resp, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return answer{resp, readAll(t, resp)}
	}
	form := url.Values{"username": {"lmartin"}, "password": {linasPassword}}
	want(t, send(form), 422, "identity.cookie_lost", `name="reminded"`, `value="lmartin"`)
	form.Set("reminded", "1")
	want(t, send(form), 422, "identity.cookies_refused", "/diagnostic")
	if sessions, _ := h.Sessions(t.Context(), h.lina); len(sessions) != 0 {
		t.Error("the password was tried")
	}
}

func TestAServiceThatSendsPeopleBackIsStopped(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
	want(t, b.get("/leave"), 200, "left")
	h.loop = &contract.Loop{Reason: "identity.cookie_lost", Turns: 3, Clean: true} // stands for a reason of the services
	a := b.get("/leave")
	if want(t, a, 200); a.Request.URL.Path != "/login/loop" {
		t.Fatalf("a loop leads to %s", a.Request.URL)
	}
	s := h.story(incident(t, a))
	if s.Reason != "identity.cookie_lost" || s.Stage != entry.StageService || s.Service != "moodle" {
		t.Errorf("the story is %+v", s)
	}
}

func TestASignOutLeadsToWhatItClosedElsewhere(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
	h.farewell = "/why"
	if a := b.post("/logout", url.Values{}); a.Request.URL.Path != "/why" {
		t.Errorf("a sign-out with services open leads to %s", a.Request.URL)
	}
	if a := b.post("/logout", url.Values{}); a.Request.URL.Path != "/logout/done" {
		t.Errorf("a sign-out without a session leads to %s", a.Request.URL)
	}
}

func TestAnAccountThatWasNotActivatedIsLedToIt(t *testing.T) {
	h := openOne(t)
	h.add(Person{Login: "newcomer", Mail: "newcomer@valmont.example", FamilyName: "New", State: Invited}, linasPassword)
	want(t, h.browser().signIn("newcomer", linasPassword), 403, "identity.account_invited", `href="/activate"`)
	want(t, h.browser().signIn("newcomer", "wrong"), 422, "identity.wrong_credentials")
}

func TestWhoMustHaveAFactorRegistersOneFirst(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Factor.RequiredKinds, c.Factor.Grace = []campus.Kind{campus.Student}, 0 })
	b := h.browser()
	a := b.signIn("lmartin", linasPassword)
	if a.Request.URL.Path != "/login/prepare-factor" {
		t.Fatalf("a right password leads to %s", a.Request.URL)
	}
	a = b.post("/login/prepare-factor", url.Values{"at": {a.Request.URL.Query().Get("at")}})
	if a.Request.URL.Path == "/" {
		t.Error("without any grace it can be put off")
	}
}

func TestASensitiveActAsksForAFreshProof(t *testing.T) {
	h := openOne(t)
	show := h.app(h.lina)
	b := h.browser()
	at := b.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
	want(t, b.post("/login/factor/totp", url.Values{"at": {at}, "code": {show()}}), 200, "home of lmartin")
	if a := b.get("/identity/factors/totp"); a.Request.URL.Path != "/identity/factors/totp" {
		t.Errorf("a fresh factor leads to %s", a.Request.URL)
	}
	h.clock.Advance(freshFor + time.Second)
	a := b.get("/identity/factors/totp")
	if a.Request.URL.Path != "/login/factor" || a.Request.URL.Query().Get("back") != "/identity/factors/totp" {
		t.Fatalf("a stale one leads to %s", a.Request.URL)
	}
	if a = b.post("/login/factor/totp", url.Values{"back": {"/identity/factors/totp"}, "code": {show()}}); a.Request.URL.Path != "/identity/factors/totp" {
		t.Errorf("after the proof the person is at %s", a.Request.URL)
	}
}

func TestASuspicionAsksWhatThePersonCanAnswer(t *testing.T) {
	suspicious := func(c *Config) { c.Risk.AskFactor, c.Risk.Points.NewDevice = 5, 10 }
	t.Run("a code outside, without a factor", func(t *testing.T) {
		h := openOne(t, suspicious)
		want(t, h.browser().signIn("lmartin", linasPassword), 200)
		err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			return h.reach.Record(t.Context(), tx, h.lina, reach.RecoveryMail, "lina@home.example")
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, h.browser().signIn("lmartin", linasPassword), 200, "Send me an unlock code")
	})
	t.Run("nothing, of who cannot be reached outside", func(t *testing.T) {
		h := openOne(t, suspicious)
		want(t, h.browser().signIn("lmartin", linasPassword), 200)
		want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
	})
	t.Run("the factor, even in a browser that is trusted", func(t *testing.T) {
		h := openOne(t)
		show := h.app(h.lina)
		b := h.browser()
		at := b.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
		want(t, b.post("/login/factor/totp", url.Values{"at": {at}, "code": {show()}, "trust": {"1"}}), 200, "home of lmartin")
		want(t, b.post("/logout", nil), 200)
		want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin") // trusted
		want(t, b.post("/logout", nil), 200)
		h.config.Risk.AskFactor = 0
		if a := h.browser().signIn("lmartin", linasPassword); a.Request.URL.Path != "/login/factor" {
			t.Errorf("another browser comes to %s", a.Request.URL)
		}
	})
}

func TestAPasswordThatLeakedMustBeChangedAtTheNextSignIn(t *testing.T) {
	h := openOne(t)
	h.add(Person{Login: "careless", Mail: "careless@valmont.example", FamilyName: "Less"}, "password123")
	a := h.browser().signIn("careless", "password123")
	if a.Request.URL.Path != "/login/new-password" {
		t.Fatalf("it leads to %s", a.Request.URL)
	}
}

func TestALostSignInIsAFaultThatSaysSo(t *testing.T) {
	h := openOne(t)
	r, err := http.NewRequest("GET", h.server.URL+"/login/factor", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (door{h.Module}).Actor(r); fault.Of(err).Reason != SignInLost {
		t.Errorf("got %v", err)
	}
}

func TestABookmarkedSignInPageLeadsOn(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
	if a := b.get("/login?next=/identity/sessions"); a.Request.URL.Path != "/identity/sessions" {
		t.Errorf("the bookmark leads to %s", a.Request.URL)
	}
}

func TestAFormLeftOpenOvernightStillSignsIn(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	want(t, b.get("/login?next=/identity/sessions"), 200, `name="password"`)
	h.clock.Advance(14 * time.Hour)
	want(t, b.signIn("lmartin", linasPassword, "next", "/identity/sessions"), 200, "My open sessions")
}

func TestAServiceThatWantsAFactorAsksForItInsideASession(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Factor.RequiredServices = []string{"moodle"} })
	b := h.browser()
	want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
	if a := b.get("/leave"); a.Request.URL.Path != "/login" || a.Request.URL.Query().Get("renew") == "" {
		t.Errorf("without a factor it leads to %s", a.Request.URL)
	}
	show := h.app(h.lina)
	a := b.get("/leave")
	if a.Request.URL.Path != "/login/factor" {
		t.Fatalf("with one it leads to %s", a.Request.URL)
	}
	want(t, b.post("/login/factor/totp", url.Values{"back": {"/leave"}, "code": {show()}}), 200, "left")
}

func TestGuessingCountsOnThePageThatChangesAPasswordToo(t *testing.T) {
	h := openOne(t, func(c *Config) { c.SignIn.Burst = 100 })
	for range h.config.Risk.LockAfter {
		if _, err := h.CheckPassword(t.Context(), "lmartin", "wrong", netip.MustParseAddr("198.51.100.7")); fault.Of(err).Reason != WrongCredentials {
			t.Fatal(err)
		}
	}
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "Your account is locked for a while.")
}
