package sso

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// start is the instant at which every test begins.
var start = time.Date(2026, time.November, 22, 17, 5, 0, 0, time.UTC)

// tables are the schema steps that the room's tests need.
var tables = []db.Migrations{
	{Name: jobs.Name, FS: jobs.Migrations()},
	{Name: "sso", FS: migrations},
}

// each runs a test in a house on either database.
func each(t *testing.T, f func(t *testing.T, h *house)) {
	c := clock.At(start)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(start)
		f(t, newHouse(t, d, c))
	}, tables...)
}

// one runs a test whose subject is not the database.
func one(t testing.TB) *house {
	c := clock.At(start)
	return newHouse(t, dbtest.OpenAt(t, c, tables...), c)
}

// house is the room with as much of a house around it as its pages need.
type house struct {
	t      testing.TB
	db     *db.DB
	clock  *clock.Manual
	module *Module
	server *web.Server
	people fakePeople
	mails  *fakeMailer

	mu      sync.Mutex
	viewer  campus.Viewer // who asks
	ended   []string
	cookies map[string]*http.Cookie // of their browser
}

const (
	moodle  = "https://moodle.valmont.example/login/index.php?authCAS=CAS"
	library = "https://bu.valmont.example/"
)

func testConfig() Config {
	c := Defaults()
	c.LogoutAttempts = 3
	c.AllowLoopback = true
	c.Services = []registry.Service{
		{
			ID: "moodle", NameFrench: "Moodle", NameEnglish: "Moodle", Home: "https://moodle.valmont.example/",
			Patterns: []string{"https://moodle.valmont.example/"}, Contact: "moodle@valmont.example",
			Attributes: []registry.Attribute{registry.DisplayName, registry.Mail, registry.Affiliation},
		},
		{
			ID: "library", NameFrench: "Bibliothèque", NameEnglish: "Library", Home: library,
			Patterns: []string{"https://bu.valmont.example"}, Audience: campus.Audience{Kinds: []campus.Kind{campus.Student}},
		},
		{ID: "closed", NameFrench: "Ancien", Patterns: []string{"https://old.valmont.example"}, Disabled: true},
		{ID: "wiki", NameFrench: "Wiki", Patterns: []string{"https://wiki.valmont.example"}, NoSingleLogout: true},
	}
	return c
}

func newHouse(t testing.TB, d *db.DB, c *clock.Manual) *house {
	t.Helper()
	h := &house{t: t, db: d, clock: c, cookies: map[string]*http.Cookie{}, mails: &fakeMailer{}, people: fakePeople{
		"displayName": {"Lina Martin"}, "mail": {"lina.martin@valmont.example"}, "eduPersonAffiliation": {"student", "member"}, "sn": {"Martin"},
	}}
	store, err := files.Disk(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	texts := i18ntest.Load(t, time.UTC, c, web.Locales, ui.Locales, locales)
	base, err := url.Parse("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	sign := func(purpose string, data []byte) []byte {
		mac := hmac.New(sha256.New, []byte("key of the test "+purpose))
		mac.Write(data)
		return mac.Sum(nil)
	}
	h.module = New(Deps{
		DB: d, Clock: c, Log: log, Texts: texts, People: h.people, Sessions: h, Foresight: h, Mailer: h.mails, Files: store, Sign: sign, Names: sign, Seal: plain{}, BaseURL: base.String(),
	}, testConfig())
	h.server = web.New(web.Config{
		BaseURL: base, Log: log, Clock: c, Texts: texts, Language: campus.French, Sign: sign,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.viewer, nil
		},
	})
	h.module.Routes(h.server.Router("sso"))
	return h
}

// enter lets somebody sign in, now.
func (h *house) enter(v campus.Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v.SignedInAt = h.clock.Now()
	v.Locale = campus.English
	h.viewer = v
}

// plain seals nothing: the tests have no secret.
type plain struct{}

func (plain) SealText(_, text string) (string, error) { return text, nil }
func (plain) OpenText(_, text string) (string, error) { return text, nil }

func (h *house) CloseSession(ctx context.Context, _ campus.Viewer, session string) error {
	h.mu.Lock()
	h.ended = append(h.ended, session)
	h.mu.Unlock()
	return h.db.InTx(ctx, func(tx db.Tx) error { return h.module.SessionEnded(ctx, tx, session) })
}

// End is what identity does when /cas/logout asks it to.
func (h *house) End(ctx context.Context, _ http.ResponseWriter, _ *http.Request) error {
	h.mu.Lock()
	session := h.viewer.Session
	h.viewer = campus.Viewer{}
	h.ended = append(h.ended, session)
	h.mu.Unlock()
	return h.db.InTx(ctx, func(tx db.Tx) error { return h.module.SessionEnded(ctx, tx, session) })
}

// runJobs works through what is due, with a real runner, until done says so.
func (h *house) runJobs(done func() bool) {
	h.t.Helper()
	reg := jobs.NewRegistry()
	h.module.Jobs(reg)
	ctx, cancel := context.WithCancel(h.t.Context())
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		jobs.NewRunner(h.db, reg, h.module.Log, jobs.Options{Poll: 5 * time.Millisecond}).Run(ctx)
	}()
	defer func() { cancel(); <-finished }()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatal("the jobs were not done in time")
		}
	}
}

type fakePeople map[string][]string

func (p fakePeople) Attributes(context.Context, campus.PersonID) (map[string][]string, error) {
	return p, nil
}

func (fakePeople) Viewer(_ context.Context, who campus.PersonID) (campus.Viewer, error) {
	for _, v := range []campus.Viewer{campustest.Lina(), campustest.Paul(), campustest.Alix()} {
		if v.Person == who {
			return v, nil
		}
	}
	return campus.Viewer{}, errors.New("nobody")
}

func (fakePeople) Incident(_ context.Context, code string) (campus.PersonID, time.Time, time.Time, error) {
	if code != "K7F-3Q9" {
		return "", time.Time{}, time.Time{}, ServiceMissing
	}
	return campustest.Lina().Person, start.Add(-time.Minute), start.Add(time.Minute), nil
}

type fakeMailer struct {
	mu   sync.Mutex
	sent []mailer.Message
}

func (f *fakeMailer) Send(_ context.Context, _ db.Tx, m mailer.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, m)
	return nil
}

// get asks for an address of ours as a browser does.
func (h *house) get(path string) *httptest.ResponseRecorder {
	return h.ask(httptest.NewRequest(http.MethodGet, path, nil))
}

func (h *house) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return h.ask(r)
}

func (h *house) ask(r *http.Request) *httptest.ResponseRecorder {
	h.t.Helper()
	h.mu.Lock()
	for _, c := range h.cookies {
		r.AddCookie(c)
	}
	h.mu.Unlock()
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range w.Result().Cookies() {
		h.cookies[c.Name] = c
	}
	return w
}

// loginURL is where a service sends people.
func loginURL(service string, more ...string) string {
	q := url.Values{"service": {service}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Add(more[i], more[i+1])
	}
	return "/cas/login?" + q.Encode()
}

// location is where an answer leads.
func location(t testing.TB, w *httptest.ResponseRecorder) *url.URL {
	t.Helper()
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther {
		t.Fatalf("status %d, Location %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	return u
}

// ticketFor lets the viewer open a service and returns the ticket it gets.
func (h *house) ticketFor(service string) string {
	h.t.Helper()
	ticket := location(h.t, h.get(loginURL(service))).Query().Get("ticket")
	if ticket == "" {
		h.t.Fatalf("no ticket for %s", service)
	}
	return ticket
}

// check asks to validate a ticket, as a service does.
func (h *house) check(service, ticket string, more ...string) string {
	h.t.Helper()
	q := url.Values{"service": {service}, "ticket": {ticket}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Add(more[i], more[i+1])
	}
	w := h.get("/cas/p3/serviceValidate?" + q.Encode())
	if w.Code != http.StatusOK {
		h.t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func lina() campus.Viewer { return campustest.Lina() }

// context speaks a language.
func (h *house) context(l campus.Locale) context.Context {
	return i18n.With(h.t.Context(), h.server.Texts.For(l))
}

// Somebody is Lina, whoever is asked for.
func (h *house) Somebody(_ context.Context, login string) (campus.Viewer, error) {
	if login != lina().Login {
		return campus.Viewer{}, ServiceMissing
	}
	return lina(), nil
}

// Foresee is the sign-in in front of the services, which asks for what a service
// wants.
func (h *house) Foresee(_ context.Context, c contract.Circumstances) ([]contract.Condition, error) {
	outcome := contract.Passes
	if c.Factor || c.FreshFactor {
		outcome = contract.Asks
	}
	return []contract.Condition{{Name: "factor", Outcome: outcome, Message: c.Country}}, nil
}
