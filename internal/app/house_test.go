package app

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// openDemo opens the seeded demo behind a real server, with hashes that cost
// nothing.
func openDemo(t testing.TB, dsn ...string) (*House, *httptest.Server) {
	t.Helper()
	u, err := valmont.Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg := demoConfig(u)
	cfg.Server.DataDir = t.TempDir()
	if len(dsn) > 0 {
		cfg.Database.DSN = dsn[0]
	}
	cfg.Identity.Hash.Memory, cfg.Identity.Hash.Time = 8<<10, 1
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	cfg.Server.BaseURL = server.URL
	h, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := h.fill(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = h.Web
	return h, server
}

// signedIn is the browser of one of the demo's people.
func signedIn(t *testing.T, server *httptest.Server, login string) *http.Client {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar}
	resp, err := c.PostForm(server.URL+"/login", url.Values{"username": {login}, "password": {valmont.Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.Request.URL.Path != "/" {
		t.Fatalf("%s is at %s with %d", login, resp.Request.URL, resp.StatusCode)
	}
	return c
}

// ask sends a request for a route's pattern, with its wildcards filled in, and
// returns the status. Redirects are not followed.
func ask(t *testing.T, c *http.Client, base, pattern string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	for strings.Contains(path, "{") {
		i, j := strings.Index(path, "{"), strings.Index(path, "}")
		value := "x"
		if path[i:j+1] == "{$}" {
			value = ""
		}
		path = path[:i] + value + path[j+1:]
	}
	client := *c
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequest(method, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

// openToStrangers is what anybody may reach, and nothing else: a route that opens
// by mistake is not in it.
var openToStrangers = []string{
	// What the help desk knows, and the state of the services.
	"GET /helpdesk/knowledge", "GET /helpdesk/knowledge/suggest", "GET /helpdesk/knowledge/{slug}", "POST /helpdesk/knowledge/{slug}/helped",
	"GET /helpdesk/status", "GET /helpdesk/status/status.json", "GET /helpdesk/status/feed.atom", "POST /helpdesk/status/dismiss", "GET /helpdesk/status/{id}",
	"GET /helpdesk/status/{id}/calendar.ics", "POST /helpdesk/status/{id}/follow", "POST /helpdesk/status/{id}/unfollow",
	"GET /helpdesk/unfollow/{token}", "POST /helpdesk/unfollow/{token}",
	"GET /assets/", "GET /theme.css", "GET /robots.txt", "GET /favicon.ico",
	"GET /portal/help", "GET /portal/help/{id}", "GET /portal/accessibility", "POST /portal/language", "GET /language/{tag}",
	"GET /portal/news.rss", "GET /portal/news/{id}", "GET /portal/news/pictures/{id}",
	"GET /login", "POST /login", "GET /login/waiting", "GET /logout", "POST /logout", "GET /logout/done", "GET /sso/signed-out",
	"POST /identity/passkey/begin", "POST /identity/passkey",
	// To another system that vouches for people, and back.
	"GET /identity/upstreams/{id}/start", "POST /identity/upstreams/{id}/start", "GET /identity/upstreams/{id}/answer", "POST /identity/upstreams/{id}/answer",
	"GET /identity/upstreams/{id}/resume", "GET /identity/upstreams/{id}/metadata", "GET /identity/upstreams/{id}/left", "POST /identity/upstreams/{id}/part", "POST /identity/upstreams/{id}/ended", "GET /identity/upstreams/{id}/password", "POST /identity/upstreams/{id}/password",
	// Locked out, or going round in circles.
	"GET /login/locked", "POST /login/locked/send", "GET /login/unlock", "POST /login/unlock",
	"GET /login/flag", "POST /login/flag", "GET /login/loop", "POST /login/loop",
	"GET /why", "GET /why/code", "GET /why/{cause}",
	"GET /diagnostic", "POST /diagnostic", "GET /diagnostic/echo", "GET /diagnostic/result", "GET /diagnostic/cookies", "POST /diagnostic/cookies",
	// Without a password, or with one that no longer opens anything.
	"GET /activate", "POST /activate", "GET /activate/other", "POST /activate/other", "GET /activate/desk",
	"GET /activate/invitation", "POST /activate/invitation",
	"GET /password", "POST /password", "GET /password/changed", "GET /password/forgotten", "POST /password/forgotten", "GET /password/link",
	"GET /password/passphrase", "POST /password/known", "GET /.well-known/change-password",
	// Programs that bring a password of their own.
	"GET /.well-known/carddav", "PROPFIND /.well-known/carddav", "OPTIONS /dav/", "GET /dav/", "PROPFIND /dav/", "REPORT /dav/", "PROPPATCH /dav/", "PUT /dav/", "DELETE /dav/", "MKCOL /dav/",
	"GET /api/directory/v1/openapi.json", "GET /api/helpdesk/v1/openapi.json", // how programs push, the same for everybody
	// Asking for help, and following a request with a proof instead of an account.
	"GET /helpdesk", "GET /helpdesk/ask", "GET /helpdesk/ask/{way...}", "GET /helpdesk/ask/write", "POST /helpdesk/ask/write",
	"GET /helpdesk/counters", "GET /helpdesk/counters/{code}", "GET /helpdesk/counters/{code}/{purpose}", "POST /helpdesk/counters/{code}/{purpose}",
	"GET /helpdesk/follow", "POST /helpdesk/follow", "POST /helpdesk/follow/leave", "GET /helpdesk/follow/copy", "GET /helpdesk/follow/{number}",
	"GET /identity/factors/prepare", "GET /identity/recovery", "POST /identity/recovery", "GET /identity/demo-phone",
}

// onTheWay is what somebody reaches before they have a session: with the cookie of
// a sign-in, an activation or a new password under way, or with the token of a
// letter. Whoever has none of them is refused.
var onTheWay = []string{
	"/login/factor", "/login/new-password", "/login/prepare-factor",
	"/identity/factors/add", "/identity/factors/totp", "/identity/factors/sms", "/identity/factors/mail", "/identity/factors/key", "/identity/factors/passkey", "/identity/factors/recovery-codes",
	"/identity/contact-change/{token}", "/identity/recovery/",
	"/activate/code", "/activate/password", "/activate/later", "/activate/resume",
	"/password/code", "/password/link", "/diagnostic/result",
	"/helpdesk/proof", "/helpdesk/follow/{number}/", "/helpdesk/letter/", "/helpdesk/appointments/", "/helpdesk/counter/{code}/kiosk", "/helpdesk/counter/{code}/screen", "/helpdesk/counter/{code}/feed",
	"/scim/v2/", "/api/directory/v1/", "/api/helpdesk/v1/", // programs, with a token that was made on a page
}

func TestOnlyThesePagesAreOpenToStrangers(t *testing.T) {
	h, server := openDemo(t)
	stranger := &http.Client{}
	for _, route := range h.Web.Routes() {
		if route.Room == "sso" && route.Public && (strings.Contains(route.Pattern, " /cas/") || strings.Contains(route.Pattern, " /saml/") || strings.Contains(route.Pattern, " /oidc/") || strings.Contains(route.Pattern, " /.well-known/o")) {
			continue // the protocol's own addresses
		}
		if slices.Contains(openToStrangers, route.Pattern) {
			if !route.Public {
				t.Errorf("%s is closed to strangers", route.Pattern)
			}
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		if route.Public && !slices.ContainsFunc(onTheWay, func(begin string) bool { return strings.HasPrefix(path, begin) }) {
			t.Errorf("%s is open to strangers", route.Pattern)
		}
		status, location := ask(t, stranger, server.URL, route.Pattern)
		refused := status == http.StatusUnauthorized
		switch {
		case method == "GET" && status == http.StatusSeeOther:
			refused = strings.HasPrefix(location, "/login?") || location == "/login"
		case route.Public:
			refused = refused || status == http.StatusGone || status == http.StatusNotFound
		}
		if !refused {
			t.Errorf("%s answers a stranger with %d to %q", route.Pattern, status, location)
		}
	}
}

func TestWhatNeedsARightIsRefusedToWhoLacksIt(t *testing.T) {
	h, server := openDemo(t)
	student := signedIn(t, server, "student")
	guarded := 0
	for _, route := range h.Web.Routes() {
		if len(route.Rights) == 0 {
			continue
		}
		guarded++
		if status, _ := ask(t, student, server.URL, route.Pattern); status != http.StatusForbidden {
			t.Errorf("%s answers a student with %d", route.Pattern, status)
		}
	}
	if guarded < 15 {
		t.Errorf("only %d routes need a right", guarded)
	}
}

// Every page without parameters draws for everybody who may see it, in both
// languages, without a missing label.
func TestEveryPageDrawsForEverybodyWithoutAMissingLabel(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { everyPageDraws(t, dbtest.SQLiteDSN(t)) })
	t.Run("postgres", func(t *testing.T) { everyPageDraws(t, dbtest.PostgresDSN(t)) })
}

func everyPageDraws(t *testing.T, dsn string) {
	h, server := openDemo(t, dsn)
	for _, login := range []string{"student", "teacher", "staff", "agent", "admin"} {
		c := signedIn(t, server, login)
		for _, language := range []string{"fr", "en"} {
			for _, route := range h.Web.Routes() {
				path, isGet := strings.CutPrefix(route.Pattern, "GET ")
				if !isGet || strings.Contains(strings.Replace(path, "{$}", "", 1), "{") || strings.HasPrefix(path, "/assets") {
					continue
				}
				r, _ := http.NewRequest("GET", server.URL+strings.Replace(path, "{$}", "", 1), nil)
				r.Header.Set("Accept-Language", language)
				resp, err := c.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode >= 500 || bytes.Contains(body, []byte("⟦")) {
					i := bytes.Index(body, []byte("⟦"))
					t.Errorf("%s as %s in %s: status %d, %q", path, login, language, resp.StatusCode, body[max(0, i):min(len(body), max(0, i)+60)])
				}
			}
		}
	}
}

func TestSeedingTwiceChangesNothing(t *testing.T) {
	h, _ := openDemo(t)
	u, err := valmont.Load()
	if err != nil {
		t.Fatal(err)
	}
	before, err := h.identity.CountPeople(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.fill(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if after, _ := h.identity.CountPeople(t.Context()); after != before || before != int64(len(u.People)) {
		t.Errorf("%d people, then %d", before, after)
	}
}

func TestTheDemoListensOnLoopbackUnlessToldTwice(t *testing.T) {
	for _, c := range []struct {
		listen  string
		expose  int
		allowed bool
	}{
		{"127.0.0.1:0", 0, true}, {"[::1]:0", 0, true}, {"localhost:0", 0, true},
		{"0.0.0.0:8420", 0, false}, {"0.0.0.0:8420", 1, false}, {"0.0.0.0:8420", 2, true},
		{":8420", 0, false}, {"192.0.2.1:80", 1, false}, {"nonsense", 2, false},
	} {
		if err := (demoCommand{Listen: c.listen, Expose: c.expose}).refuseStrangers(); (err == nil) != c.allowed {
			t.Errorf("%s told %d times: %v", c.listen, c.expose, err)
		}
	}
}

// run runs a command as a shell would.
func run(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	code = Main(args, nil, &b, &b)
	return code, b.String()
}

func TestABackupRestoredElsewhereIsTheSameHouse(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	config := func(dir string) string {
		file := filepath.Join(dir, "amphi.toml")
		if err := os.WriteFile(file, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	before, after, archive := config(from), config(to), filepath.Join(from, "backup.tar.gz")
	if code, out := run(t, "person", "add", "-c", before, "lmartin", "--mail", "lina@valmont.example", "--given-name", "Lina", "--family-name", "Martin"); code != 0 {
		t.Fatal(out)
	}
	if err := os.MkdirAll(filepath.Join(from, "var/files/ab/abc"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "var/files/ab/abc/content"), []byte("picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := run(t, "backup", "-c", before, archive); code != 0 || !strings.Contains(out, "The key") {
		t.Fatal(out)
	}
	if code, out := run(t, "backup", "-c", before, archive); code != 1 || !strings.Contains(out, "exists already") {
		t.Errorf("a second backup of the same name: %s", out)
	}
	if code, out := run(t, "restore", "-c", after, archive); code != 0 {
		t.Fatal(out)
	}
	if code, out := run(t, "person", "list", "-c", after); code != 0 || !strings.Contains(out, "Lina Martin") {
		t.Errorf("after the restore: %s", out)
	}
	if got, err := os.ReadFile(filepath.Join(to, "var/files/ab/abc/content")); err != nil || string(got) != "picture" {
		t.Errorf("file: %q, %v", got, err)
	}
	if code, out := run(t, "restore", "-c", after, archive); code != 1 || !strings.Contains(out, "move it away") {
		t.Errorf("a restore over a living house: %s", out)
	}
}

func TestADamagedArchiveChangesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "amphi.toml")
	if err := os.WriteFile(file, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "a.tar.gz")
	if code, out := run(t, "person", "add", "-c", file, "lmartin", "--mail", "l@v.example", "--given-name", "L", "--family-name", "M"); code != 0 {
		t.Fatal(out)
	}
	if code, out := run(t, "backup", "-c", file, archive); code != 0 {
		t.Fatal(out)
	}
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "var")); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{"cut short": whole[:len(whole)/2], "one bit flipped": flipped, "empty": nil, "no archive": []byte("hello")} {
		if err := os.WriteFile(archive, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out := run(t, "restore", "-c", file, archive); code != 1 {
			t.Errorf("%s: code %d, %s", name, code, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "var/amphi.db")); err == nil {
			t.Errorf("%s: a database was put in place", name)
		}
	}
}

func TestAWrongConfigurationIsToldAtOnceWithLinesAndCodeTwo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "amphi.toml")
	if err := os.WriteFile(file, []byte("[server]\nlissten = \"127.0.0.1:1\"\n[identity.session]\nidle = 5\n[nonsense]\nx = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := run(t, "config", "check", "-c", file)
	if code != 2 || !strings.Contains(out, "line 2") || !strings.Contains(out, "did you mean server.listen?") || !strings.Contains(out, "nonsense") {
		t.Errorf("code %d:\n%s", code, out)
	}
	if code, out := run(t, "config", "print"); code != 0 || !strings.Contains(out, "[identity.session]") || !strings.Contains(out, `idle = "2h"`) {
		t.Errorf("code %d:\n%s", code, out)
	}
}

func TestEveryCommandAndOptionExplainsItself(t *testing.T) {
	for _, command := range [][]string{{}, {"serve"}, {"demo"}, {"config"}, {"config", "check"}, {"config", "explain"}, {"migrate"}, {"person"}, {"person", "add"}, {"backup"}, {"restore"}, {"key", "rotate"}, {"version"}} {
		code, out := run(t, append(command, "--help")...)
		if code != 0 || !strings.Contains(out, "Usage: amphi") {
			t.Errorf("%v: code %d\n%s", command, code, out)
		}
	}
	parser, err := kong.New(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(false) {
		for _, option := range command.Flags {
			if option.Help == "" {
				t.Errorf("%s: --%s has no help", command.Path(), option.Name)
			}
		}
		for _, argument := range command.Positional {
			if argument.Help == "" {
				t.Errorf("%s: <%s> has no help", command.Path(), argument.Name)
			}
		}
	}
	if code, out := run(t, "nonsense"); code != 2 || !strings.Contains(out, "amphi --help") {
		t.Errorf("code %d: %s", code, out)
	}
}
