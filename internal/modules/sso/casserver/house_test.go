package casserver

import (
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var (
	// start is the instant at which every test begins.
	start  = time.Date(2026, time.November, 22, 17, 5, 0, 0, time.UTC)
	schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "sso", FS: os.DirFS("..")}}
)

const (
	moodle  = "https://moodle.valmont.example/login/index.php?authCAS=CAS"
	library = "https://bu.valmont.example/"
)

// house is the CAS server behind a web server, with as much of a room around it
// as it asks for.
type house struct {
	*Server
	t     testing.TB
	db    *db.DB
	clock *clock.Manual
	web   *web.Server
	gate  fakeGate // the room's

	mu       sync.Mutex
	viewer   campus.Viewer // who asks
	departed []gate.Departing
}

// each runs a test on either database.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		test(t, newHouse(t, d, now))
	}, schema...)
}

// one runs a test whose subject is not the database.
func one(t testing.TB) *house {
	now := clock.At(start)
	return newHouse(t, dbtest.OpenAt(t, now, schema...), now)
}

func newHouse(t testing.TB, d *db.DB, now *clock.Manual) *house {
	t.Helper()
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
	base, err := url.Parse("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: d, clock: now}
	h.gate.register(
		registry.Service{
			ID: "moodle", NameFrench: "Moodle", NameEnglish: "Moodle", Home: "https://moodle.valmont.example/",
			Patterns: []string{"https://moodle.valmont.example/"}, Attributes: []registry.Attribute{registry.DisplayName, registry.Mail, registry.Affiliation},
		},
		registry.Service{ID: "library", NameEnglish: "Library", Patterns: []string{"https://bu.valmont.example"}},
	)
	log := slog.New(slog.DiscardHandler)
	h.Server = New(Deps{
		DB: d, Clock: now, Log: log, Answers: answer.New(d), Gate: &h.gate, Exit: h, Issuer: base.String(),
		SignIn: func(w http.ResponseWriter, r *http.Request, next string, _ bool) error {
			return web.SeeOther(w, r, "/login?"+url.Values{"next": {next}}.Encode())
		},
		AsksFactor: func(service string) bool { return service == "guarded" },
		Channel:    &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, Defaults())
	h.web = web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.viewer, nil
		},
	})
	h.Routes(h.web.Router("sso"))
	return h
}

// SignOut implements [gate.Exit]: it ends the session, and goes where the room
// would go.
func (h *house) SignOut(w http.ResponseWriter, r *http.Request, d gate.Departing) error {
	h.mu.Lock()
	h.viewer = campus.Viewer{}
	h.departed = append(h.departed, d)
	h.mu.Unlock()
	if d.Refused != nil {
		return d.Refused
	}
	return web.SeeOther(w, r, strings.TrimSuffix("/bye?"+d.Onward, "?"))
}

// endSession is what the room does when somebody's session ends.
func (h *house) endSession(session string) {
	h.t.Helper()
	ctx := h.t.Context()
	err := h.db.InTx(ctx, func(tx db.Tx) error {
		return errors.Join(h.Answers.SessionEnded(ctx, tx, session), h.SessionEnded(ctx, tx, session))
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func lina() campus.Viewer { return campustest.Lina() }

// enter lets somebody sign in, now.
func (h *house) enter(v campus.Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v.SignedInAt, v.Locale = h.clock.Now(), campus.English
	h.viewer = v
}

// get asks for an address of ours as a browser does.
func (h *house) get(path string) *httptest.ResponseRecorder {
	return h.ask(httptest.NewRequest(http.MethodGet, path, nil))
}

func (h *house) ask(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

// loginURL is where a service sends people.
func loginURL(service string, more ...string) string {
	return LoginPath + "?" + query(append([]string{"service", service}, more...)...)
}

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q.Encode()
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

// said is the text of a page, with entities read.
func said(w *httptest.ResponseRecorder) string { return html.UnescapeString(w.Body.String()) }

// ticketFor lets the viewer open a service and returns the ticket it gets.
func (h *house) ticketFor(service string) string {
	h.t.Helper()
	ticket := location(h.t, h.get(loginURL(service))).Query().Get("ticket")
	if ticket == "" {
		h.t.Fatalf("no ticket for %s", service)
	}
	return ticket
}

// askAt asks an address of ours with these parameters, as a service does.
func (h *house) askAt(path string, pairs ...string) string {
	h.t.Helper()
	w := h.get(path + "?" + query(pairs...))
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// check asks to validate a ticket.
func (h *house) check(service, ticket string, more ...string) string {
	h.t.Helper()
	return h.askAt("/cas/p3/serviceValidate", append([]string{"service", service, "ticket", ticket}, more...)...)
}
