package identity

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func TestTheRightPasswordOpensThePageThatWasAskedFor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		a := b.get("/identity/sessions") // a stranger is led to the door
		want(t, a, 200, `name="username"`, `name="password"`, `value="/identity/sessions"`)
		a = b.signIn("lmartin", linasPassword, "next", "/identity/sessions")
		want(t, a, 200, "My open sessions", "this device", "Firefox on Linux")
	})
}

func TestEveryFormOfTheIdentifierIsAccepted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, typed := range []string{"lmartin", " LMartin ", "lina.martin@valmont.example", "Lina.Martin@VALMONT.example"} {
			want(t, h.browser().signIn(typed, linasPassword), 200, "home of lmartin")
		}
	})
}

func TestAWrongPasswordAndAnUnknownIdentifierGetTheSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(Person{Login: "invited", Mail: "invited@valmont.example", FamilyName: "Invited"}, "")
		wrong := h.browser().signIn("lmartin", "wrong")
		want(t, wrong, 422, "identity.wrong_credentials", `value="lmartin"`)
		if strings.Contains(wrong.body, "wrong\"") {
			t.Error("the password came back")
		}
		for _, login := range []string{"nobody", "invited"} {
			other := h.browser().signIn(login, "wrong")
			if got := strings.ReplaceAll(other.body, login, "lmartin"); withoutCode(got) != withoutCode(wrong.body) {
				t.Errorf("the answer for %s differs", login)
			}
		}
	})
}

// withoutCode takes out the incident code, which no two answers share.
func withoutCode(body string) string {
	return regexp.MustCompile(`\b[2-9A-Z]{3}-[2-9A-Z]{3}\b`).ReplaceAllString(body, "K7F-3Q9")
}

// The time until an answer must not tell either. The means of many sign-ins are
// compared with Welch's t; 4 would be passed by chance once in 16,000. Their order
// is drawn: taken in turn, the collector, which a hash of some megabytes wakes at
// every second one, always met the same of the two.
func TestTheTimeOfAnAnswerDoesNotTellWhoExists(t *testing.T) {
	h := openOne(t, func(c *Config) {
		c.Hash = HashConfig{Memory: 8 << 10, Time: 1, Threads: 1}
		c.SignIn.Burst, c.SignIn.NetworkBurst = 1<<20, 1<<20
	})
	const rounds = 120
	var times [2][]float64
	b := h.browser()
	for range rounds * 2 {
		i := rand.IntN(2)
		start := time.Now()
		want(t, b.signIn([]string{"lmartin", "nobodyy"}[i], "wrong"), 422)
		times[i] = append(times[i], float64(time.Since(start)))
	}
	stat := func(x []float64) (mean, variance float64) {
		slices.Sort(x)
		x = x[:len(x)*9/10] // pauses of the machine are not what is measured
		for _, v := range x {
			mean += v / float64(len(x))
		}
		for _, v := range x {
			variance += (v - mean) * (v - mean) / float64(len(x)-1)
		}
		return mean, variance / float64(len(x))
	}
	m0, v0 := stat(times[0])
	m1, v1 := stat(times[1])
	if tt := math.Abs(m0-m1) / math.Sqrt(v0+v1); tt > 4 && math.Abs(m0-m1) > 0.05*m0 {
		t.Errorf("known %.3f ms, unknown %.3f ms, t = %.1f", m0/1e6, m1/1e6, tt)
	}
}

func TestMissingAndOverlongFieldsAreExplainedAtTheField(t *testing.T) {
	h := openOne(t)
	for name, c := range map[string]struct{ user, pass, want string }{
		"no identifier":     {" ", "x", "Type your identifier."},
		"no password":       {"lmartin", "", "Type your password."},
		"long identifier":   {strings.Repeat("a", 300), "x", "at most 254"},
		"long password":     {"lmartin", strings.Repeat("a", 600), "at most 512"},
		"marked-up content": {`"><script>alert(1)</script>`, "", "&lt;script&gt;"},
	} {
		t.Run(name, func(t *testing.T) { want(t, h.browser().signIn(c.user, c.pass), 422, c.want) })
	}
	want(t, h.browser().signIn("lmartin\xff", "x"), 400, "platform.text_malformed")
	want(t, h.browser().signIn("lmartin\x00", "x"), 400, "platform.text_malformed")
	want(t, h.browser().signIn("lmartin", strings.Repeat("a", 10<<20)), 413, "platform.body_too_large")
}

func TestASignInThatFillsTheMemoryIsRefused(t *testing.T) {
	h := openOne(t)
	longest := "/cas/login?service=" + url.QueryEscape("https://moodle.example/"+strings.Repeat("é", 2000))
	want(t, h.browser().signIn("lmartin", "wrong", "next", longest), 422, "identity.wrong_credentials")
	want(t, h.browser().signIn("lmartin", "wrong", "next", "/"+strings.Repeat("a", 200<<10)), 413, "platform.body_too_large")
}

func TestSignInNeverLeadsToAnotherSite(t *testing.T) {
	h := openOne(t)
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:x=1"} {
		b := h.browser()
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		a := b.signIn("lmartin", linasPassword, "next", next)
		to, err := url.Parse(a.Header.Get("Location"))
		if err != nil || to.Host != "" || to.Scheme != "" || strings.HasPrefix(to.Path, "//") || a.Header.Get("Set-Cookie") == "x=1" {
			t.Errorf("next=%q leads to %q", next, a.Header.Get("Location"))
		}
	}
}

func TestTheFormMayEndOnTheServiceThatIsAskedForAndNowhereElse(t *testing.T) {
	h := openOne(t)
	a := h.browser().get("/login?next=" + url.QueryEscape("/cas/login?service=https://moodle.example/"))
	want(t, a, 200, "To open Moodle")
	if p := a.Header.Get("Content-Security-Policy"); !strings.Contains(p, "form-action 'self' https://moodle.example") {
		t.Errorf("policy: %s", p)
	}
	if p := h.browser().get("/login").Header.Get("Content-Security-Policy"); !strings.HasSuffix(p, "form-action 'self'") {
		t.Errorf("policy: %s", p)
	}
}

func TestTooManyFailuresSlowAnAccountDownAndSaySo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		for range h.config.SignIn.Burst {
			want(t, b.signIn("lmartin", "wrong"), 422)
		}
		a := b.signIn("lmartin", linasPassword)
		want(t, a, 429, "identity.sign_in_slowed", "30 seconds")
		if a.Header.Get("Retry-After") != "30" {
			t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
		}
		want(t, b.signIn("another", "wrong"), 422) // only this account
		h.clock.Advance(31 * time.Second)
		want(t, b.signIn("lmartin", linasPassword), 200, "Your account is locked for a while.") // told to who knows the password
		h.clock.Advance(time.Minute)
		want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")
		h.clock.Advance(time.Second)
		want(t, h.browser().signIn("lmartin", "wrong"), 422) // success wiped the slate
	})
}

func TestAClosedAccountIsToldOnlyToWhoKnowsItsPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.signIn("lmartin", linasPassword)
		secretary := campus.Viewer{Person: "secretary", Rights: []campus.Right{campus.RightSecretariat}}
		if _, err := h.lifecycle.Decide(t.Context(), secretary, h.lina, lifecycle.Order{State: account.Closed, Reason: "left"}); err != nil {
			t.Fatal(err)
		}
		// The open session ended as well, and not by a thief of the password.
		want(t, b.get("/"), 200, "identity.session_blocked")
		want(t, h.browser().signIn("lmartin", "wrong"), 422, "identity.wrong_credentials")
		want(t, h.browser().signIn("lmartin", linasPassword), 403, "identity.account_ended", "Departure from the institution", "the registrar’s office")
		if len(h.ended) != 1 {
			t.Errorf("followers were told of %d sessions", len(h.ended))
		}
	})
}

func TestAnAccountThatNoDecisionHoldsIsExplainedToo(t *testing.T) {
	h := openOne(t)
	h.become(h.lina, account.Closed) // by an earlier version
	want(t, h.browser().signIn("lmartin", linasPassword), 401, "identity.account_closed", "secretariat")
}

func TestServicesThatHoldAKeyAreToldThatAnAccountMayNotBeUsed(t *testing.T) {
	h := openOne(t)
	if v, err := h.Viewer(t.Context(), h.lina); err != nil || v.Login != "lmartin" {
		t.Fatalf("%v %v", v.Login, err)
	}
	for _, state := range []account.State{account.Suspended, account.Closed, account.Invited} {
		h.become(h.lina, state)
		if _, err := h.Viewer(t.Context(), h.lina); fault.Of(err).Reason.Kind() >= fault.Broken || err == nil {
			t.Errorf("%s: %v", state, err)
		}
	}
}

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

func TestStrangersAreKeptOutOfThePagesOfTheRoom(t *testing.T) {
	h := openOne(t)
	for _, path := range []string{"/identity/sessions/x/close", "/identity/sessions/close-others"} {
		want(t, h.browser().post(path, url.Values{}), 401, "platform.sign_in_needed")
	}
	if a := h.browser().get("/identity/sessions"); a.Request.URL.Path != "/login" {
		t.Errorf("a stranger reached %s", a.Request.URL)
	}
}

func TestAnotherSiteCannotSignSomebodyInOrOut(t *testing.T) {
	h := openOne(t)
	for _, path := range []string{"/login", "/logout", "/identity/sessions/close-others"} {
		r, _ := http.NewRequest("POST", h.server.URL+path, strings.NewReader("username=lmartin"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
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

func TestABrowserWithAnOddNameSignsIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, agent := range map[string]string{"cut within a letter": strings.Repeat("a", maxAgent-1) + "é", "no text at all": "Mozilla \xff\xfe"} {
			form := url.Values{"username": {"lmartin"}, "password": {linasPassword}}
			r, err := http.NewRequest("POST", h.server.URL+"/login", strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("User-Agent", agent)
			resp, err := h.browser().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("%s: status %d", name, resp.StatusCode)
			}
		}
	})
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

func TestWhoWaitsInLineIsToldTheirPlaceAndGetsInWithoutTypingAgain(t *testing.T) {
	h := openOne(t, func(c *Config) {
		c.Queue.Patience, c.Queue.Workers = 50*time.Millisecond, 1
	})
	gate := make(chan struct{})
	for range 3 {
		if _, err := h.queue.Join(func() { <-gate }); err != nil {
			t.Fatal(err)
		}
	}
	b := h.browser()
	a := b.signIn("lmartin", linasPassword, "next", "/identity/sessions")
	want(t, a, 200, `role="status"`)
	if a.Request.URL.Path != "/login/waiting" || !strings.HasPrefix(a.Header.Get("Refresh"), "2; url=") {
		t.Fatalf("at %s, Refresh %q", a.Request.URL, a.Header.Get("Refresh"))
	}
	close(gate)
	want(t, b.get("/login/waiting"), 200, "My open sessions")
	want(t, h.browser().get("/login/waiting"), 200, "identity.waiting_lost")
}

func TestAFullLineSaysWhenToComeBack(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Queue.Limit, c.Queue.Workers = 1, 1 })
	gate, started := make(chan struct{}), make(chan struct{})
	defer close(gate)
	if _, err := h.queue.Join(func() { close(started); <-gate }); err != nil {
		t.Fatal(err)
	}
	<-started
	if _, err := h.queue.Join(func() {}); err != nil {
		t.Fatal(err)
	}
	a := h.browser().signIn("lmartin", linasPassword)
	want(t, a, 503, "identity.queue_full")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestAStormOfSignInsLosesNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if a := h.browser().signIn("lina.martin@valmont.example", linasPassword); !strings.Contains(a.body, "home of lmartin") && a.StatusCode != 429 {
					t.Errorf("status %d: %s", a.StatusCode, a.body)
				}
			})
		}
		wg.Wait()
	})
}

func TestAnOldHashIsReplacedAtTheNextSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		old := password.Hash(linasPassword, password.Params{Memory: 128, Time: 2, Threads: 1})
		if err := h.db.InTx(ctx, func(tx db.Tx) error { return h.StorePassword(ctx, tx, h.lina, old) }); err != nil {
			t.Fatal(err)
		}
		want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
		deadline := time.Now().Add(5 * time.Second)
		for {
			var stored string
			if err := h.db.Read().QueryRowContext(ctx, "SELECT hash FROM identity_passwords").Scan(&stored); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(stored, "m=64,t=1") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("still %s", stored)
			}
			time.Sleep(5 * time.Millisecond)
		}
		want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
	})
}

func TestAPersonThatCannotBeStoredIsRefusedWithAReason(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		good := Person{Login: "new.one", Mail: "new.one@valmont.example", FamilyName: "One"}
		for name, c := range map[string]struct {
			change func(*Person)
			want   *fault.Reason
		}{
			"a login that is taken":   {func(p *Person) { p.Login = "lmartin" }, PersonExists},
			"a mail that is taken":    {func(p *Person) { p.Mail = "Lina.Martin@valmont.example" }, PersonExists},
			"a login with a space":    {func(p *Person) { p.Login = "a b" }, LoginForm},
			"a login with a quote":    {func(p *Person) { p.Login = "a'b" }, LoginForm},
			"a mail without a host":   {func(p *Person) { p.Mail = "x" }, MailForm},
			"a mail with a name":      {func(p *Person) { p.Mail = "X <x@y.example>" }, MailForm},
			"no name":                 {func(p *Person) { p.FamilyName = " " }, NameForm},
			"an unknown affiliation":  {func(p *Person) { p.Affiliations = []campus.Affiliation{{Kind: "king"}} }, AffiliationForm},
			"a code that would split": {func(p *Person) { p.Affiliations = []campus.Affiliation{{Kind: campus.Student, Campus: "a|b"}} }, AffiliationForm},
			"an unknown right":        {func(p *Person) { p.Rights = []campus.Right{"root"} }, RightForm},
		} {
			p := good
			c.change(&p)
			err := h.db.InTx(t.Context(), func(tx db.Tx) error { _, err := h.AddPerson(t.Context(), tx, p); return err })
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func TestANameDoesNotTurnTheWordsAroundIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.add(Person{Login: "maryam", Mail: "maryam@valmont.example", GivenName: "مريم\u202e", FamilyName: " العلي\n\u2066admin\x00 ", JobTitle: "a\tb"}, linasPassword)
		p, err := h.PersonByID(t.Context(), who)
		if err != nil || p.GivenName != "مريم" || p.FamilyName != "العلي admin" || p.JobTitle != "a b" {
			t.Errorf("stored as %+v, %v", p, err)
		}
		want(t, h.browser().signIn("maryam", linasPassword), 200, "home of maryam")
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			_, err := h.AddPerson(t.Context(), tx, Person{Login: "nobody", Mail: "n@valmont.example", FamilyName: "\u200f\u202e"})
			return err
		}); !errors.Is(err, NameForm) {
			t.Errorf("a name of nothing that is seen: %v", err)
		}
	})
}

func TestAPersonComesBackAsStored(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		who := h.add(Person{Login: "ali", Mail: "ali@valmont.example", GivenName: "علي", FamilyName: "Ben Œillet", JobTitle: "Doctorant",
			Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "doc"}, {Kind: campus.Teacher, Campus: "rives", Unit: "info"}},
			Rights:       []campus.Right{campus.RightNews}}, "")
		p, err := h.PersonByLogin(ctx, "ALI@valmont.example")
		if err != nil || p.ID != who || p.GivenName != "علي" || len(p.Affiliations) != 2 || !slices.Contains(p.Rights, campus.RightNews) || p.State != Active {
			t.Fatalf("got %+v, %v", p, err)
		}
		attributes, err := h.Attributes(ctx, who)
		if err != nil || !slices.Equal(attributes["uid"], []string{"ali"}) || !slices.Contains(attributes["eduPersonAffiliation"], "faculty") || !slices.Contains(attributes["eduPersonAffiliation"], "member") ||
			!slices.Contains(attributes["eduPersonAffiliation"], "employee") || !slices.Equal(attributes["cn"], attributes["displayName"]) || !slices.Equal(attributes["supannEntiteAffectationPrincipale"], []string{"info"}) {
			t.Errorf("attributes %v, %v", attributes, err)
		}
		if _, err := h.PersonByID(ctx, "nobody"); !errors.Is(err, PersonMissing) {
			t.Errorf("got %v", err)
		}
		if err := h.SetPreferences(ctx, who, campus.English, campus.AppearanceDark); err != nil {
			t.Fatal(err)
		}
		if p, _ := h.PersonByID(ctx, who); p.Locale != campus.English || p.Appearance != campus.AppearanceDark {
			t.Errorf("preferences %q %q", p.Locale, p.Appearance)
		}
		list, err := h.ListPeople(ctx, "", "", 1)
		if err != nil || len(list) != 1 || list[0].FamilyName != "Ben Œillet" {
			t.Errorf("list %+v, %v", list, err)
		}
		next, err := h.ListPeople(ctx, campus.Fold("Ben Œillet علي"), string(who), 10)
		if err != nil || len(next) != 1 || next[0].Login != "lmartin" {
			t.Errorf("next page %+v, %v", next, err)
		}
	})
}

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema)
}
