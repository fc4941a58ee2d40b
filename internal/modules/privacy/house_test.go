package privacy_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// start is a Sunday afternoon in November.
var start = time.Date(2026, time.November, 22, 15, 5, 0, 0, time.UTC)

// house is the room with a register of people and one neighbour around it.
type house struct {
	t       *testing.T
	clock   *clock.Manual
	db      *db.DB
	texts   *i18n.Catalogue
	store   *files.DiskStore
	privacy *privacy.Module
	server  *web.Server
	viewer  campus.Viewer // who asks
	proved  bool          // they proved anew who they are
	people  *register
	telling sync.Mutex // several jobs tell people at once
	notices []contract.Notice
	mails   []mailer.Message
	cookies map[string]string
	abroad  *services // nil where no account is elsewhere
	rounds  int       // of [house.work]
	// reading is called for each note that an export reads, told for each notice that
	// is about to be noted.
	reading, told func()
}

func (h *house) rooms() []contract.Module {
	rooms := []contract.Module{h.people, notes{h}, h.privacy}
	if h.abroad != nil {
		rooms = append(rooms, h.abroad)
	}
	return rooms
}

// steps are the tables of the neighbours: who there is, and what they wrote.
var steps = fstest.MapFS{"0001_notes.sql": {Data: []byte(`-- +goose Up
CREATE TABLE notes_people (id TEXT NOT NULL PRIMARY KEY, login TEXT NOT NULL);
CREATE TABLE notes_sheets (id TEXT NOT NULL PRIMARY KEY, person_id TEXT NOT NULL, changed_by TEXT NOT NULL, words TEXT NOT NULL);
CREATE TABLE notes_lines (id TEXT NOT NULL PRIMARY KEY, sheet_id TEXT NOT NULL REFERENCES notes_sheets (id) ON DELETE CASCADE, words TEXT NOT NULL);
CREATE TABLE notes_marks (id TEXT NOT NULL PRIMARY KEY, person_id TEXT NOT NULL);
-- +goose Down
DROP TABLE notes_marks;
DROP TABLE notes_lines;
DROP TABLE notes_sheets;
DROP TABLE notes_people;
`)}}

// register is the room that knows people. Nobody writes into it here.
type register struct {
	contract.Register
	h      *house
	states map[campus.PersonID]string
	left   map[campus.PersonID][]campus.Kind // what people were until they left
	due    []contract.Due
}

func (r *register) Name() string              { return "people" }
func (r *register) Migrations() fs.FS         { return embed.FS{} }
func (r *register) Locales() fs.FS            { return embed.FS{} }
func (r *register) Routes(*web.Router)        {}
func (r *register) everyone() []campus.Viewer { return append(campustest.Everyone(), officer()) }

func (r *register) FindPeople(_ context.Context, _ contract.Field, values []string) (map[string]campus.PersonID, error) {
	found := map[string]campus.PersonID{}
	for _, v := range r.everyone() {
		if slices.Contains(values, v.Login) {
			found[v.Login] = v.Person
		}
	}
	return found, nil
}

func (r *register) KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, v := range r.everyone() {
		var there bool
		if err := r.h.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) > 0 FROM notes_people WHERE id = $1", string(v.Person)).Scan(&there); err != nil {
			return nil, err
		}
		if _, gone := r.left[v.Person]; gone {
			v.Affiliations = nil
		}
		if there && v.Person != "" && slices.Contains(ids, v.Person) {
			known[v.Person] = contract.Known{ID: v.Person, State: r.states[v.Person], Subject: contract.Subject{
				Login: v.Login, Mail: v.Mail, GivenName: v.GivenName, FamilyName: v.FamilyName, Affiliations: v.Affiliations, Locale: v.Locale,
			}}
		}
	}
	return known, nil
}

func (r *register) RegisteredUntil(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]map[campus.Kind]time.Time, error) {
	until := map[campus.PersonID]map[campus.Kind]time.Time{}
	for _, id := range ids {
		for _, kind := range r.left[id] {
			if until[id] == nil {
				until[id] = map[campus.Kind]time.Time{}
			}
			until[id][kind] = start.AddDate(-1, 0, 0)
		}
	}
	return until, nil
}

func (r *register) DueForErasure(_ context.Context, _ time.Time, after campus.PersonID, _ int) ([]contract.Due, error) {
	return slices.DeleteFunc(slices.Clone(r.due), func(d contract.Due) bool { return d.Person <= after }), nil
}

func (r *register) Holdings(context.Context) []contract.Holding {
	return []contract.Holding{contract.Holding{Table: "notes_people", What: "Votre nom", Why: "Vous nommer", Basis: "Mission", Until: "Départ"}.
		On(contract.PublicTask, contract.DataIdentity).Erased(contract.Delete("id"))}
}

func (r *register) Export(_ context.Context, who campus.PersonID, a *contract.Archive) error {
	return a.JSON("person.json", map[string]any{"id": who})
}

// notes is a neighbour that holds something.
type notes struct{ h *house }

func (notes) Name() string       { return "notes" }
func (notes) Migrations() fs.FS  { return steps }
func (notes) Locales() fs.FS     { return embed.FS{} }
func (notes) Routes(*web.Router) {}

func (notes) Holdings(context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Holding{Table: "notes_sheets", What: "Vos notes", Why: "Les relire", Basis: "Mission", Until: "Départ"}.On(contract.Consent, contract.DataWritings).
			Erased(contract.Delete("person_id"), contract.Clear("changed_by")),
		contract.Holding{Table: "notes_lines", What: "Leurs lignes", Why: "Les relire", Basis: "Mission", Until: "Départ"}.On(contract.Consent, contract.DataWritings).
			Erased(contract.Delete("sheet_id").Through("notes_sheets", "id", "person_id")),
		contract.Holding{Table: "notes_marks", What: "Vos résultats", Why: "Le diplôme", Basis: "Loi", Until: "50 ans"}.On(contract.LegalObligation, contract.DataStudies).
			Erased(contract.Keep("person_id", "La loi demande de garder les résultats.")),
	}
}

func (n notes) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	rows, err := n.h.db.Read().QueryContext(ctx, "SELECT words FROM notes_sheets WHERE person_id = $1 ORDER BY id", string(who))
	if err != nil {
		return err
	}
	defer rows.Close()
	return a.List("notes/sheets.json", func(yield func(any, error) bool) {
		for rows.Next() {
			var words string
			err := rows.Scan(&words)
			if n.h.reading != nil {
				n.h.reading()
			}
			if !yield(words, err) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	})
}

func (notes) Disclosures(context.Context, campus.PersonID) ([]contract.Disclosure, error) {
	return []contract.Disclosure{{Service: "moodle", Name: "Moodle", What: "Nom, adresse", Why: "Vous nommer dans les cours", Basis: contract.PublicTask, First: start}}, nil
}

// officer answers for data protection.
func officer() campus.Viewer {
	return campus.Viewer{
		Person: "01900000-0000-7000-8000-000000000009", Login: "dpo", GivenName: "Dominique", FamilyName: "Pradel", Mail: "dpo@valmont.example",
		Rights: []campus.Right{campus.RightPrivacy}, Locale: campus.French, Session: "s-dpo",
	}
}

func migrations() []db.Migrations {
	return []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "notes", FS: steps}, {Name: "privacy", FS: new(privacy.Module).Migrations()}}
}

func each(t *testing.T, f func(*testing.T, *house)) {
	t.Helper()
	c := clock.At(start)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(start)
		f(t, build(t, c, d))
	}, migrations()...)
}

func open(t *testing.T) *house {
	t.Helper()
	c := clock.At(start)
	return build(t, c, dbtest.OpenAt(t, c, migrations()...))
}

// keptFolder tells a house where its key and its files lie, when another process
// built it before.
const keptFolder = "AMPHI_TEST_HOUSE"

func build(t *testing.T, c *clock.Manual, d *db.DB) *house {
	t.Helper()
	folder := os.Getenv(keptFolder)
	if folder == "" {
		folder = t.TempDir()
	}
	h := &house{t: t, clock: c, db: d, viewer: campustest.Lina(), proved: true, cookies: map[string]string{}}
	h.people = &register{h: h, states: map[campus.PersonID]string{}, left: map[campus.PersonID][]campus.Kind{}}
	known := h.count("SELECT COUNT(*) FROM notes_people") > 0 // by a process before
	for _, v := range h.people.everyone() {
		if v.SignedIn() {
			h.people.states[v.Person] = "active"
			if known {
				continue
			}
			h.exec("INSERT INTO notes_people (id, login) VALUES ($1, $2)", string(v.Person), v.Login)
		}
	}
	var err error
	if h.store, err = files.Disk(filepath.Join(folder, "files"), 1<<20); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	names := fstest.MapFS{
		"locales/fr.toml": {Data: []byte("[services]\nname = \"Comptes\"\n[people]\nname = \"Registre\"\n[notes]\nname = \"Notes\"\nlook = \"Vos notes\"\n[notes.file]\nsheets = \"ce que vous avez écrit\"\n")},
		"locales/en.toml": {Data: []byte("[services]\nname = \"Accounts\"\n[people]\nname = \"Register\"\n[notes]\nname = \"Notes\"\nlook = \"Your notes\"\n[notes.file]\nsheets = \"what you wrote\"\n")},
	}
	if h.texts, err = i18n.Load(zone, c, web.Locales, ui.Locales, files.Locales, mailer.Locales, crypt.Locales, new(privacy.Module).Locales(), names); err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse("https://ent.valmont.example")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := crypt.Open(filepath.Join(folder, "key"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h.privacy = privacy.New(privacy.Deps{
		DB: d, Clock: c, Log: log, Texts: h.texts, Files: h.store, Keys: keys, Zone: zone, Base: base, Register: h.people, Notices: h, Mailer: h,
		Confirm: func(w http.ResponseWriter, r *http.Request) (bool, error) {
			if h.proved {
				return true, nil
			}
			return false, web.SeeOther(w, r, "/login/factor")
		},
		Rooms:             h.rooms,
		InstitutionFrench: "Université de Valmont", InstitutionEnglish: "University of Valmont",
	}, privacy.Defaults())
	h.server = web.New(web.Config{
		BaseURL: base, Log: log, Clock: c, Texts: h.texts, Language: campus.French, ErrorPage: ui.FailurePage,
		Sign: func(purpose string, data []byte) []byte {
			mac := hmac.New(sha256.New, []byte("key of the test "+purpose))
			mac.Write(data)
			return mac.Sum(nil)
		},
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Université de Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI(), Flash: web.TakeFlash(w, r)})
		},
	})
	h.privacy.Routes(h.server.Router("privacy"))
	return h
}

// Notify implements contract.Notices.
func (h *house) Notify(_ context.Context, tx db.Tx, _ campus.PersonID, n contract.Notice) error {
	if h.told != nil {
		h.told()
	}
	tx.AfterCommit(func() {
		h.telling.Lock()
		defer h.telling.Unlock()
		h.notices = append(h.notices, n)
	})
	return nil
}

// Send implements privacy.Mailer.
func (h *house) Send(_ context.Context, tx db.Tx, m mailer.Message) error {
	tx.AfterCommit(func() {
		h.telling.Lock()
		defer h.telling.Unlock()
		h.mails = append(h.mails, m)
	})
	return nil
}

// exec writes into the tables of the neighbours.
func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), query, args...)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// count asks for one number.
func (h *house) count(query string, args ...any) (n int) {
	h.t.Helper()
	if err := h.db.Read().QueryRowContext(h.t.Context(), query, args...).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// work runs the jobs until none is left to do now, those of the schedules included.
func (h *house) work() {
	h.t.Helper()
	reg := jobs.NewRegistry()
	h.privacy.Jobs(reg)
	// Schedules are asked in order, so that the job of the last one tells that all were.
	h.rounds++
	asked := make(chan struct{}, 1)
	reg.Every(fmt.Sprintf("test.round%d", h.rounds), time.Second, func(context.Context) error {
		asked <- struct{}{}
		return nil
	})
	ctx, stop := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		jobs.NewRunner(h.db, reg, slog.New(slog.NewTextHandler(h.t.Output(), nil)), jobs.Options{Poll: 10 * time.Millisecond}).Run(ctx)
	}()
	defer func() {
		stop()
		<-done
	}()
	patience := time.After(time.Minute)
	select {
	case <-asked:
	case <-patience:
		h.t.Fatal("nobody asks the schedules")
	}
	for h.count("SELECT COUNT(*) FROM jobs WHERE state <> 'dead' AND due_at <= $1", int64(h.db.Now().Add(time.Minute))) > 0 {
		select {
		case <-patience:
			h.t.Fatal("the jobs do not end")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// page is an answer.
type page struct {
	t        *testing.T
	status   int
	location string
	body     string
}

func (h *house) as(v campus.Viewer) *house { h.viewer = v; return h }

func (h *house) ask(r *http.Request) *page {
	h.t.Helper()
	for name, value := range h.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(h.cookies, c.Name)
		} else {
			h.cookies[c.Name] = c.Value
		}
	}
	p := &page{h.t, w.Code, w.Header().Get("Location"), w.Body.String()}
	if i := strings.Index(p.body, "⟦"); i >= 0 {
		h.t.Errorf("a label is missing: %s", p.body[i:min(len(p.body), i+80)])
	}
	return p
}

func (h *house) get(path string) *page { return h.ask(httptest.NewRequest("GET", path, nil)) }

func (h *house) post(path string, form url.Values) *page {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.ask(r)
}

var tags = regexp.MustCompile(`<[^>]*>`)

func (p *page) text() string {
	return strings.Join(strings.Fields(strings.NewReplacer("&#39;", "'", "&#34;", `"`).Replace(tags.ReplaceAllString(p.body, " "))), " ")
}

func (p *page) is(status int) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("the answer is %d to %q, want %d: %s", p.status, p.location, status, p.text())
	}
	return p
}

// says checks what can be read; a text that begins with "!" must not be there.
func (p *page) says(texts ...string) *page {
	p.t.Helper()
	for _, want := range texts {
		if unwanted, not := strings.CutPrefix(want, "!"); not {
			if strings.Contains(p.text(), unwanted) {
				p.t.Errorf("%q can be read", unwanted)
			}
		} else if !strings.Contains(p.text(), want) {
			p.t.Errorf("%q cannot be read in: %s", want, p.text())
		}
	}
	return p
}
