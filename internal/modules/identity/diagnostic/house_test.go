package diagnostic

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// These stand for reasons of the room: one that says nothing about an account,
// and one that does.
var (
	_ = fault.Declare(fault.Invalid, "identity.wrong_credentials")
	_ = fault.Declare(fault.Forbidden, "test.suspended").Leads("/portal/help")
)

// loopSentences are those of a reason of another room.
const loopSentences = `[test.loop]
title = "{service} sends you back"
message = "{service} sent you here {turns} times."
next = "Look for cookies."
`

// house is the alcove behind a real server, with the neighbours that it needs.
type house struct {
	*Help
	t        *testing.T
	clock    *clock.Manual
	server   *httptest.Server
	stories  map[string]Story
	attached [][]byte
	ended    int
}

func (h *house) Attach(_ http.ResponseWriter, _ *http.Request, result []byte) (string, error) {
	h.attached = append(h.attached, result)
	return "K7F-3Q9", nil
}

func (h *house) Story(_ *http.Request, code string) (Story, error) {
	s, ok := h.stories[code]
	if !ok {
		return Story{}, attempt.Missing
	}
	return s, nil
}

func (h *house) End(context.Context, http.ResponseWriter, *http.Request) error {
	h.ended++
	return nil
}

func open(t *testing.T) *house {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: clock.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))}
	log := slog.New(slog.DiscardHandler)
	h.Help = New(Deps{Clock: h.clock, Keys: keys, Incidents: h, Sessions: h})
	texts, err := i18n.Load(time.UTC, h.clock, web.Locales, ui.Locales, os.DirFS("."), fstest.MapFS{
		"locales/en.toml": {Data: []byte(loopSentences)}, "locales/fr.toml": {Data: []byte(loopSentences)},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.server = httptest.NewServer(nil)
	t.Cleanup(h.server.Close)
	base, _ := url.Parse(h.server.URL)
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: h.clock, Texts: texts, Language: campus.English,
		Prepare: func(_ http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Path: r.URL.RequestURI()})
		},
		ErrorPage: ui.FailurePage,
	})
	h.Routes(s.Router("identity"))
	for _, path := range []string{"/login", "/{$}"} {
		s.Router("test").Handle("GET "+path, func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, "the page "+r.URL.Path)
			return err
		}, web.Public)
	}
	h.server.Config.Handler = Oversized(s)
	return h
}

// browser keeps cookies, unless it is told not to, and follows redirects.
type browser struct {
	h      *house
	client *http.Client
	agent  string
}

func (h *house) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{h, &http.Client{Jar: jar}, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
}

func (b *browser) ask(method, path string, form url.Values, cookies ...*http.Cookie) (*http.Response, string) {
	b.h.t.Helper()
	r, err := http.NewRequest(method, b.h.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.h.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("User-Agent", b.agent)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	if strings.Contains(string(body), "⟦") {
		b.h.t.Errorf("%s lacks words: %s", path, body[strings.Index(string(body), "⟦"):])
	}
	return resp, string(body)
}

func (b *browser) get(path string) string {
	b.h.t.Helper()
	_, body := b.ask(http.MethodGet, path, nil)
	return body
}

// hidden is the value of a hidden field.
func hidden(t *testing.T, body, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no field %s in %s", name, body)
	}
	return m[1]
}

// run does the whole test and returns the result page with what it found.
func (b *browser) run(scripts url.Values) (Result, string) {
	b.h.t.Helper()
	form := url.Values{"started": {hidden(b.h.t, b.get("/diagnostic"), "started")}}
	for name, v := range scripts {
		form[name] = v
	}
	resp, body := b.ask(http.MethodPost, "/diagnostic", form)
	if resp.Request.URL.Path != "/diagnostic/result" {
		b.h.t.Fatalf("the test ended at %s", resp.Request.URL)
	}
	return b.h.result(body), body
}

// result reads what a result page would attach.
func (h *house) result(body string) Result {
	h.t.Helper()
	text, err := h.open(purposeResult, strings.ReplaceAll(hidden(h.t, body, "of"), "&#34;", `"`))
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := Read(text)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// of is the finding of one check, in short.
func (r Result) of(c Check) string {
	for _, f := range r.Findings {
		if f.Check == c {
			return string(f.Verdict) + " " + f.Case
		}
	}
	return "not looked at"
}

// localesOnDisk are the sentences of this alcove.
func localesOnDisk() fs.FS { return os.DirFS(".") }

// read is the whole body of an answer.
func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
