package renewal

import (
	"context"
	"encoding/json"
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

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, mailer.Migrations(), {Name: "identity", FS: os.DirFS("..")}}

// The failures of the neighbours, as the room declares them.
var (
	wrong   = fault.Declare(fault.Invalid, "identity_test.wrong")
	slowed  = fault.Declare(fault.Busy, "identity_test.slowed")
	nobody  = fault.Declare(fault.NotFound, "identity_test.nobody")
	lostWay = fault.Declare(fault.Unauthenticated, "identity_test.lost")
)

// lina has a recovery address and a phone, hugo only his institutional address.
var (
	lina = account.Person{ID: "lina", Login: "lmartin", Mail: "lina.martin@valmont.example", GivenName: "Lina", FamilyName: "Martin", State: account.Active, Locale: campus.English}
	hugo = account.Person{ID: "hugo", Login: "hpetit", Mail: "hugo.petit@valmont.example", GivenName: "Hugo", FamilyName: "Petit", State: account.Active, Locale: campus.French}
)

const (
	linasPassword = "Gravier-93-lampe"
	another       = "Tunnel-47-cerise"
	linasMail     = "lina@home.example"
	linasPhone    = "+33612345678"
)

// house is the alcove behind a real server, with neighbours of a few lines.
type house struct {
	*Renewal
	t      *testing.T
	clock  *clock.Manual
	keys   *crypt.Keyring
	server *httptest.Server
	viewer campus.PersonID // who has signed in
	actor  *entry.Actor    // who is on the way in
	may    bool            // nothing else comes before a new password
	// keeper is the upstream that keeps everybody's password; empty for us.
	keeper, keeperPage string
	strong             bool          // nobody changes a password by it alone
	slow               bool          // passwords are not looked at now
	state              account.State // of everybody
	events             []journal.Event
	ended              []string          // "who but session"
	untrusted          []campus.PersonID // whose browsers stand in for a factor no more
	entered            []string          // "who by method to next"
	checked            int               // passwords that were looked at
	language           campus.Locale
}

func (h *house) person(match func(account.Person) bool) (account.Person, error) {
	for _, p := range []account.Person{lina, hugo} {
		if match(p) {
			p.State = h.state
			return p, nil
		}
	}
	return account.Person{}, nobody
}

func (h *house) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	return h.person(func(p account.Person) bool { return p.ID == who })
}

func (h *house) PersonByLogin(_ context.Context, login string) (account.Person, error) {
	return h.person(func(p account.Person) bool { return p.Login == login || p.Mail == login })
}

var cheap = password.Params{Memory: 64, Time: 1, Threads: 1}

func (h *house) HashPassword(_ context.Context, plain string) (string, error) {
	return password.Hash(plain, cheap), nil
}

func (h *house) MatchesHash(_ context.Context, hash, plain string) (bool, error) {
	ok, _, err := password.Verify(hash, plain, cheap)
	return ok, err
}

func (h *house) CheckPassword(ctx context.Context, login, plain string, _ netip.Addr) (account.Person, error) {
	h.checked++
	if h.slow {
		return account.Person{}, slowed.With(fault.Args{"wait": time.Minute})
	}
	p, err := h.PersonByLogin(ctx, strings.ToLower(login))
	if err != nil {
		return p, wrong
	}
	if !h.opens(p.ID, plain) {
		return account.Person{}, wrong
	}
	return p, nil
}

// opens reports whether this is somebody's password now.
func (h *house) opens(who campus.PersonID, plain string) bool {
	h.t.Helper()
	var hash string
	if err := h.DB.Read().QueryRowContext(h.t.Context(), "SELECT hash FROM identity_passwords WHERE person_id = $1", string(who)).Scan(&hash); err != nil {
		h.t.Fatal(err)
	}
	ok, _, err := password.Verify(hash, plain, cheap)
	if err != nil {
		h.t.Fatal(err)
	}
	return ok
}

func (h *house) EndTrust(_ context.Context, _ db.Tx, who campus.PersonID) (int, error) {
	h.untrusted = append(h.untrusted, who)
	return 0, nil
}

func (h *house) EndSessionsOf(_ context.Context, _ db.Tx, who campus.PersonID, but string) (int, error) {
	h.ended = append(h.ended, string(who)+" but "+but)
	return 1, nil
}

func (h *house) MayRenew(*http.Request, entry.Actor) (bool, error) { return h.may, nil }

func (h *house) MayReplace(*http.Request, account.Person) (bool, error) { return !h.strong, nil }

func (h *house) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	h.events = append(h.events, e)
	return nil
}

// door stands for the way in.
type door struct {
	entry.Door
	h *house
}

func (d door) Actor(*http.Request) (entry.Actor, error) {
	if d.h.actor == nil {
		return entry.Actor{}, lostWay
	}
	return *d.h.actor, nil
}

func (d door) Proceed(w http.ResponseWriter, r *http.Request, _ entry.Actor, _ string) error {
	return web.SeeOther(w, r, "/proceeded")
}

func (d door) Enter(w http.ResponseWriter, r *http.Request, who campus.PersonID, p entry.Proof, from entry.Arrival) error {
	d.h.entered = append(d.h.entered, string(who)+" by "+string(p.Method)+" to "+from.Next)
	return web.SeeOther(w, r, "/entered")
}

func open(t *testing.T, now *clock.Manual, d *db.DB, change ...func(*Config)) *house {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: now, keys: keys, state: account.Active, may: true, language: campus.English}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, mailer.Locales, os.DirFS("."), os.DirFS("../code"), os.DirFS("../rules"), os.DirFS("../reach"))
	h.server = httptest.NewServer(nil)
	t.Cleanup(h.server.Close)
	site, _ := url.Parse("https://ent.valmont.example")
	post := mailer.Defaults()
	post.SMS.Transport = mailer.TransportOutbox
	mail, err := mailer.New(mailer.Deps{Config: post, DB: d, Keys: keys, Clock: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	codes := code.New(d, keys)
	contacts := reach.New(reach.Deps{
		DB: d, Clock: now, Log: log, People: h, Codes: codes, Door: door{h: h}, Mailer: mail, Journal: h, Texts: texts,
		BaseURL: site, NameFrench: "Université de Valmont", NameEnglish: "University of Valmont",
	}, reach.Defaults())
	c := Defaults()
	for _, f := range change {
		f(&c)
	}
	h.Renewal, err = New(Deps{
		DB: d, Clock: now, Log: log, Keys: keys, Texts: texts, People: h, Hasher: h, Checker: h, Sessions: h, Devices: h, Way: h,
		Door: door{h: h}, Codes: codes, Contacts: contacts, Post: mail, Journal: h, Base: site,
		NameFrench: "Université de Valmont", NameEnglish: "University of Valmont",
		Elsewhere: func(context.Context, account.Person) (string, string, bool, error) {
			return h.keeper, h.keeperPage, h.keeper != "", nil
		},
		OwnDomain: func(domain string) bool { return strings.HasSuffix(domain, "valmont.example") },
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	base, _ := url.Parse(h.server.URL)
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English, Sign: keys.MAC,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			p, err := h.PersonByID(t.Context(), h.viewer)
			if err != nil {
				return campus.Viewer{Locale: h.language}, nil
			}
			v := p.Viewer()
			v.Session, v.Locale = "s-1", h.language
			return v, nil
		},
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI(), Flash: web.TakeFlash(w, r)})
		},
		ErrorPage:  ui.FailurePage,
		ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
	})
	h.Routes(s.Router("identity"))
	h.server.Config.Handler = s
	h.in(func(tx db.Tx) error {
		for _, p := range []account.Person{lina, hugo} {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
				VALUES ($1, $2, $3, $4, $5, '', '', '', 'active', '', '', $6, 1)`, string(p.ID), p.Login, p.Mail, p.GivenName, p.FamilyName, tx.Now())
			if err != nil {
				return err
			}
		}
		if err := contacts.Record(t.Context(), tx, lina.ID, reach.RecoveryMail, linasMail); err != nil {
			return err
		}
		if err := contacts.Record(t.Context(), tx, lina.ID, reach.MobilePhone, linasPhone); err != nil {
			return err
		}
		_, err := tx.ExecContext(t.Context(), "UPDATE identity_points SET verified_at = usable_at")
		return err
	})
	h.set(lina, linasPassword)
	h.set(hugo, linasPassword)
	h.empty()
	return h
}

func sunday() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

// each runs a test with the alcove on both databases.
func each(t *testing.T, test func(t *testing.T, h *house), change ...func(*Config)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(sunday().Now())
		test(t, open(t, now, d, change...))
	}, schema...)
}

// openOne is the alcove on SQLite, for what does not depend on the database.
func openOne(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	now := sunday()
	return open(t, now, dbtest.OpenAt(t, now, schema...), change...)
}

func (h *house) in(f func(tx db.Tx) error) {
	h.t.Helper()
	if err := h.DB.InTx(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// set gives somebody a password.
func (h *house) set(p account.Person, plain string) {
	h.t.Helper()
	secret, err := h.Hash(h.t.Context(), plain)
	if err != nil {
		h.t.Fatal(err)
	}
	h.in(func(tx db.Tx) error { return h.Store(h.t.Context(), tx, p, secret, journal.Event{}) })
}

// empty forgets what was sent, and what happened.
func (h *house) empty() {
	h.t.Helper()
	h.events, h.ended, h.untrusted, h.entered, h.checked = nil, nil, nil, nil, 0
	h.in(func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), "DELETE FROM mailer_outbox")
		return err
	})
}

// work does the jobs that wait.
func (h *house) work() {
	h.t.Helper()
	for _, job := range h.waiting() {
		if err := h.send(h.t.Context(), job); err != nil {
			h.t.Fatal(err)
		}
	}
	h.in(func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), "DELETE FROM jobs WHERE name = $1", SendRecovery{}.JobName())
		return err
	})
}

func (h *house) waiting() (list []SendRecovery) {
	h.t.Helper()
	rows, err := h.DB.Read().QueryContext(h.t.Context(), "SELECT args FROM jobs WHERE name = $1 ORDER BY id", SendRecovery{}.JobName())
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var args string
		var job SendRecovery
		err := rows.Scan(&args)
		if err == nil {
			err = json.Unmarshal([]byte(args), &job)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		list = append(list, job)
	}
	return list
}

// message is what the outbox holds, opened with the house's key.
type message struct {
	Kind, To, Subject, Text string
}

func (h *house) outbox() (list []message) {
	h.t.Helper()
	found, err := h.DB.Read().QueryContext(h.t.Context(), "SELECT sealed FROM mailer_outbox ORDER BY id")
	if err != nil {
		h.t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var m message
		var sealed string
		if err := found.Scan(&sealed); err != nil {
			h.t.Fatal(err)
		}
		plain, err := h.keys.OpenText("mailer.outbox", sealed)
		if err == nil {
			err = json.Unmarshal([]byte(plain), &m)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// to are the recipients of all messages, in order.
func (h *house) to() (list []string) {
	h.t.Helper()
	for _, m := range h.outbox() {
		list = append(list, m.To)
	}
	slices.Sort(list)
	return list
}

var (
	sixDigits    = regexp.MustCompile(`\b\d{3} ?\d{3}\b`)
	recoveryLink = regexp.MustCompile(`https://ent\.valmont\.example(/password/link\?key=([A-Za-z0-9_-]+))`)
)

// lastCode is the code in the newest message.
func (h *house) lastCode() string {
	h.t.Helper()
	list := h.outbox()
	if len(list) == 0 {
		h.t.Fatal("no message")
	}
	return sixDigits.FindString(list[len(list)-1].Text)
}

// codeTo is the code in the newest message to somebody.
func (h *house) codeTo(to string) string {
	h.t.Helper()
	for _, m := range slices.Backward(h.outbox()) {
		if m.To == to {
			return sixDigits.FindString(m.Text)
		}
	}
	h.t.Fatalf("no message to %s", to)
	return ""
}

// lastLink is the path and the key of the link in the newest message with one.
func (h *house) lastLink() (path, key string) {
	h.t.Helper()
	for _, m := range slices.Backward(h.outbox()) {
		if found := recoveryLink.FindStringSubmatch(m.Text); found != nil {
			return found[1], found[2]
		}
	}
	h.t.Fatal("no message has a link")
	return "", ""
}

// browser is a person's browser: it keeps cookies and follows nothing.
type browser struct {
	*http.Client
	h *house
}

func (h *house) browser() *browser {
	return &browser{pagetest.Still(), h}
}

type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.h.t.Helper()
	resp, body := pagetest.Ask(b.h.t, b.Client, method, b.h.server.URL+path, form, "Accept-Language", string(b.h.language))
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
	if missing := regexp.MustCompile(`⟦[^⟧]*⟧`).FindString(a.body); missing != "" && !strings.Contains(missing, "identity_test") {
		t.Errorf("%s: a label is missing: %s", a.Request.URL.Path, missing)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			_, content, _ := strings.Cut(a.body, "<main")
			t.Errorf("%s: no %q in:\n%.3000s", a.Request.URL.Path, text, content)
		}
	}
}

func lead(t *testing.T, a answer, to string) {
	t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != to {
		_, content, _ := strings.Cut(a.body, "<main")
		t.Errorf("%s %s: %d to %q, want to be led to %q\n%.1500s", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.Header.Get("Location"), to, content)
	}
}
