package activation

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, mailer.Migrations(), {Name: "identity", FS: os.DirFS("..")}}

var (
	personMissing = fault.Declare(fault.NotFound, "test.person_missing")
	personExists  = fault.Declare(fault.Conflict, "test.person_exists")
)

// goodPassword is one that the rules of the tests accept.
const goodPassword = "quatre chats dorment au soleil"

// sessionCookie stands for a session: it holds who has signed in.
const sessionCookie = "test_session"

// house is the alcove behind a real server, with real codes, contacts and
// letters, and neighbours of a few lines.
type house struct {
	*Activation
	t      *testing.T
	clock  *clock.Manual
	bell   []contract.Notice // what the portal would tell
	keys   *crypt.Keyring
	server *httptest.Server
	from   atomic.Pointer[netip.Addr] // where requests come from

	mu        sync.Mutex
	passwords map[campus.PersonID]string
	events    []journal.Event
	ends      map[campus.PersonID]time.Time
	rights    map[string][]campus.Right // of those who sign in, by login
	factors   map[campus.PersonID]bool
	lookUps   []string // what was asked of the register and of the contacts
}

func (h *house) note(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lookUps = append(h.lookUps, what)
}

// register stands for the room's list of people.
func (h *house) personWhere(ctx context.Context, condition, value string) (p account.Person, err error) {
	err = h.DB.Read().QueryRowContext(ctx, "SELECT id, login, mail, given_name, family_name, student_number, state, locale FROM identity_people WHERE "+condition, value).
		Scan(&p.ID, &p.Login, &p.Mail, &p.GivenName, &p.FamilyName, &p.StudentNumber, &p.State, &p.Locale)
	if errors.Is(err, sql.ErrNoRows) {
		err = personMissing
	}
	return p, err
}

func (h *house) PersonByID(ctx context.Context, who campus.PersonID) (account.Person, error) {
	return h.personWhere(ctx, "id = $1", string(who))
}

func (h *house) PersonByLogin(ctx context.Context, login string) (account.Person, error) {
	h.note("person by login")
	return h.personWhere(ctx, "login = $1 OR mail = $1", login)
}

func (h *house) Activate(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	result, err := tx.ExecContext(ctx, "UPDATE identity_people SET state = 'active' WHERE id = $1 AND state = 'invited'", string(who))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, error(NotInvited))
	}
	return nil
}

func (h *house) AddPerson(ctx context.Context, tx db.Tx, p account.Person) (campus.PersonID, error) {
	p.ID = campus.PersonID(id.New())
	_, err := tx.ExecContext(ctx, `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9, '', 1, 1)`, string(p.ID), p.Login, p.Mail, p.GivenName, p.FamilyName, p.StudentNumber,
		campus.Fold(p.FamilyName+" "+p.GivenName), string(p.State), string(p.Locale))
	if db.IsUnique(err) {
		return "", personExists
	}
	return p.ID, err
}

// contacts counts what is asked of the real ones.
type contacts struct {
	*reach.Reach
	h *house
}

func (c contacts) Points(ctx context.Context, who campus.PersonID) ([]reach.Point, error) {
	c.h.note("points")
	return c.Reach.Points(ctx, who)
}

// passwords stands for the rules and the store of passwords.
type passwords struct{ h *house }

func (p passwords) Fields(account.Person, string, web.Problems) renewal.NewPasswordProps {
	return (&renewal.Renewal{}).Fields(account.Person{}, "", nil)
}

func (p passwords) Problems(_ context.Context, _ account.Person, plain, again string) (problems web.Problems, err error) {
	switch {
	case len(plain) < 12:
		problems.Add(renewal.PlainField, "identity.activation.problem.number_missing")
	case plain != again:
		problems.Add(renewal.AgainField, "identity.activation.problem.number_missing")
	}
	return problems, nil
}

func (p passwords) Hash(_ context.Context, plain string) (renewal.Secret, error) {
	return renewal.Secret{Hash: "hash of " + plain}, nil
}

func (p passwords) Store(ctx context.Context, tx db.Tx, who account.Person, s renewal.Secret, e journal.Event) error {
	tx.AfterCommit(func() {
		p.h.mu.Lock()
		defer p.h.mu.Unlock()
		p.h.passwords[who.ID] = s.Hash
	})
	return p.h.Write(ctx, tx, e)
}

func (h *house) Write(_ context.Context, tx db.Tx, e journal.Event) error {
	tx.AfterCommit(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events = append(h.events, e)
	})
	return nil
}

func (h *house) HasFactor(_ context.Context, who campus.PersonID) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.factors[who], nil
}

func (h *house) EndOn(_ context.Context, tx db.Tx, who campus.PersonID, at time.Time) error {
	tx.AfterCommit(func() { h.ends[who] = at })
	return nil
}

func (h *house) Standing(context.Context, campus.PersonID) (lifecycle.Standing, error) {
	return lifecycle.Standing{ReasonText: "Fees not paid", Office: "Registration office"}, nil
}

// door stands for the way in: whoever enters has signed in.
type door struct{ entry.Door }

func (door) Enter(w http.ResponseWriter, r *http.Request, who campus.PersonID, p entry.Proof, from entry.Arrival) error {
	if p.Method != entry.Password {
		return errors.New("what was proved is the password")
	}
	web.SetCookie(w, r, sessionCookie, string(who), time.Hour)
	return web.SeeOther(w, r, from.Next)
}

func (h *house) authenticate(_ http.ResponseWriter, r *http.Request) (campus.Viewer, error) {
	who := web.Cookie(r, sessionCookie)
	if who == "" {
		return campus.Viewer{}, nil
	}
	p, err := h.PersonByID(r.Context(), campus.PersonID(who))
	if err != nil {
		return campus.Viewer{}, err
	}
	v := p.Viewer()
	v.Locale, v.Rights = campus.English, h.rights[p.Login]
	return v, nil
}

// open is the alcove on a database; change edits what it is made of.
func open(t *testing.T, now *clock.Manual, d *db.DB, change ...func(*Deps, *Config, *mailer.Config)) *house {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{
		t: t, clock: now, keys: keys, passwords: map[campus.PersonID]string{}, ends: map[campus.PersonID]time.Time{},
		rights: map[string][]campus.Right{}, factors: map[campus.PersonID]bool{},
	}
	h.move("192.0.2.1")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, mailer.Locales, os.DirFS("."), os.DirFS("../code"), os.DirFS("../reach"), os.DirFS("../renewal"), os.DirFS("../rules"))
	site, _ := url.Parse("https://ent.valmont.example")
	post, config := mailer.Defaults(), Defaults()
	config.NumberExample = "21900123"
	post.SMS.Transport = mailer.TransportOutbox
	codes := code.New(d, keys)
	deps := Deps{
		DB: d, Clock: now, Log: log, Texts: texts, Base: site, People: h, Register: h, Door: door{}, Factors: h, Endings: h,
		Codes: codes, Passwords: passwords{h}, Journal: h, MailDomains: []string{"valmont.example"},
		NameFrench: "Université de Valmont", NameEnglish: "University of Valmont",
	}
	for _, f := range change {
		f(&deps, &config, &post)
	}
	out, err := mailer.New(mailer.Deps{Config: post, DB: d, Keys: keys, Clock: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	deps.Mailer = out
	deps.Reach = contacts{reach.New(reach.Deps{
		DB: d, Clock: now, Log: log, People: h, Codes: codes, Mailer: out, Journal: h, Notices: h, Texts: texts, BaseURL: site,
		NameFrench: deps.NameFrench, NameEnglish: deps.NameEnglish,
	}, reach.Defaults()), h}
	h.Activation = New(deps, config)
	h.server = httptest.NewServer(nil)
	t.Cleanup(h.server.Close)
	base, _ := url.Parse(h.server.URL)
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English, Sign: keys.MAC, Authenticate: h.authenticate,
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI(), Flash: web.TakeFlash(w, r)})
		},
		ErrorPage: ui.FailurePage, ClientAddr: func(*http.Request) netip.Addr { return *h.from.Load() },
	})
	h.Routes(s.Router("identity"))
	h.server.Config.Handler = s
	return h
}

// move lets the requests that follow come from another network.
func (h *house) move(address string) {
	from := netip.MustParseAddr(address)
	h.from.Store(&from)
}

func sunday() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

// each runs a test with the alcove on both databases.
func each(t *testing.T, test func(t *testing.T, h *house), change ...func(*Deps, *Config, *mailer.Config)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(sunday().Now())
		test(t, open(t, now, d, change...))
	}, schema...)
}

// openOne is the alcove on SQLite, for what does not depend on the database.
func openOne(t *testing.T, change ...func(*Deps, *Config, *mailer.Config)) *house {
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

// add stores a person with what the record says of how to reach them.
func (h *house) add(p account.Person, mobile, address string) account.Person {
	h.t.Helper()
	h.in(func(tx db.Tx) (err error) {
		if p.ID, err = h.AddPerson(h.t.Context(), tx, p); err != nil {
			return err
		}
		return nil
	})
	real := h.Reach.(contacts).Reach
	for channel, value := range map[reach.Channel]string{reach.MobilePhone: mobile, reach.RecoveryMail: address} {
		if value != "" {
			h.in(func(tx db.Tx) error { return real.Record(h.t.Context(), tx, p.ID, channel, value) })
		}
	}
	return p
}

// lina is a student who has just registered.
func (h *house) lina() account.Person {
	h.t.Helper()
	return h.add(account.Person{
		Login: "lmartin", Mail: "lina.martin@valmont.example", GivenName: "Lina", FamilyName: "Martin", StudentNumber: "22104567",
		State: account.Invited, Locale: campus.English,
	}, "+33612345678", "lina@mail.example")
}

// linasForm is what she types.
func linasForm() url.Values {
	return url.Values{"who": {"lina.martin@valmont.example"}, "number": {"22104567"}, "mobile": {"06 12 34 56 78"}}
}

func (h *house) state(who campus.PersonID) account.State {
	h.t.Helper()
	p, err := h.PersonByID(h.t.Context(), who)
	if err != nil {
		h.t.Fatal(err)
	}
	return p.State
}

func (h *house) setState(who campus.PersonID, s account.State) {
	h.t.Helper()
	h.in(func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), "UPDATE identity_people SET state = $2 WHERE id = $1", string(who), string(s))
		return err
	})
}

// message is what the outbox holds, opened with the house's key.
type message struct{ Channel, Kind, To, Subject, Text string }

func (h *house) outbox(kind string) (list []message) {
	h.t.Helper()
	found, err := h.DB.Read().QueryContext(h.t.Context(), "SELECT channel, sealed FROM mailer_outbox ORDER BY id")
	if err != nil {
		h.t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var m message
		var channel, sealed string
		err := found.Scan(&channel, &sealed)
		plain := ""
		if err == nil {
			plain, err = h.keys.OpenText("mailer.outbox", sealed)
		}
		if err == nil {
			err = json.Unmarshal([]byte(plain), &m)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		if m.Channel = channel; m.Kind == "identity."+kind {
			list = append(list, m)
		}
	}
	return list
}

// last finds something in the newest message of a kind.
func (h *house) last(kind string, what *regexp.Regexp) string {
	h.t.Helper()
	list := h.outbox(kind)
	if len(list) == 0 {
		h.t.Fatalf("no message %q", kind)
	}
	found := what.FindStringSubmatch(list[len(list)-1].Text)
	if found == nil {
		h.t.Fatalf("the message %q does not hold %s: %s", kind, what, list[len(list)-1].Text)
	}
	return found[len(found)-1]
}

var (
	sixDigits  = regexp.MustCompile(`\b\d{3} ?\d{3}\b`)
	anyLink    = regexp.MustCompile(`https://ent\.valmont\.example(/activate/[a-z]+\?token=[A-Za-z0-9_-]+)`)
	letterCode = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`)
)

func (h *house) lastCode() string { h.t.Helper(); return h.last(codeKind, sixDigits) }

// browser is a person's browser: it keeps cookies and follows redirects.
type browser struct {
	*http.Client
	h *house
}

func (h *house) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{Client: &http.Client{Jar: jar}, h: h}
}

// agent is the browser of somebody with rights who has signed in.
func (h *house) agent(login string, rights ...campus.Right) *browser {
	h.t.Helper()
	p := h.add(account.Person{Login: login, Mail: login + "@valmont.example", GivenName: "Agnès", FamilyName: "Roux", State: account.Active}, "", "")
	h.rights[login] = rights
	b := h.browser()
	u, _ := url.Parse(h.server.URL)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: sessionCookie, Value: string(p.ID)}})
	return b
}

// answer is what came back, with the body read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.h.t.Helper()
	resp, body := pagetest.Ask(b.h.t, b.Client, method, b.h.server.URL+path, form)
	return answer{resp, body}
}

func (b *browser) get(path string) answer { b.h.t.Helper(); return b.do("GET", path, nil) }
func (b *browser) post(path string, form url.Values) answer {
	b.h.t.Helper()
	return b.do("POST", path, form)
}

// begin types what lina knows and arrives where the code is asked.
func (b *browser) begin() answer { b.h.t.Helper(); return b.post("/activate", linasForm()) }

func (b *browser) typeCode(plain string) answer {
	b.h.t.Helper()
	return b.post("/activate/code", url.Values{"code": {plain}})
}

func (b *browser) choose(plain string) answer {
	b.h.t.Helper()
	return b.post("/activate/password", url.Values{renewal.PlainField: {plain}, renewal.AgainField: {plain}})
}

// prove begins and types the code.
func (b *browser) prove() answer {
	b.h.t.Helper()
	b.begin()
	return b.typeCode(b.h.lastCode())
}

func want(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s: status %d, want %d", a.Request.URL, a.StatusCode, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			_, content, _ := strings.Cut(a.body, "<main")
			t.Errorf("%s: no %q in:\n%.2500s", a.Request.URL, text, content)
		}
	}
}

// kinds are the events that were written, in order.
func (h *house) kinds() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		list = append(list, e.Kind)
	}
	slices.Sort(list)
	return list
}

// Notify implements [contract.Notices].
func (h *house) Notify(_ context.Context, _ db.Tx, _ campus.PersonID, n contract.Notice) error {
	h.bell = append(h.bell, n)
	return nil
}
