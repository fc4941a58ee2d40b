package enrol

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schema = db.Migrations{Name: "identity", FS: os.DirFS("..")}

// errLost is what the door says to strangers.
var errLost = fault.Declare(fault.Gone, "identity_enrol_test.lost")

// lina is who the tests are about; hugo is somebody else.
var (
	lina = account.Person{ID: "lina", Login: "lmartin", Mail: "lina.martin@valmont.example", GivenName: "Lina", FamilyName: "Martin", State: account.Active, Affiliations: []campus.Affiliation{{Kind: campus.Student}}}
	hugo = account.Person{ID: "hugo", Login: "hpetit", Mail: "hugo.petit@valmont.example", GivenName: "Hugo", FamilyName: "Petit", State: account.Active}
)

// house is the pages behind a real server, with real factors and devices, and
// neighbours of a few lines.
type house struct {
	*Enrol
	t      *testing.T
	db     *db.DB
	clock  *clock.Manual
	texts  *i18n.Catalogue
	url    string // by the name of the machine, which keys are bound to
	routes []web.Route

	viewer campus.PersonID // who has signed in; empty for nobody
	actor  entry.Actor     // who is on the way in, when nobody has
	fresh  bool            // a factor was proved a moment ago

	toMoodle bool          // the sign-in leads there
	points   []reach.Point // lina's phones
	sent     string        // the newest code
	letters  []string      // kinds of the letters that left
	events   []string      // kinds of the events in the journal
	proved   []entry.Proof
	putOff   bool
	went     bool // the way in went on without a proof
	stumble  []string
}

func (h *house) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	for _, p := range []account.Person{lina, hugo} {
		if p.ID == who {
			return p, nil
		}
	}
	return account.Person{}, errors.New("nobody")
}

func (h *house) PersonByLogin(context.Context, string) (account.Person, error) {
	return account.Person{}, errors.New("nobody")
}

func (h *house) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	h.events = append(h.events, e.Kind)
	return nil
}

func (h *house) Tell(_ context.Context, _ db.Tx, _ account.Person, l reach.Letter) error {
	h.letters = append(h.letters, l.Kind)
	return nil
}

func (h *house) Points(_ context.Context, who campus.PersonID) ([]reach.Point, error) {
	if who != lina.ID {
		return nil, nil
	}
	return h.points, nil
}

func (h *house) SendCode(_ context.Context, _ db.Tx, _ account.Person, _ reach.Point, _, plain string, _ time.Duration) error {
	h.sent = plain
	return nil
}

func (h *house) Sent(_ context.Context, at reach.Point, _ string) (reach.Sent, error) {
	return reach.Sent{To: at.Masked, SMS: at.SMS()}, nil
}

// door stands for the way in.
type door struct {
	entry.Door
	h *house
}

func (d door) Actor(*http.Request) (entry.Actor, error) {
	switch {
	case d.h.viewer != "":
		return entry.Actor{Person: d.h.viewer, Session: "session"}, nil
	case d.h.actor.Person != "":
		return d.h.actor, nil
	default:
		return entry.Actor{}, errLost
	}
}

func (d door) Confirm(w http.ResponseWriter, r *http.Request) (bool, error) {
	if d.h.fresh {
		return true, nil
	}
	return false, web.SeeOther(w, r, "/confirm-first")
}

func (d door) Proved(w http.ResponseWriter, r *http.Request, _ entry.Actor, p entry.Proof, back string) error {
	d.h.proved = append(d.h.proved, p)
	return web.SeeOther(w, r, back)
}

func (d door) Proceed(w http.ResponseWriter, r *http.Request, _ entry.Actor, back string) error {
	d.h.went = true
	return web.SeeOther(w, r, back)
}

func (d door) PutOff(w http.ResponseWriter, r *http.Request, _ entry.Actor) error {
	d.h.putOff = true
	return web.SeeOther(w, r, "/")
}

func (d door) Stumbled(_ *http.Request, a entry.Actor, _ entry.Method, reason error) string {
	d.h.stumble = append(d.h.stumble, fault.Of(reason).Reason.Code())
	return a.At
}

// open is the pages on a database; lina has signed in and proved a factor.
func open(t *testing.T, now *clock.Manual, d *db.DB, change ...func(*factor.Config)) *house {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: d, clock: now, viewer: lina.ID, fresh: true}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h.texts = i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, crypt.Locales, os.DirFS("."), os.DirFS("../code"), os.DirFS("../reach"), os.DirFS("../factor"), os.DirFS("../device"))
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	h.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	c := factor.Defaults()
	for _, f := range change {
		f(&c)
	}
	devices := device.New(device.Deps{DB: d, Clock: now, Post: h, Journal: h, Texts: h.texts}, device.Defaults())
	factors, err := factor.New(factor.Deps{
		DB: d, Keys: keys, Log: log, People: h, Codes: code.New(d, keys), Reach: h, Journal: h, Trust: devices, TextMessages: true,
		BaseURL: h.url, Institution: "Valmont",
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	h.Enrol = New(Deps{
		Clock: now, Keys: keys, People: h, Door: door{h: h}, Factors: factors, Destination: h.destination,
		Devices: devices,
	})
	base, _ := url.Parse(h.url)
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: h.texts, Language: campus.English, Sign: keys.MAC,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			if h.viewer == "" {
				return campus.Viewer{Locale: campus.English}, nil
			}
			return campus.Viewer{Person: h.viewer, Session: "session", Locale: campus.English}, nil
		},
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI(), Flash: web.TakeFlash(w, r)})
		},
		ErrorPage:  ui.FailurePage,
		ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
	})
	h.Routes(s.Router("identity"))
	h.routes = s.Routes()
	server.Config.Handler = s
	h.in(func(tx db.Tx) error {
		for _, p := range []account.Person{lina, hugo} {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
				VALUES ($1, $2, $3, $4, $5, '', '', '', 'active', '', '', 1, 1)`, string(p.ID), p.Login, p.Mail, p.GivenName, p.FamilyName)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

func sunday() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *house), change ...func(*factor.Config)) {
	now := clock.At(sunday())
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(sunday())
		test(t, open(t, now, d, change...))
	}, schema)
}

// openOne is the pages on SQLite, for what does not depend on the database.
func openOne(t *testing.T, change ...func(*factor.Config)) *house {
	t.Helper()
	now := clock.At(sunday())
	return open(t, now, dbtest.OpenAt(t, now, schema), change...)
}

// students must have a factor.
func students(c *factor.Config) { c.RequiredKinds = []campus.Kind{campus.Student} }

func (h *house) in(f func(tx db.Tx) error) {
	h.t.Helper()
	if err := h.db.InTx(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// enter puts somebody on the way in, with the right password and nothing more.
func (h *house) enter(who campus.PersonID) {
	h.viewer, h.fresh = "", false
	h.actor = entry.Actor{Person: who, Attempt: "attempt", At: "K7F-3Q9", ProvedAt: h.clock.Now()}
}

// destination is Moodle, or the portal.
func (h *house) destination(context.Context, entry.Actor) (name, service string, origins []string, err error) {
	if !h.toMoodle {
		return "", "", nil, nil
	}
	return "Moodle of Valmont", "moodle", []string{"https://moodle.example"}, nil
}

// own gives somebody an authenticator app, as this package's pages would.
func (h *house) own(who campus.PersonID, label string) (id, secret string) {
	h.t.Helper()
	a := entry.Actor{Person: who, Session: "session"}
	e, err := h.Factors.BeginApp(h.t.Context(), a)
	if err != nil {
		h.t.Fatal(err)
	}
	f, err := h.Factors.ConfirmApp(h.t.Context(), factor.Occasion{Actor: a}, e.ID, label, h.code(e.Key, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	h.letters, h.events = nil, nil
	return f.ID, e.Key
}

// code is what an app with a key shows, on a phone whose clock is late.
func (h *house) code(key string, late time.Duration) string {
	h.t.Helper()
	shown, err := totp.GenerateCode(strings.ReplaceAll(key, " ", ""), h.clock.Now().Add(-late))
	if err != nil {
		h.t.Fatal(err)
	}
	return shown
}

// labels are the names of somebody's factors, in order.
func (h *house) labels(who campus.PersonID) (list []string) {
	h.t.Helper()
	factors, err := h.Factors.Of(h.t.Context(), who)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range factors {
		if alone(f) {
			list = append(list, f.Label)
		}
	}
	slices.Sort(list)
	return list
}

func (h *house) wantLabels(who campus.PersonID, labels ...string) {
	h.t.Helper()
	if got := h.labels(who); !slices.Equal(got, labels) {
		h.t.Errorf("the factors are %q, want %q", got, labels)
	}
}

// browser keeps cookies and follows nothing.
type browser struct {
	*http.Client
	h *house
}

func (h *house) browser() *browser {
	return &browser{pagetest.Still(), h}
}

// answer is what came back, with the body read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.h.t.Helper()
	resp, body := pagetest.Ask(b.h.t, b.Client, method, b.h.url+path, form)
	return answer{resp, body}
}

func (b *browser) get(path string) answer { b.h.t.Helper(); return b.do("GET", path, nil) }

func (b *browser) post(path string, pairs ...string) answer {
	b.h.t.Helper()
	return b.do("POST", path, pagetest.Form(pairs...))
}

func want(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", a.Request.Method, a.Request.URL.Path, a.StatusCode, status)
	}
	if missing := regexp.MustCompile(`⟦[^⟧]*⟧|\[identity\.[a-z_.0-9]+\]`).FindString(a.body); missing != "" {
		t.Errorf("%s: a label is missing: %s", a.Request.URL.Path, missing)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			_, content, _ := strings.Cut(a.body, "<main")
			t.Errorf("%s: no %q in:\n%.2500s", a.Request.URL.Path, text, content)
		}
	}
}

func without(t *testing.T, a answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("%s: %q should not be there", a.Request.URL.Path, text)
		}
	}
}

func lead(t *testing.T, a answer, to string) {
	t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != to {
		t.Errorf("%s %s: %d to %q, want to be led to %q\n%.600s", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.Header.Get("Location"), to, a.body)
	}
}

var (
	keyOnPage       = regexp.MustCompile(`<code>([A-Z2-7 ]{16,})</code>`)
	enrolmentOnPage = regexp.MustCompile(`name="enrolment" value="([^"]+)"`)
)

// app reads the key and the enrolment from a page with a square.
func app(t *testing.T, a answer) (key, enrolment string) {
	t.Helper()
	k, e := keyOnPage.FindStringSubmatch(a.body), enrolmentOnPage.FindStringSubmatch(a.body)
	if k == nil || e == nil {
		t.Fatalf("%s shows no key:\n%.3000s", a.Request.URL.Path, a.body)
	}
	return k[1], e[1]
}

// trust spares lina the factor in one browser.
func (h *house) trust() {
	h.t.Helper()
	h.in(func(tx db.Tx) error {
		_, err := h.Devices.Remember(h.t.Context(), tx, lina, device.Sight{
			Address: netip.MustParseAddr("192.0.2.1"), Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Trust: true, Expected: true,
		})
		return err
	})
	h.letters, h.events = nil, nil
}
