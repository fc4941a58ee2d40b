package risk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "identity", FS: os.DirFS("..")}}

// The people of the tests.
var (
	lina = account.Person{
		ID: "lina", Login: "lmartin", Mail: "lina.martin@valmont.example", GivenName: "Lina", FamilyName: "Martin", State: account.Active, Locale: campus.English,
		Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives"}},
	}
	hugo = account.Person{ID: "hugo", Login: "hpetit", Mail: "hugo.petit@valmont.example", GivenName: "Hugo", FamilyName: "Petit", State: account.Active}
	root = account.Person{ID: "root", Login: "admin", Mail: "admin@valmont.example", State: account.Active, Rights: []campus.Right{campus.RightAdmin}}
)

// The networks of the tests.
var (
	home      = netip.MustParseAddr("192.0.2.7")
	abroad    = netip.MustParseAddr("203.0.113.9")
	campusNet = netip.MustParseAddr("198.51.100.1")
)

var errLost = fault.Declare(fault.Unauthenticated, "identity.test_lost")

// letter is one that somebody got.
type letter struct {
	to campus.PersonID
	reach.Letter
}

// arg is a fact of the letter.
func (l letter) arg(name string) any {
	for i := 0; i+1 < len(l.Args); i += 2 {
		if l.Args[i] == name {
			return l.Args[i+1]
		}
	}
	return nil
}

// house is the alcove behind a real server, with neighbours of a few lines.
type house struct {
	*Risk
	t      *testing.T
	clock  *clock.Manual
	texts  *i18n.Catalogue
	server *httptest.Server

	viewer campus.Viewer // who has signed in
	actor  entry.Actor   // who is on the way in
	known  string        // the device of the browser, when its user knows it
	factor bool

	mu      sync.Mutex
	letters []letter
	events  []journal.Event
	went    []string // where the way in led on to
	stumble []string
}

func (h *house) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	for _, p := range []account.Person{lina, hugo, root} {
		if p.ID == who {
			return p, nil
		}
	}
	return account.Person{}, errors.New("nobody")
}

func (h *house) PersonByLogin(context.Context, string) (account.Person, error) {
	return account.Person{}, errors.New("nobody")
}

func (h *house) Of(*http.Request, campus.PersonID) (device.Device, bool, error) {
	return device.Device{ID: h.known}, h.known != "", nil
}

func (h *house) Tell(_ context.Context, _ db.Tx, to account.Person, l reach.Letter) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letters = append(h.letters, letter{to.ID, l})
	return nil
}

func (h *house) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	return nil
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

func (d door) Proceed(w http.ResponseWriter, r *http.Request, a entry.Actor, back string) error {
	d.h.went = append(d.h.went, string(a.Person))
	_, err := io.WriteString(w, "further on the way in")
	return err
}

func (d door) Stumbled(_ *http.Request, _ entry.Actor, _ entry.Method, reason error) string {
	d.h.stumble = append(d.h.stumble, fault.Of(reason).Reason.Code())
	return "K7F-3Q9"
}

func open(t *testing.T, now *clock.Manual, d *db.DB, change ...func(*Config)) *house {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: now}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h.texts = i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."), os.DirFS("../code"))
	c := Defaults()
	c.Networks = []place.Network{
		{Name: "home of Lina", CIDR: []string{"192.0.2.0/24"}, Country: "FR", Place: "48.69, 6.18"},
		{Name: "far away", CIDR: []string{"203.0.113.0/24"}, Country: "CA", Place: "45.50, -73.57"},
		{Name: "campus", CIDR: []string{"198.51.100.0/24"}, Country: "FR", Kind: "campus"},
	}
	for _, f := range change {
		f(&c)
	}
	if problems := c.Check(); len(problems) > 0 {
		t.Fatal(problems)
	}
	h.Risk, err = New(Deps{
		DB: d, Clock: now, Log: log, Zone: time.UTC, Sign: keys.MAC, People: h,
		Admins:  func(context.Context) ([]account.Person, error) { return []account.Person{root}, nil },
		Devices: h, Door: door{h: h}, Post: h, Codes: code.New(d, keys), Journal: h,
		HasFactor: func(context.Context, campus.PersonID) (bool, error) { return h.factor, nil }, FactorURL: "/login/factor",
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	h.server = httptest.NewServer(nil)
	t.Cleanup(h.server.Close)
	base, _ := url.Parse(h.server.URL)
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: h.texts, Language: campus.English, Sign: keys.MAC,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI(), Flash: web.TakeFlash(w, r)})
		},
		ErrorPage:  ui.FailurePage,
		ClientAddr: func(*http.Request) netip.Addr { return home },
	})
	h.Routes(s.Router("identity"))
	h.server.Config.Handler = s
	return h
}

func morning() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *house), change ...func(*Config)) {
	now := morning()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(morning().Now())
		test(t, open(t, now, d, change...))
	}, schema...)
}

// openOne is for what does not depend on the database.
func openOne(t *testing.T, change ...func(*Config)) *house {
	now := morning()
	return open(t, now, dbtest.OpenAt(t, now, schema...), change...)
}

func (h *house) in(f func(tx db.Tx) error) {
	h.t.Helper()
	if err := h.DB.InTx(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// note writes one try down.
func (h *house) note(s Signal) {
	h.t.Helper()
	if s.Identifier == "" {
		s.Identifier = s.Person.Login
	}
	if !s.Address.IsValid() {
		s.Address = home
	}
	h.in(func(tx db.Tx) error { return h.Note(h.t.Context(), tx, s) })
}

// refuse notes wrong passwords of somebody, in one of their browsers or elsewhere.
func (h *house) refuse(times int, who account.Person, known string, from netip.Addr) {
	h.t.Helper()
	for range times {
		h.note(Signal{Circumstances: Circumstances{Person: who, Device: known, Address: from}, Outcome: Refused, Reason: "identity.wrong_credentials"})
	}
}

// welcome notes a sign-in that went well.
func (h *house) welcome(who account.Person, known string, from netip.Addr) {
	h.t.Helper()
	h.note(Signal{Circumstances: Circumstances{Person: who, Device: known, Address: from}, Outcome: In})
}

// work runs the jobs that wait, once each.
func (h *house) work() {
	h.t.Helper()
	ctx := h.t.Context()
	list, err := jobs.NewBoard(h.DB).List(ctx, jobs.Filter{State: jobs.Waiting, Limit: 500})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, job := range list {
		var tell TellLock
		var alarm TellAlarm
		switch job.Name {
		case tell.JobName():
			err = errors.Join(json.Unmarshal([]byte(job.Args), &tell), h.tellLock(ctx, tell))
		case alarm.JobName():
			err = errors.Join(json.Unmarshal([]byte(job.Args), &alarm), h.tellAlarm(ctx, alarm))
		}
		if err != nil {
			h.t.Fatal(err)
		}
		h.in(func(tx db.Tx) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM jobs WHERE id = $1", job.ID)
			return err
		})
	}
}

// locked is how long somebody's lock still holds; zero when there is none.
func (h *house) locked(who account.Person, known string) time.Duration {
	h.t.Helper()
	l, ok, err := h.LockOf(h.t.Context(), who.ID, known)
	if err != nil {
		h.t.Fatal(err)
	}
	if !ok {
		return 0
	}
	return l.Until.Sub(h.clock.Now())
}

// kinds are the kinds of the letters that somebody got.
func (h *house) kinds(who account.Person) (kinds []string) {
	for _, l := range h.letters {
		if l.to == who.ID {
			kinds = append(kinds, l.Kind)
		}
	}
	return kinds
}

// token is the one in the newest letter.
func (h *house) token() string {
	h.t.Helper()
	if len(h.letters) == 0 {
		h.t.Fatal("there is no letter")
	}
	u, err := url.Parse(h.letters[len(h.letters)-1].URL)
	if err != nil {
		h.t.Fatal(err)
	}
	return u.Query().Get("token")
}

// answer is what came back, with the body read.
type answer struct {
	*http.Response
	body string
}

func (h *house) get(path string) answer { return h.do(http.MethodGet, path, nil) }
func (h *house) post(path string, form url.Values) answer {
	return h.do(http.MethodPost, path, form)
}

func (h *house) do(method, path string, form url.Values) answer {
	h.t.Helper()
	resp, body := pagetest.Ask(h.t, pagetest.Still(), method, h.server.URL+path, form, "Accept", "text/html", "Accept-Language", "en")
	return answer{resp, body}
}

func (a answer) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", a.Request.Method, a.Request.URL.Path, a.StatusCode, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			_, content, _ := strings.Cut(a.body, "<main")
			t.Errorf("%s: no %q in:\n%.2500s", a.Request.URL.Path, text, content)
		}
	}
}

func (a answer) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("%s tells %q", a.Request.URL.Path, text)
		}
	}
}

// happened reports whether the journal has an event of this kind.
func (h *house) happened(kind string) bool {
	return slices.ContainsFunc(h.events, func(e journal.Event) bool { return e.Kind == kind })
}
