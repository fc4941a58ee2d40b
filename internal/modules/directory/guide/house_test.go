package guide_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-vcard"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/directory/correction"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/guide"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var start = time.Date(2026, time.November, 22, 17, 5, 0, 0, time.UTC)

// register is the register of people in memory, by identifier.
type register struct {
	contract.Register
	people []contract.Known
}

func (r *register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, p := range r.people {
		if slices.Contains(ids, p.ID) {
			known[p.ID] = p
		}
	}
	return known, nil
}

func (r *register) FindPeople(_ context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error) {
	found := map[string]campus.PersonID{}
	for _, p := range r.people {
		if value := map[contract.Field]string{contract.FieldLogin: p.Subject.Login, contract.FieldMail: p.Subject.Mail}[by]; slices.Contains(values, value) {
			found[value] = p.ID
		}
	}
	return found, nil
}

func (r *register) PeopleAfter(_ context.Context, after campus.PersonID, most int) ([]contract.Known, error) {
	var next []contract.Known
	for _, p := range r.people {
		if p.ID > after && len(next) < most {
			next = append(next, p)
		}
	}
	return next, nil
}

// HoldersFor gives every right to the secretariat, and one over the students of
// informatics to their own secretary.
func (r *register) HoldersFor(_ context.Context, _ campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error) {
	holders := []campus.PersonID{campustest.Nadia().Person}
	if slices.ContainsFunc(somebody, func(a campus.Affiliation) bool { return a.Programme == "info" }) {
		return append([]campus.PersonID{clerk().Person}, holders...), nil
	}
	return holders, nil
}

// clerk is the secretary of informatics, and of nobody else.
func clerk() campus.Viewer {
	v := guest()
	v.Person, v.GivenName = "01900000-0000-7000-8000-00000000000c", "Cleo"
	v.Mandates = []campus.Mandate{{Right: campus.RightSecretariat, Programme: "info"}, {Right: campus.RightSecretariat, Unit: "info"}}
	return v
}

// sources are what sources say, by part.
type sources map[string]edit.Origin

func (s sources) OfPerson(context.Context, campus.PersonID) (map[string]edit.Origin, error) {
	return maps.Clone(s), nil
}

func (s sources) SourceNamed(_ context.Context, id string) (string, bool) {
	for _, o := range s {
		if o.Source == id {
			return o.Name, true
		}
	}
	return "", false
}

// notices are what people were told.
type notices map[campus.PersonID][]contract.Notice

func (n notices) Notify(_ context.Context, _ db.Tx, to campus.PersonID, notice contract.Notice) error {
	n[to] = append(n[to], notice)
	return nil
}

// keeper runs the directory.
func keeper() campus.Viewer {
	v := campustest.Alix()
	v.Rights = []campus.Right{campus.RightDirectory}
	return v
}

// guest is somebody invited.
func guest() campus.Viewer {
	return campus.Viewer{Person: "01900000-0000-7000-8000-000000000009", GivenName: "Gus", Affiliations: []campus.Affiliation{{Kind: campus.Guest}}}
}

// house is the pages with as much of a house around them as they need.
type house struct {
	t       *testing.T
	db      *db.DB
	clock   *clock.Manual
	groups  *group.Groups
	server  *web.Server
	people  *register
	told    notices
	sources sources
	desk    *correction.Desk
	viewer  campus.Viewer
	cookies map[string]string
}

func known(v campus.Viewer, title string) contract.Known {
	return contract.Known{ID: v.Person, State: "active", Subject: contract.Subject{
		Login: v.Login, Mail: v.Mail, GivenName: v.GivenName, FamilyName: v.FamilyName, JobTitle: title, Affiliations: v.Affiliations,
	}}
}

// open makes a house with the people of campustest and a small chart.
func open(t *testing.T, d *db.DB, c *clock.Manual) *house {
	t.Helper()
	c.Set(start)
	h := &house{t: t, db: d, clock: c, viewer: campustest.Lina(), told: notices{}, sources: sources{}, cookies: map[string]string{}}
	paul := campustest.Paul()
	h.people = &register{people: []contract.Known{
		known(campustest.Lina(), ""), known(paul, "Professeur"), known(campustest.Nadia(), "Secrétaire"), known(campustest.Sam(), "Technicien"),
		known(campustest.Alix(), "Directrice"), known(guest(), ""), known(clerk(), "Secrétaire"),
	}}
	other := campustest.Lina()
	other.Person, other.Login, other.GivenName, other.Mail = "01900000-0000-7000-8000-00000000000a", "karim", "Karim", "karim@valmont.example"
	h.people.people = append(h.people.people, known(other, ""))
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	store, err := files.Disk(t.TempDir(), 20<<20)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse("https://ent.valmont.example")
	if err != nil {
		t.Fatal(err)
	}
	texts := i18ntest.Load(t, zone, c, web.Locales, ui.Locales, files.Locales, new(directory.Module).Locales())
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h.groups = &group.Groups{DB: d, Register: h.people, Roll: h.people, Followers: func() []contract.PersonFollower { return nil }}
	finder := find.New(find.Deps{DB: d, Clock: c, Log: log, Register: h.people, Rules: entry.Defaults()})
	places := place.Fixed{
		OfCampuses:   []place.Place{{Code: "rives", French: "Campus Rives"}},
		OfProgrammes: []place.Place{{Code: "info", French: "Licence Informatique"}},
	}
	pages := guide.New(guide.Deps{
		DB: d, Clock: c, Log: log, Files: store, Zone: zone, Base: base, Find: finder, Groups: h.groups, Rules: entry.Defaults(), Register: h.people,
		Places: places,
	})
	edits := &edit.Desk{Deps: edit.Deps{DB: d, Find: finder, Register: h.people, Places: places, Sources: h.sources}}
	h.desk = &correction.Desk{DB: d, Log: log, Texts: texts, Find: finder, Holders: h.people, Notices: h.told, Edits: edits}
	h.server = web.New(web.Config{
		BaseURL: base, Log: log, Clock: c, Texts: texts, Language: campus.French, ErrorPage: ui.FailurePage,
		Sign:         func(purpose string, data []byte) []byte { return []byte(purpose) },
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
		Prepare: func(w http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Université de Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI(), Flash: web.TakeFlash(w, r)})
		},
	})
	pages.Routes(h.server.Router("directory"))
	h.desk.Routes(h.server.Router("directory"))
	edits.Routes(h.server.Router("directory"))
	h.change(func(ctx context.Context, tx db.Tx) error {
		for _, u := range []unit.Unit{
			{Code: "univ", Kind: unit.Institution, NameFrench: "Université", Head: campustest.Alix().Person},
			{Code: "info", Parent: "univ", Kind: unit.Department, NameFrench: "Informatique", Head: campustest.Sam().Person},
			{Code: "scolarite", Parent: "univ", Kind: unit.Service, NameFrench: "Scolarité", Keywords: []string{"bourses"}},
		} {
			if err := unit.Put(ctx, tx, u, "test"); err != nil {
				return err
			}
		}
		return entry.Put(ctx, tx, paul.Person, entry.Profile{
			Office: "C215", Phones: []entry.Phone{{Kind: entry.Desk, Number: "01 99 00 50 01"}, {Kind: entry.Mobile, Number: "06 39 98 00 01"}},
			Functions: []entry.Function{{Unit: "info", French: "Professeur d’informatique"}}, ReplacedBy: campustest.Nadia().Person, Hours: "Mardi 14 h",
		}, "test")
	})
	return h
}

// each runs a test in a house on each database.
func each(t *testing.T, do func(h *house)) {
	c := clock.At(start)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) { do(open(t, d, c)) },
		db.Migrations{Name: jobs.Name, FS: jobs.Migrations()}, db.Migrations{Name: "directory", FS: new(directory.Module).Migrations()})
}

func (h *house) change(do func(ctx context.Context, tx db.Tx) error) {
	h.t.Helper()
	if err := h.db.InTx(h.t.Context(), func(tx db.Tx) error { return do(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) as(v campus.Viewer) *house { h.viewer = v; return h }

// page is an answer.
type page struct {
	t        *testing.T
	status   int
	location string
	text     string
	header   http.Header
}

func (h *house) ask(r *http.Request) *page {
	h.t.Helper()
	for name, value := range h.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return &page{t: h.t, status: w.Code, location: w.Header().Get("Location"), text: w.Body.String(), header: w.Header()}
}

func (h *house) get(path string) *page {
	h.t.Helper()
	return h.ask(httptest.NewRequest("GET", path, nil))
}

func (h *house) post(path string, form url.Values) *page {
	h.t.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.ask(r)
}

func (h *house) upload(path string, form url.Values, file []byte) *page {
	h.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, values := range form {
		if err := m.WriteField(name, values[0]); err != nil {
			h.t.Fatal(err)
		}
	}
	if file != nil {
		part, err := m.CreateFormFile("photo", "moi.png")
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return h.ask(r)
}

func (p *page) is(status int) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Errorf("answered %d, want %d", p.status, status)
	}
	return p
}

func (p *page) says(texts ...string) *page {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			p.t.Errorf("does not say %q", text)
		}
	}
	return p
}

func (p *page) keepsQuiet(texts ...string) *page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.text, text) {
			p.t.Errorf("says %q", text)
		}
	}
	return p
}

// card reads an answer as a vCard.
func (p *page) card() vcard.Card {
	p.t.Helper()
	c, err := vcard.NewDecoder(strings.NewReader(p.text)).Decode()
	if err != nil && err != io.EOF {
		p.t.Fatal(err)
	}
	return c
}
