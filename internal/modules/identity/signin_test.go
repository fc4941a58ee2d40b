package identity

import (
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/db"
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
