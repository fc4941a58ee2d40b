package diagnostic

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// withScripts is what the script of the page puts into the form in a browser
// that can do everything.
func withScripts(h *house) url.Values {
	return url.Values{"script": {"yes"}, "fetch": {"yes"}, "storage": {"yes"}, "webauthn": {"yes"}, "device": {"yes"}, "clock": {strconv.FormatInt(h.clock.Now().UnixMilli(), 10)}}
}

func TestABrowserInOrderIsToldSo(t *testing.T) {
	h := open(t)
	r, body := h.browser().run(withScripts(h))
	for _, f := range r.Findings {
		if f.Verdict != Fine {
			t.Errorf("%s: %s %s", f.Check, f.Verdict, f.Case)
		}
	}
	if len(r.Findings) != 9 || !strings.Contains(body, "Nothing in this browser keeps you from signing in.") {
		t.Errorf("%d findings on %s", len(r.Findings), body)
	}
}

func TestABrowserWithoutScriptsIsTestedAllTheSame(t *testing.T) {
	h := open(t)
	r, _ := h.browser().run(url.Values{"script": {""}, "clock": {""}})
	for check, want := range map[Check]string{Cookies: "fine kept", Posts: "fine arrived", Scripts: "doubt off", Requests: "unknown unknown", Clock: "unknown unknown", Passkeys: "unknown unknown", Size: "fine small"} {
		if got := r.of(check); got != want {
			t.Errorf("%s: %s, want %s", check, got, want)
		}
	}
}

func TestABrowserThatRefusesCookiesIsToldSo(t *testing.T) {
	h := open(t)
	b := h.browser()
	b.client.Jar = nil
	r, body := b.run(nil)
	if got := r.of(Cookies); got != "wrong refused" {
		t.Errorf("cookies: %s", got)
	}
	if !strings.Contains(body, "Your browser refuses our cookie.") || !strings.Contains(body, "allow those of this site") {
		t.Error("the page does not say what to do")
	}
}

func TestACookieThatIsLostOnTheWayIsNoticed(t *testing.T) {
	h := open(t)
	seen := h.sign(purposeSeen, "cookie=1")
	b := h.browser()
	_, body := b.ask(http.MethodGet, "/diagnostic/result?"+url.Values{"seen": {seen}}.Encode(), nil)
	if got := h.result(body).of(Cookies); got != "doubt lost" {
		t.Errorf("kept for one hop: %s", got)
	}
	_, body = b.ask(http.MethodGet, "/diagnostic/result?"+url.Values{"seen": {h.sign(purposeSeen, "script=yes")}}.Encode(), nil, &http.Cookie{Name: probeCookie, Value: "x"})
	if got := h.result(body).of(Cookies); got != "doubt late" {
		t.Errorf("not sent with the form: %s", got)
	}
}

func TestAFormThatDoesNothingHasAWayAround(t *testing.T) {
	h := open(t)
	b := h.browser()
	page := b.get("/diagnostic")
	i := strings.Index(page, "/diagnostic/result?")
	link := strings.ReplaceAll(page[i:i+strings.Index(page[i:], `"`)], "&amp;", "&")
	r := h.result(b.get(link))
	if r.of(Posts) != "wrong blocked" || r.of(Cookies) != "fine kept" {
		t.Errorf("posts %s, cookies %s", r.of(Posts), r.of(Cookies))
	}
}

func TestTheClockOfADeviceIsComparedWithOurs(t *testing.T) {
	cases := []struct {
		name string
		off  time.Duration
		want string
		says string
	}{
		{"right", 0, "fine right", ""},
		{"within what codes allow", 29 * time.Second, "fine right", ""},
		{"ahead", 2 * time.Minute, "wrong ahead", "2 minutes ahead"},
		{"behind", -90 * time.Second, "wrong behind", "behind ours"},
		{"of another century", -80 * 365 * 24 * time.Hour, "wrong behind", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			form := withScripts(h)
			form.Set("clock", strconv.FormatInt(h.clock.Now().Add(c.off).UnixMilli(), 10))
			r, body := h.browser().run(form)
			if r.of(Clock) != c.want || !strings.Contains(body, c.says) {
				t.Errorf("%s; the page says %s", r.of(Clock), body)
			}
		})
	}
}

func TestPagesInsideAppsAreRecognised(t *testing.T) {
	const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	cases := []struct {
		name, agent string
		inside      bool
	}{
		{"Instagram", safari + "Mobile/15E148 Instagram 380.0.0.28.86", true},
		{"Facebook", safari + "Mobile/15E148 [FBAN/FBIOS;FBAV/500.0]", true},
		{"an Android view", "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A; wv) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", true},
		{"the Google app", safari + "GSA/360.0 Mobile/15E148 Safari/604.1", true},
		{"Safari", safari + "Version/18.5 Mobile/15E148 Safari/604.1", false},
		{"Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", false},
		{"Chrome on Android", "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", false},
	}
	for _, c := range cases {
		if inApp(c.agent) != c.inside {
			t.Errorf("%s: inside an app should be %v", c.name, c.inside)
		}
	}
	h := open(t)
	b := h.browser()
	b.agent = cases[0].agent
	if r, body := b.run(nil); r.of(App) != "wrong inside" || !strings.Contains(body, "Open in browser") {
		t.Errorf("on the page: %s", r.of(App))
	}
}

func TestABrowserWithoutPasskeysIsToldSo(t *testing.T) {
	h := open(t)
	form := withScripts(h)
	form.Set("webauthn", "no")
	form.Set("device", "no")
	if r, _ := h.browser().run(form); r.of(Passkeys) != "doubt no" {
		t.Errorf("passkeys: %s", r.of(Passkeys))
	}
	form.Set("webauthn", "yes")
	if r, _ := h.browser().run(form); r.of(Passkeys) != "fine yes" {
		t.Errorf("with a key alone: %s", r.of(Passkeys))
	}
}

func TestNothingIsKeptBeforeTheButtonIsPressed(t *testing.T) {
	h := open(t)
	b := h.browser()
	_, body := b.run(withScripts(h))
	if len(h.attached) > 0 {
		t.Fatal("the result was kept without a word")
	}
	of := strings.ReplaceAll(hidden(t, body, "of"), "&#34;", `"`)
	_, body = b.ask(http.MethodPost, "/diagnostic/result", url.Values{"of": {of}})
	if len(h.attached) != 1 || !strings.Contains(body, "K7F-3Q9") {
		t.Fatalf("attached %d times; the page says %s", len(h.attached), body)
	}
	r, err := Read(string(h.attached[0]))
	if err != nil || r.of(Cookies) != "fine kept" || !r.At.Equal(h.clock.Now()) {
		t.Errorf("attached %s, %v", h.attached[0], err)
	}
	for name, bad := range map[string]string{"altered": of[:len(of)-3] + "xyz", "made up": `{"findings":[]}`, "of the other hop": h.sign(purposeSeen, "{}"), "empty": ""} {
		if resp, _ := b.ask(http.MethodPost, "/diagnostic/result", url.Values{"of": {bad}}); resp.StatusCode != http.StatusGone || len(h.attached) != 1 {
			t.Errorf("a result that is %s: %d, attached %d times", name, resp.StatusCode, len(h.attached))
		}
	}
	h.clock.Advance(2 * time.Hour)
	if resp, _ := b.ask(http.MethodPost, "/diagnostic/result", url.Values{"of": {of}}); resp.StatusCode != http.StatusGone {
		t.Errorf("a result of two hours ago: %d", resp.StatusCode)
	}
}

func TestWhatScriptsSayIsNeverKeptAsItCame(t *testing.T) {
	h := open(t)
	form := url.Values{"script": {"<b>"}, "fetch": {strings.Repeat("x", 1000)}, "storage": {"yes\r\nno"}, "webauthn": {"' OR 1"}, "clock": {"1e99"}, "extra": {"<script>"}}
	r, body := h.browser().run(form)
	for check, want := range map[Check]string{Scripts: "doubt off", Requests: "unknown unknown", Storage: "unknown unknown", Passkeys: "unknown unknown", Clock: "unknown unknown"} {
		if got := r.of(check); got != want {
			t.Errorf("%s: %s, want %s", check, got, want)
		}
	}
	if strings.Contains(body, "&lt;b&gt;") || strings.Contains(body, "xxxx") {
		t.Error("what came is on the page")
	}
}

func TestATestLeftOpenBeginsAgain(t *testing.T) {
	h := open(t)
	b := h.browser()
	started := hidden(t, b.get("/diagnostic"), "started")
	h.clock.Advance(2 * time.Hour)
	resp, _ := b.ask(http.MethodPost, "/diagnostic", url.Values{"started": {started}})
	if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/diagnostic" {
		t.Errorf("%d at %s", resp.StatusCode, resp.Request.URL)
	}
}

func TestManyCookiesAreWeighed(t *testing.T) {
	cases := []struct {
		name         string
		bytes, count int
		want         string
	}{
		{"few", 300, 3, "fine small"},
		{"many small ones", 900, 25, "doubt many"},
		{"4 KiB", 4 << 10, 5, "doubt many"},
		{"7 KiB", 7 << 10, 5, "wrong large"},
	}
	for _, c := range cases {
		if f := sizeFinding(c.bytes, c.count); string(f.Verdict)+" "+f.Case != c.want {
			t.Errorf("%s: %v", c.name, f)
		}
	}
}

// piledUp are cookies of n KiB together, one of ours and of a neighbour each.
func piledUp(n int) []*http.Cookie {
	var all []*http.Cookie
	for i := range n {
		name := fmt.Sprintf("mod_auth_state_%d", i)
		if i%2 == 0 {
			name = fmt.Sprintf("amphi_state_%d", i)
		}
		all = append(all, &http.Cookie{Name: name, Value: strings.Repeat("x", 1<<10)})
	}
	return all
}

func TestTooManyCookiesAreCleanedByAPageThatSaysSo(t *testing.T) {
	h := open(t)
	b := h.browser()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		resp, body := b.ask(method, "/login", url.Values{"password": {"secret"}}, piledUp(20)...)
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge || !strings.Contains(body, "Too many unfinished sign-ins") {
			t.Fatalf("%s answers %d: %s", method, resp.StatusCode, body)
		}
		if resp.Header.Get("Clear-Site-Data") != `"cookies"` {
			t.Error("the cookies of neighbours are not cleared")
		}
		expired := map[string]bool{}
		for _, c := range resp.Cookies() {
			expired[c.Name] = c.MaxAge < 0
		}
		if !expired["amphi_state_0"] || !expired["amphi_state_18"] || len(expired) != 10 {
			t.Errorf("expired %v", expired)
		}
	}
	if resp, _ := b.ask(http.MethodGet, "/login", nil, piledUp(8)...); resp.StatusCode != http.StatusOK {
		t.Errorf("8 KiB of cookies answer %d", resp.StatusCode)
	}
}

func TestCleaningSignsOutAndRemovesWhatIsOurs(t *testing.T) {
	for _, path := range []string{"/diagnostic/cookies", "/login/loop"} {
		h := open(t)
		b := h.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, _ := b.ask(http.MethodPost, path, url.Values{}, &http.Cookie{Name: "amphi_session", Value: "x"}, &http.Cookie{Name: "other", Value: "y"})
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/login" || h.ended != 1 {
			t.Fatalf("%s answers %d to %s, ended %d", path, resp.StatusCode, resp.Header.Get("Location"), h.ended)
		}
		names := ""
		for _, c := range resp.Cookies() {
			if c.MaxAge < 0 {
				names += c.Name + " "
			}
		}
		if names != "amphi_session " {
			t.Errorf("%s expired %q", path, names)
		}
		if _, body := b.ask(http.MethodGet, path, nil); h.ended != 1 || !strings.Contains(body, `method="post"`) {
			t.Errorf("%s cleans by a mere visit", path)
		}
	}
}
