package portal_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/portal/feed"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// start is a Sunday afternoon in week 12.
var start = time.Date(2026, time.November, 22, 17, 5, 0, 0, time.UTC)

// house is the room with as much of a house around it as its pages need.
type house struct {
	t      *testing.T
	clock  *clock.Manual
	db     *db.DB
	portal *portal.Module
	texts  *i18n.Catalogue
	server *web.Server
	viewer campus.Viewer // who asks

	cards     []contract.CardProvider
	services  []contract.ServiceProvider
	searchers []contract.Searcher
	chosen    []string // what SetPreferences was called with
	cookies   map[string]string
}

// room is a neighbour in the house; each of its sockets is a function.
type room struct {
	name     string
	cards    func(context.Context) ([]contract.Card, error)
	services func() ([]contract.Service, error)
	search   func(words string) ([]contract.Hit, error)
	nav      []contract.NavItem
}

func (r room) Name() string { return r.name }

func (r room) Cards(ctx context.Context, _ campus.Viewer) ([]contract.Card, error) {
	return r.cards(ctx)
}

func (r room) Services(context.Context, campus.Viewer) ([]contract.Service, error) {
	return r.services()
}

func (r room) Search(_ context.Context, _ campus.Viewer, words string) ([]contract.Hit, error) {
	return r.search(words)
}

func (r room) Nav(_ context.Context, v campus.Viewer) []contract.NavItem {
	if !v.Can(campus.RightAdmin) {
		return nil
	}
	return r.nav
}

// catalogue offers three services to everybody.
var catalogue = room{name: "sso", services: func() ([]contract.Service, error) {
	return []contract.Service{
		{ID: "sso.moodle", Name: "Moodle", Category: "Études", URL: "https://moodle.valmont.example/", OpensOutside: true, Keywords: []string{"cours"}},
		{ID: "sso.library", Name: "Bibliothèque", Category: "Documents", URL: "/library"},
		{ID: "sso.broken", Name: "Cassé", Category: "Documents", URL: "javascript:alert(1)"},
	}, nil
}, nav: []contract.NavItem{{Label: "Registre des services", URL: "/sso/services", Group: 2}}}

type people struct{ h *house }

func (p people) SetPreferences(_ context.Context, who campus.PersonID, l campus.Locale, appearance string) error {
	p.h.chosen = append(p.h.chosen, string(who)+" "+string(l)+" "+appearance)
	return nil
}

type weeks struct{}

func (weeks) WeekAt(time.Time) (portal.Week, bool) {
	return portal.Week{Number: 12, French: "semestre d’automne", English: "autumn semester"}, true
}

func open(t *testing.T) *house {
	t.Helper()
	c := clock.At(start)
	h := &house{t: t, clock: c, viewer: campustest.Lina(), services: []contract.ServiceProvider{catalogue}, cookies: map[string]string{}}
	h.db = dbtest.OpenAt(t, c, db.Migrations{Name: "portal", FS: new(portal.Module).Migrations()})
	store, err := files.Disk(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	texts := i18ntest.Load(t, zone, c, web.Locales, ui.Locales, files.Locales, new(portal.Module).Locales())
	h.texts = texts
	base, err := url.Parse("https://ent.valmont.example")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	config := portal.Defaults()
	config.MaxPicture = 1 << 20
	config.Help.Phone, config.Help.Mail = "01 99 00 12 12", "assistance@valmont.example"
	config.Feeds = []feed.Source{{ID: "port", NameFrench: "Le Port", URL: "https://leport.example/feed.xml"}}
	h.portal = portal.New(portal.Deps{
		DB: h.db, Clock: c, Log: log, Files: store, People: people{h}, Calendar: weeks{},
		Places: place.Fixed{
			OfCampuses:   []place.Place{{Code: "rives", French: "Campus Rives", English: "Rives Campus"}},
			OfProgrammes: []place.Place{{Code: "info", French: "Licence Informatique", English: "BSc Computer Science"}},
		},
		Institution:   news.Text{French: "Université de Valmont", English: "University of Valmont"},
		Cards:         func() []contract.CardProvider { return h.cards },
		Services:      func() []contract.ServiceProvider { return h.services },
		Searchers:     func() []contract.Searcher { return append([]contract.Searcher{h.portal}, h.searchers...) },
		Navigators:    func() []contract.Navigator { return []contract.Navigator{h.portal, catalogue} },
		FeedTransport: unreachable{},
	}, config)
	h.server = web.New(web.Config{
		BaseURL: base, Log: log, Clock: c, Texts: texts, Language: campus.French, ErrorPage: ui.FailurePage,
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
	h.portal.Routes(h.server.Router("portal"))
	return h
}

// unreachable is a network without anybody on it.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to host")
}

// as changes who asks.
func (h *house) as(v campus.Viewer) *house { h.viewer = v; return h }

// ask sends a request and keeps the cookies of the answer.
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
	return read(h.t, w)
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

// upload posts a form with a file, as the form of an article does.
func (h *house) upload(path string, form url.Values, file []byte) *page {
	h.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, values := range form {
		for _, v := range values {
			if err := m.WriteField(name, v); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	if file != nil {
		part, err := m.CreateFormFile("picture", "salle.png")
		if err == nil {
			_, err = io.Copy(part, bytes.NewReader(file))
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

// article publishes something and returns its id.
func (h *house) article(key string, change func(*news.Content)) string {
	h.t.Helper()
	c := news.Content{
		Title: news.Text{French: "La bibliothèque ouvre", English: "The library opens"}, Summary: news.Text{French: "Le soir"},
		Body: news.Text{French: "**Jusqu’à 23 h.**", English: "Until 11 p.m."}, PublishAt: start.Add(-time.Hour),
	}
	if change != nil {
		change(&c)
	}
	id, err := h.portal.Publish(h.t.Context(), key, campustest.Nadia().Person, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// notice tells a person something and returns the address that opens it.
func (h *house) notice(to campus.PersonID, n contract.Notice) {
	h.t.Helper()
	if err := h.db.InTx(h.t.Context(), func(tx db.Tx) error { return h.portal.Notify(h.t.Context(), tx, to, n) }); err != nil {
		h.t.Fatal(err)
	}
}
