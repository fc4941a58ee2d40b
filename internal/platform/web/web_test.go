package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var (
	testBroken  = fault.Declare(fault.Conflict, "webtest.broken")
	testExpired = fault.Declare(fault.Unauthenticated, "webtest.expired")
)

// house is a server whose viewer the test chooses.
type house struct {
	*httptest.Server
	viewer campus.Viewer
	denied error
	log    *bytes.Buffer
}

func open(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	h := &house{log: &bytes.Buffer{}}
	texts, err := i18n.Load(time.UTC, clock.System(), Locales)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(nil)
	t.Cleanup(h.Server.Close)
	base, _ := url.Parse(h.Server.URL)
	c := Config{
		BaseURL: base, Log: slog.New(slog.NewJSONHandler(h.log, nil)), Clock: clock.System(), Texts: texts, Language: campus.French,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, h.denied },
		ErrorPage: func(f Failure) templ.Component {
			return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
				_, err := io.WriteString(w, f.Title+"|"+f.Message+"|"+f.Next+"|"+f.Code+"|"+f.RequestID)
				return err
			})
		},
		Sign: func(purpose string, data []byte) []byte { return append([]byte(purpose+":"), data...) },
	}
	for _, f := range change {
		f(&c)
	}
	s := New(c)
	h.Server.Config.Handler = s
	room := s.Router("room")
	echo := func(w http.ResponseWriter, r *http.Request) error {
		values, err := Form(r)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, "echo "+values.Get("x"))
		return err
	}
	room.Handle("GET /room", func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, "room "+TakeFlash(w, r))
		return err
	})
	room.Handle("POST /room", echo)
	room.Handle("POST /open", echo, Public)
	room.Handle("GET /open/{name}", echo, Public)
	room.Handle("POST /assertion", echo, Public, CrossSite)
	room.Handle("GET /admin", func(w http.ResponseWriter, r *http.Request) error { return nil }, Needs(campus.RightAdmin))
	room.Handle("GET /broken", func(http.ResponseWriter, *http.Request) error { return testBroken.From(errors.New("secret cause")) }, Public)
	room.Handle("GET /unknown", func(http.ResponseWriter, *http.Request) error { return errors.New("secret cause") }, Public)
	room.Handle("GET /panic", func(http.ResponseWriter, *http.Request) error { panic("secret cause") }, Public)
	room.Handle("GET /flash", func(w http.ResponseWriter, r *http.Request) error {
		Flash(w, r, "platform.time.past", "duration", "<b>")
		return SeeOther(w, r, "/room")
	})
	h.viewer = campustest.Lina()
	return h
}

func (h *house) send(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, h.Server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestARouteIsClosedUnlessItSaysOtherwise(t *testing.T) {
	h := open(t)
	h.viewer = campus.Viewer{}
	if r, _ := h.send(t, "GET", "/room?a=1", ""); r.StatusCode != 303 || r.Header.Get("Location") != "/login?next=%2Froom%3Fa%3D1" {
		t.Errorf("a stranger's GET: %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	if r, body := h.send(t, "POST", "/room", "x=1"); r.StatusCode != 401 || !strings.Contains(body, "platform.sign_in_needed") {
		t.Errorf("a stranger's POST: %d %s", r.StatusCode, body)
	}
	if r, _ := h.send(t, "POST", "/open", "x=1"); r.StatusCode != 200 {
		t.Errorf("a public route: %d", r.StatusCode)
	}
	h.viewer = campustest.Lina()
	if r, body := h.send(t, "GET", "/admin", ""); r.StatusCode != 403 || !strings.Contains(body, "platform.right_missing") {
		t.Errorf("without the right: %d %s", r.StatusCode, body)
	}
	h.viewer = campustest.Alix()
	if r, _ := h.send(t, "GET", "/admin", ""); r.StatusCode != 200 {
		t.Errorf("with the right: %d", r.StatusCode)
	}
}

func TestASessionThatEndedIsExplained(t *testing.T) {
	h := open(t)
	h.viewer, h.denied = campus.Viewer{}, testExpired
	if r, _ := h.send(t, "GET", "/room", ""); !strings.Contains(r.Header.Get("Location"), "because=webtest.expired") {
		t.Errorf("led to %s", r.Header.Get("Location"))
	}
	if r, body := h.send(t, "POST", "/room", "x=1"); r.StatusCode != 401 || !strings.Contains(body, "webtest.expired") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	h.denied = errors.New("the database is away") // not the person's fault: never "sign in again"
	if r, body := h.send(t, "GET", "/room", ""); r.StatusCode != 500 || !strings.Contains(body, "platform.unexpected") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}

func TestAFailureNeverShowsItsCauseAndAlwaysItsCode(t *testing.T) {
	h := open(t)
	for path, code := range map[string]string{"/broken": "webtest.broken", "/unknown": "platform.unexpected", "/panic": "platform.unexpected", "/nowhere": "platform.page_missing"} {
		r, body := h.send(t, "GET", path, "")
		if !strings.Contains(body, code) || strings.Contains(body, "secret") || !strings.Contains(body, r.Header.Get("X-Request-Id")) {
			t.Errorf("%s: %s", path, body)
		}
		if path != "/nowhere" && !strings.Contains(h.log.String(), "secret cause") {
			t.Errorf("%s: the log lacks the cause", path)
		}
		h.log.Reset()
	}
}

func TestAProgramGetsItsFailureAsProblemJSON(t *testing.T) {
	h := open(t)
	h.viewer = campustest.Sam()
	r, body := h.send(t, "GET", "/nowhere", "", "Accept", "application/json", "Accept-Language", "en-GB,en;q=0.9")
	var problem struct {
		Status       int
		Code, Detail string
		RequestID    string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%v %s %s", err, r.Header.Get("Content-Type"), body)
	}
	if problem.Status != 404 || problem.Code != "platform.page_missing" || !strings.HasPrefix(problem.Detail, "Nothing lives") || problem.RequestID == "" {
		t.Errorf("%+v", problem)
	}
}

func TestAnAddressThatIsNoTextIsNobodys(t *testing.T) {
	h := open(t)
	for path, want := range map[string]int{"/open/%C3%A9": 200, "/open/%FF": 404, "/open/%00": 404} {
		if r, body := h.send(t, "GET", path, ""); r.StatusCode != want || (want == 404) != strings.Contains(body, "platform.page_missing") {
			t.Errorf("%s: %d %s", path, r.StatusCode, body)
		}
	}
}

func TestAWrongMethodSaysWhichAreRight(t *testing.T) {
	h := open(t)
	if r, body := h.send(t, "DELETE", "/room", ""); r.StatusCode != 405 || !strings.Contains(r.Header.Get("Allow"), "POST") || !strings.Contains(body, "platform.method_wrong") {
		t.Errorf("%d %s %s", r.StatusCode, r.Header.Get("Allow"), body)
	}
}

func TestAnotherSiteCannotPost(t *testing.T) {
	h := open(t)
	foreign := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	if r, body := h.send(t, "POST", "/room", "x=1", foreign...); r.StatusCode != 403 || !strings.Contains(body, "platform.cross_origin") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	if r, _ := h.send(t, "POST", "/assertion", "x=1", foreign...); r.StatusCode != 200 {
		t.Errorf("the listed exception: %d", r.StatusCode)
	}
	if r, _ := h.send(t, "POST", "/room", "x=1"); r.StatusCode != 200 {
		t.Errorf("a plain client: %d", r.StatusCode)
	}
}

func TestBadFormsAreRefusedWithAReason(t *testing.T) {
	h := open(t)
	var files bytes.Buffer
	m := multipart.NewWriter(&files)
	if err := m.WriteField("x", strings.Repeat("a", defaultBodyLimit)); err != nil {
		t.Fatal(err)
	}
	m.Close()
	for name, c := range map[string]struct {
		body, media string
		status      int
		code        string
	}{
		"latin-1":              {"x=%E9", "", 400, "platform.text_malformed"},
		"a NUL":                {"x=%00", "", 400, "platform.text_malformed"},
		"a bad escape":         {"x=%zz", "", 400, "platform.form_malformed"},
		"ten megabytes":        {"x=" + strings.Repeat("a", 10<<20), "", 413, "platform.body_too_large"},
		"large multipart":      {files.String(), m.FormDataContentType(), 413, "platform.body_too_large"},
		"multipart cut short":  {"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nhal", "multipart/form-data; boundary=b", 400, "platform.form_malformed"},
		"multipart without id": {"x", "multipart/form-data", 400, "platform.form_malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			header := []string{}
			if c.media != "" {
				header = []string{"Content-Type", c.media}
			}
			if r, body := h.send(t, "POST", "/room", c.body, header...); r.StatusCode != c.status || !strings.Contains(body, c.code) {
				t.Errorf("%d %s", r.StatusCode, body)
			}
		})
	}
	if _, body := h.send(t, "POST", "/room", "x="+strings.Repeat("a", defaultBodyLimit-2)); len(body) != len("echo ")+defaultBodyLimit-2 {
		t.Errorf("a form of just the limit came back with %d bytes", len(body))
	}
}

// copied marks a request that is not the one net/http made.
type copied struct{}

func TestALargeFormLeavesNothingOnTheDisk(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	h := open(t)
	onDisk := func() int {
		t.Helper()
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	meanwhile := -1
	h.Config.Handler.(*Server).Router("files").Handle("POST /files", func(_ http.ResponseWriter, r *http.Request) error {
		r = r.WithContext(context.WithValue(r.Context(), copied{}, true)) // handlers read forms from such copies
		if _, err := Form(r); err != nil {
			return err
		}
		meanwhile = onDisk()
		return testBroken
	}, BodyLimit(4<<20))
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	file, err := m.CreateFormFile("file", "thesis.pdf")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(make([]byte, 3<<20)); err != nil {
		t.Fatal(err)
	}
	m.Close()
	if r, body := h.send(t, "POST", "/files", form.String(), "Content-Type", m.FormDataContentType()); r.StatusCode != http.StatusConflict || meanwhile != 1 {
		t.Fatalf("%d %s, with %d files meanwhile", r.StatusCode, body, meanwhile)
	}
	if n := onDisk(); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/room", "/nowhere", "/panic"} {
		r, _ := h.send(t, "GET", path, "")
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"} {
			if r.Header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, r.Header.Get(name))
			}
		}
		if p := r.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'self'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: %s", path, p)
		}
	}
}

func TestTheLanguageIsThePersonsThenTheBrowsersThenTheHouses(t *testing.T) {
	h := open(t)
	for _, c := range []struct {
		own    campus.Locale
		header []string
		want   string
	}{
		{campus.English, []string{"Accept-Language", "fr"}, "Nothing lives"},
		{"", []string{"Accept-Language", "de, en-US;q=0.8, fr;q=0.5"}, "Nothing lives"},
		{"", []string{"Accept-Language", "en", "Cookie", LanguageCookie + "=fr"}, "Rien ne se trouve"},
		{"", []string{"Accept-Language", "de"}, "Rien ne se trouve"},
		{"", []string{"Accept-Language", strings.Repeat("xx,", 5000)}, "Rien ne se trouve"},
	} {
		h.viewer.Locale = c.own
		if _, body := h.send(t, "GET", "/nowhere", "", c.header...); !strings.Contains(body, c.want) {
			t.Errorf("%v %v: %s", c.own, c.header, body)
		}
	}
}

func TestAFlashIsShownOnceAndCannotBeForged(t *testing.T) {
	h := open(t)
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar}
	read := func(path string) string {
		resp, err := c.Get(h.Server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	if got := read("/flash"); got != "room il y a <b>" {
		t.Errorf("got %q", got)
	}
	if got := read("/room"); got != "room " {
		t.Errorf("shown again: %q", got)
	}
	base, _ := url.Parse(h.Server.URL)
	jar.SetCookies(base, []*http.Cookie{{Name: flashCookie, Value: "eyJrIjoicGxhdGZvcm0udGltZS5ub3cifQ.AAAA"}})
	if got := read("/room"); got != "room " {
		t.Errorf("a forged one was shown: %q", got)
	}
}

func TestOverHTTPSCookiesAreBoundToTheHost(t *testing.T) {
	h := open(t, func(c *Config) { c.BaseURL = &url.URL{Scheme: "https", Host: "ent.example"} })
	r, _ := h.send(t, "GET", "/flash", "")
	if c := r.Header.Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-"+flashCookie+"=") || !strings.Contains(c, "Secure") || !strings.Contains(c, "HttpOnly") || strings.Contains(c, "Domain") {
		t.Errorf("cookie: %s", c)
	}
	if r.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
}

type refuse struct{}

func (refuse) Allow(string) (time.Duration, bool) { return 90 * time.Second, false }

func TestWhoAsksTooOftenIsToldHowLongToWait(t *testing.T) {
	h := open(t, func(c *Config) { c.Limit = refuse{} })
	if r, body := h.send(t, "GET", "/room", ""); r.StatusCode != 429 || r.Header.Get("Retry-After") != "90" || !strings.Contains(body, "2 minutes") {
		t.Errorf("%d %s %s", r.StatusCode, r.Header.Get("Retry-After"), body)
	}
}

func TestWhoAsksTooOftenIsNotLookedUpAndGetsAShortPage(t *testing.T) {
	h := open(t, func(c *Config) {
		c.Limit = refuse{}
		c.Authenticate = func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			t.Error("somebody is looked up who is refused anyway")
			return campus.Viewer{}, nil
		}
		c.Prepare = func(_ http.ResponseWriter, r *http.Request) context.Context {
			t.Error("a frame is made that is not drawn")
			return r.Context()
		}
		c.BriefPage = func(f Failure) templ.Component { return templ.Raw(f.Code + strings.Repeat(" ", 4<<10)) }
	})
	r, body := h.send(t, "GET", "/room", "", "Accept-Language", "en") // the client unpacks what is packed
	if r.StatusCode != 429 || r.Header.Get("Retry-After") != "90" || !strings.HasPrefix(body, "platform.too_many_requests") {
		t.Errorf("%d %s %.100s", r.StatusCode, r.Header.Get("Retry-After"), body)
	}
	if r.Uncompressed || r.Header.Get("No-Gzip-Compression") != "" {
		t.Errorf("packed: %t, %v", r.Uncompressed, r.Header)
	}
}

func TestHTMXIsSentOnByItsOwnHeader(t *testing.T) {
	h := open(t)
	if r, _ := h.send(t, "GET", "/flash", "", "HX-Request", "true", "HX-Request-Type", "partial"); r.StatusCode != 204 || r.Header.Get("HX-Location") != "/room" {
		t.Errorf("%d %q", r.StatusCode, r.Header.Get("HX-Location"))
	}
}

func FuzzLocalStaysLocal(f *testing.F) {
	for _, s := range []string{"/", "/a?b=c#d", "//e.example", `/\e.example`, "https://e.example", "/\te", "/a//b", "/%2f%2fe.example", "/..//e.example", "javascript:x", "/a\r\nb: c", "/a@b"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://ent.example/login")
	f.Fuzz(func(t *testing.T, next string) {
		got := Local(next)
		to, err := base.Parse(got)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || strings.ContainsAny(got, "\r\n\\") || strings.HasPrefix(to.Path, "//") {
			t.Errorf("Local(%q) = %q leads to %v", next, got, to)
		}
	})
}

func TestAnOriginIsOneSourceOfAPolicy(t *testing.T) {
	for address, want := range map[string]string{
		"https://moodle.example.org:8443/login?x=1": "https://moodle.example.org:8443",
		"org.example.app:/back":                     "org.example.app:",
		"https://a;script-src *":                    "",
		"https://a';b.example/":                     "",
		"https://a,b/":                              "",
		"/login":                                    "",
		"":                                          "",
		"https://[::1":                              "",
	} {
		if got := OriginOf(address); got != want {
			t.Errorf("the origin of %q is %q, want %q", address, got, want)
		}
	}
}
