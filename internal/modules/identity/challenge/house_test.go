package challenge

import (
	"context"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/factortest"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// errLost is what the door says to strangers.
var errLost = fault.Declare(fault.Gone, "identity_challenge_test.lost")

// lina is who the tests are about.
var lina = account.Person{ID: "lina", Login: "lmartin", Mail: "lina.martin@valmont.example", GivenName: "Lina", FamilyName: "Martin", State: account.Active}

// house is the pages behind a real server, with real factors and neighbours of a
// few lines.
type house struct {
	*Challenge
	t     *testing.T
	clock *clock.Manual
	url   string
	key   *factortest.Authenticator

	actor   entry.Actor // nobody when empty
	entered campus.PersonID
	from    entry.Arrival
	proved  []entry.Proof
	went    int // on without a proof
	stumble []string
	sent    string // the newest code
	sentAt  time.Time
	refuses error // of the gateway
}

func (h *house) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	if who != lina.ID {
		return account.Person{}, errors.New("nobody")
	}
	return lina, nil
}

func (h *house) PersonByLogin(context.Context, string) (account.Person, error) {
	return account.Person{}, errors.New("nobody")
}

func (h *house) Write(context.Context, db.Tx, journal.Event) error { return nil }

func (h *house) Tell(context.Context, db.Tx, account.Person, reach.Letter) error { return nil }

func (h *house) Points(context.Context, campus.PersonID) ([]reach.Point, error) {
	return []reach.Point{{ID: "p1", Channel: reach.MobilePhone, Value: "+33612345678", Masked: "+33 6 •• •• •• 78", UsableAt: h.clock.Now().Add(-time.Hour)}}, nil
}

func (h *house) SendCode(_ context.Context, _ db.Tx, _ account.Person, _ reach.Point, _, plain string, _ time.Duration) error {
	h.sent, h.sentAt = plain, h.clock.Now()
	return h.refuses
}

func (h *house) Sent(_ context.Context, at reach.Point, _ string) (reach.Sent, error) {
	return reach.Sent{To: at.Masked, SMS: true, At: h.sentAt}, nil
}

// door stands for the way in.
type door struct {
	entry.Door
	h *house
}

func (d door) Actor(*http.Request) (entry.Actor, error) {
	if d.h.actor.Person == "" {
		return entry.Actor{}, errLost
	}
	return d.h.actor, nil
}

func (d door) Proved(w http.ResponseWriter, r *http.Request, _ entry.Actor, p entry.Proof, back string) error {
	d.h.proved = append(d.h.proved, p)
	return web.SeeOther(w, r, back)
}

func (d door) Proceed(w http.ResponseWriter, r *http.Request, _ entry.Actor, _ string) error {
	d.h.went++
	return web.SeeOther(w, r, "/next")
}

func (d door) Stumbled(_ *http.Request, a entry.Actor, _ entry.Method, reason error) string {
	d.h.stumble = append(d.h.stumble, fault.Of(reason).Reason.Code())
	return a.At
}

func (d door) Enter(w http.ResponseWriter, r *http.Request, who campus.PersonID, p entry.Proof, from entry.Arrival) error {
	d.h.entered, d.h.from, d.h.proved = who, from, append(d.h.proved, p)
	return web.SeeOther(w, r, from.Next)
}

// open is the pages with lina on the way in to a service.
func open(t *testing.T) *house {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	d := dbtest.OpenAt(t, now, db.Migrations{Name: "identity", FS: os.DirFS("..")})
	h := &house{t: t, clock: now, actor: entry.Actor{Person: lina.ID, Attempt: "attempt", At: "K7F-3Q9", ProvedAt: now.Now()}}
	log := slog.New(slog.DiscardHandler)
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, crypt.Locales, mailer.Locales, os.DirFS("."), os.DirFS("../code"), os.DirFS("../reach"), os.DirFS("../factor"))
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	h.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	h.key = factortest.New(h.url)
	factors, err := factor.New(factor.Deps{
		DB: d, Keys: keys, Log: log, People: h, Codes: code.New(d, keys), Reach: h, Journal: h, TextMessages: true, BaseURL: h.url, Institution: "Valmont",
	}, factor.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	h.Challenge = New(Deps{
		Log: log, People: h, Door: door{h: h}, Factors: factors, TrustFor: func() time.Duration { return 30 * 24 * time.Hour },
		Destination: func(context.Context, entry.Actor) (string, string, []string, error) {
			return "Moodle", "moodle", []string{"https://moodle.example"}, nil
		},
		Arrives: func(context.Context, string) []string { return nil },
	})
	base, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English, Sign: keys.MAC,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			return campus.Viewer{Locale: campus.English}, nil
		},
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Path: r.URL.RequestURI()})
		},
		ErrorPage:  ui.FailurePage,
		ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
	})
	h.Routes(s.Router("identity"))
	server.Config.Handler = s
	err = d.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
			VALUES ('lina', 'lmartin', 'l', '', '', '', '', '', 'active', '', '', 1, 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// app gives lina an authenticator app and returns its secret.
func (h *house) app() string {
	h.t.Helper()
	e, err := h.Factors.BeginApp(h.t.Context(), h.actor)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Factors.ConfirmApp(h.t.Context(), factor.Occasion{Actor: h.actor}, e.ID, "", h.code(e.Key)); err != nil {
		h.t.Fatal(err)
	}
	h.clock.Advance(time.Minute)
	return e.Key
}

func (h *house) code(key string) string {
	h.t.Helper()
	shown, err := totp.GenerateCode(strings.ReplaceAll(key, " ", ""), h.clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return shown
}

// plug gives lina a passkey.
func (h *house) plug() {
	h.t.Helper()
	begun, err := h.Factors.BeginKey(h.t.Context(), h.actor, true)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := h.key.Create(begun.Options)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Factors.ConfirmKey(h.t.Context(), factor.Occasion{Actor: h.actor}, begun.ID, answer, "Blue key"); err != nil {
		h.t.Fatal(err)
	}
}

// phone gives lina a phone.
func (h *house) phone() string {
	h.t.Helper()
	if _, err := h.Factors.BeginPoint(h.t.Context(), h.actor, "p1"); err != nil {
		h.t.Fatal(err)
	}
	f, err := h.Factors.ConfirmPoint(h.t.Context(), factor.Occasion{Actor: h.actor}, "p1", "", h.sent)
	if err != nil {
		h.t.Fatal(err)
	}
	return f.ID
}

// answer is what came back, with the body read.
type answer struct {
	*http.Response
	body string
}

func (h *house) do(method, path string, form url.Values) answer {
	h.t.Helper()
	resp, body := pagetest.Ask(h.t, pagetest.Still(), method, h.url+path, form)
	return answer{resp, body}
}

func (h *house) get(path string) answer { h.t.Helper(); return h.do("GET", path, nil) }

func (h *house) post(path string, pairs ...string) answer {
	h.t.Helper()
	return h.do("POST", path, pagetest.Form(pairs...))
}

var absent = regexp.MustCompile(`⟦[^⟧]*⟧|\[identity\.[a-z_.0-9]+\]`)

func want(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	_, content, _ := strings.Cut(a.body, "<main")
	if a.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d\n%.1500s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, content)
	}
	if missing := absent.FindString(a.body); missing != "" {
		t.Errorf("%s: a label is missing: %s", a.Request.URL.Path, missing)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(a.body), text) {
			t.Errorf("%s: no %q in:\n%.2500s", a.Request.URL.Path, text, content)
		}
	}
}

func lead(t *testing.T, a answer, to string) {
	t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != to {
		t.Errorf("%s %s: %d to %q, want to be led to %q\n%.600s", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.Header.Get("Location"), to, a.body)
	}
}

// field reads a hidden field or an attribute of the page.
func (a answer) field(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no %s in\n%.2500s", pattern, a.body)
	}
	return html.UnescapeString(m[1])
}
