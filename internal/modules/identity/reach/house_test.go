package reach

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, mailer.Migrations(), {Name: "identity", FS: os.DirFS("..")}}

var errNobody = errors.New("nobody")

// lina and hugo are who the tests are about.
var (
	lina = account.Person{ID: "lina", Login: "lmartin", Mail: "lina.martin@valmont.example", GivenName: "Lina", FamilyName: "Martin", State: account.Active, Locale: campus.English}
	hugo = account.Person{ID: "hugo", Login: "hpetit", Mail: "hugo.petit@valmont.example", GivenName: "Hugo", FamilyName: "Petit", State: account.Active}
)

// house is the alcove behind a real server, with neighbours of a few lines.
type house struct {
	*Reach
	t      *testing.T
	clock  *clock.Manual
	keys   *crypt.Keyring
	server *httptest.Server
	viewer campus.PersonID // who has signed in
	fresh  bool            // a factor was proved a moment ago
	events []journal.Event
	bell   []contract.Notice
}

func (h *house) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	for _, p := range []account.Person{lina, hugo} {
		if p.ID == who {
			return p, nil
		}
	}
	return account.Person{}, errNobody
}

func (h *house) PersonByLogin(context.Context, string) (account.Person, error) {
	return account.Person{}, errNobody
}

func (h *house) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	h.events = append(h.events, e)
	return nil
}

func (h *house) Notify(_ context.Context, _ db.Tx, _ campus.PersonID, n contract.Notice) error {
	h.bell = append(h.bell, n)
	return nil
}

// door stands for the way in: it lets through whoever is fresh.
type door struct {
	entry.Door
	h *house
}

func (d door) Confirm(w http.ResponseWriter, r *http.Request) (bool, error) {
	if d.h.fresh {
		return true, nil
	}
	return false, web.SeeOther(w, r, "/confirm-first")
}

// open is the alcove on a database; change edits what it is made of.
func open(t *testing.T, now *clock.Manual, d *db.DB, change ...func(*Deps, *mailer.Config)) *house {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: now, keys: keys, viewer: lina.ID, fresh: true}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, mailer.Locales, os.DirFS("."), os.DirFS("../code"))
	h.server = httptest.NewServer(nil)
	t.Cleanup(h.server.Close)
	site, _ := url.Parse("https://ent.valmont.example")
	post := mailer.Defaults()
	post.SMS.Transport = mailer.TransportOutbox
	deps := Deps{
		DB: d, Clock: now, Log: log, People: h, Codes: code.New(d, keys), Door: door{h: h}, Notices: h, Journal: h, Texts: texts,
		BaseURL: site, NameFrench: "Université de Valmont", NameEnglish: "University of Valmont", Demo: true,
	}
	for _, f := range change {
		f(&deps, &post)
	}
	if deps.Mailer, err = mailer.New(mailer.Deps{Config: post, DB: d, Keys: keys, Clock: now, Log: log}); err != nil {
		t.Fatal(err)
	}
	h.Reach = New(deps, Defaults())
	base, _ := url.Parse(h.server.URL)
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English, Sign: keys.MAC,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			return campus.Viewer{Person: h.viewer, Locale: campus.English}, nil
		},
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI(), Demo: deps.Demo, Flash: web.TakeFlash(w, r)})
		},
		ErrorPage: ui.FailurePage,
	})
	h.Routes(s.Router("identity"))
	h.server.Config.Handler = s
	h.in(func(tx db.Tx) error {
		for _, p := range []account.Person{lina, hugo} {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
				VALUES ($1, $2, $3, $4, $5, '', '', '', 'invited', '', '', 1, 1)`, string(p.ID), p.Login, p.Mail, p.GivenName, p.FamilyName)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

func sunday() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

// each runs a test with the alcove on both databases.
func each(t *testing.T, test func(t *testing.T, h *house), change ...func(*Deps, *mailer.Config)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(sunday().Now())
		test(t, open(t, now, d, change...))
	}, schema...)
}

// openOne is the alcove on SQLite, for what does not depend on the database.
func openOne(t *testing.T, change ...func(*Deps, *mailer.Config)) *house {
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

// record says what the registration record says of lina.
func (h *house) record(c Channel, value string) {
	h.t.Helper()
	h.in(func(tx db.Tx) error { return h.Record(h.t.Context(), tx, lina.ID, c, value) })
}

// usable are the values that count for lina now.
func (h *house) usable() (values []string) {
	h.t.Helper()
	points, err := h.Points(h.t.Context(), lina.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range points {
		if p.Channel != Mail && p.Usable(h.clock.Now()) {
			values = append(values, p.Value)
		}
	}
	slices.Sort(values)
	return values
}

func (h *house) wantUsable(values ...string) {
	h.t.Helper()
	slices.Sort(values)
	if got := h.usable(); !slices.Equal(got, values) {
		h.t.Errorf("what counts is %q, want %q", got, values)
	}
}

// own adds and confirms a value of lina's, and empties the outbox.
func (h *house) own(c Channel, value string) (pointID string) {
	h.t.Helper()
	pointID, err := h.Add(h.t.Context(), lina, c, value, "")
	if err == nil {
		err = h.Confirm(h.t.Context(), lina, pointID, h.lastCode(), journal.Event{})
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.empty()
	return pointID
}

// message is what the outbox holds, opened with the house's key.
type message struct {
	Channel, Kind, To, Subject, Text, HTML string
}

func (h *house) outbox() (list []message) {
	h.t.Helper()
	found, err := h.DB.Read().QueryContext(h.t.Context(), "SELECT channel, sealed FROM mailer_outbox ORDER BY id")
	if err != nil {
		h.t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var m message
		var channel, sealed string
		if err := found.Scan(&channel, &sealed); err != nil {
			h.t.Fatal(err)
		}
		plain, err := h.keys.OpenText("mailer.outbox", sealed)
		if err == nil {
			err = json.Unmarshal([]byte(plain), &m)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		m.Channel = channel
		list = append(list, m)
	}
	return list
}

// to are the recipients of a kind of letter, in order.
func (h *house) to(kind string) (list []string) {
	h.t.Helper()
	for _, m := range h.outbox() {
		if m.Kind == "identity."+kind {
			list = append(list, m.To)
		}
	}
	slices.Sort(list)
	return list
}

// empty forgets what was sent, events and notices too.
func (h *house) empty() {
	h.t.Helper()
	h.events, h.bell = nil, nil
	h.in(func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), "DELETE FROM mailer_outbox")
		return err
	})
}

var sixDigits = regexp.MustCompile(`\b\d{3} ?\d{3}\b`)

// lastCode is the code in the newest message.
func (h *house) lastCode() string {
	h.t.Helper()
	list := h.outbox()
	if len(list) == 0 {
		h.t.Fatal("no message")
	}
	return sixDigits.FindString(list[len(list)-1].Text)
}

var refusalLink = regexp.MustCompile(`https://ent\.valmont\.example(/identity/contact-change/[A-Za-z0-9_-]+)`)

// lastRefusal is the path of "It was not me" in the newest message with one.
func (h *house) lastRefusal() string {
	h.t.Helper()
	for _, m := range slices.Backward(h.outbox()) {
		if found := refusalLink.FindStringSubmatch(m.Text); found != nil {
			return found[1]
		}
	}
	h.t.Fatal("no message has the link of “It was not me”")
	return ""
}

// answer is what came back, with the body read.
type answer struct {
	*http.Response
	body string
}

func (h *house) do(method, path string, form url.Values) answer {
	h.t.Helper()
	resp, body := pagetest.Ask(h.t, pagetest.Still(), method, h.server.URL+path, form)
	return answer{resp, body}
}

func (h *house) get(path string) answer { h.t.Helper(); return h.do("GET", path, nil) }

func (h *house) post(path string, pairs ...string) answer {
	h.t.Helper()
	return h.do("POST", path, pagetest.Form(pairs...))
}

// breakable writes numbers with blanks that may break, as tests do.
var breakable = strings.NewReplacer("\u00a0", " ")

func want(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", a.Request.Method, a.Request.URL.Path, a.StatusCode, status)
	}
	if strings.Contains(a.body, "⟦") {
		t.Errorf("%s: a label is missing: %s", a.Request.URL.Path, regexp.MustCompile(`⟦[^⟧]*⟧`).FindString(a.body))
	}
	for _, text := range texts {
		if !strings.Contains(breakable.Replace(a.body), text) {
			_, content, _ := strings.Cut(a.body, "<main")
			t.Errorf("%s: no %q in:\n%.2500s", a.Request.URL.Path, text, content)
		}
	}
}

func lead(t *testing.T, a answer, to string) {
	t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != to {
		t.Errorf("%s %s: %d to %q, want to be led to %q", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.Header.Get("Location"), to)
	}
}
