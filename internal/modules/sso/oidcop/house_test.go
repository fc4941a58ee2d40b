package oidcop

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// start is when every test begins.
var start = time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)

var schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "sso", FS: os.DirFS("..")}}

// The secrets and addresses of the clients of the tests.
const (
	secret       = "a-long-random-secret-of-the-wiki"
	wikiRedirect = "https://wiki.valmont.example/oidc/callback"
	appRedirect  = "https://app.valmont.example/callback"
	wikiBye      = "https://wiki.valmont.example/bye"
)

// house is the provider behind a real server, with as much of a room around it as
// it asks for.
type house struct {
	*Provider
	t      testing.TB
	clock  *clock.Manual
	server *httptest.Server
	ring   *keys.Ring

	mu       sync.Mutex
	viewer   campus.Viewer
	services []registry.Service
	index    *registry.Index
	// refuse is what the room says to every question, banned to every later one.
	refuse, banned error
	// passive is what a silent question lacks.
	passive   error
	questions []gate.Question
	incidents []gate.Incident
	departed  []gate.Departing
	mails     []mailer.Message
}

// each runs a test on either database.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		test(t, newHouse(t, d, now, testConfig()))
	}, schema...)
}

// one runs a test whose subject is not the database.
func one(t testing.TB) *house {
	now := clock.At(start)
	return newHouse(t, dbtest.OpenAt(t, now, schema...), now, testConfig())
}

func testConfig() Config {
	c := Defaults()
	c.Invitations = []Invitation{{
		Name: "Hub of the computing centre", TokenHash: hashOf("invited"), Hosts: []string{"*.apps.valmont.example"},
		Attributes: []registry.Attribute{registry.Mail}, Contact: "hub@valmont.example", Most: 2,
	}}
	return c
}

// wiki is a client with a secret, app one without, kiosk a device.
func testServices() []registry.Service {
	all := []registry.Attribute{registry.DisplayName, registry.Mail, registry.Affiliation, registry.Campus}
	return []registry.Service{
		{
			ID: "wiki", NameFrench: "Wiki", NameEnglish: "Wiki", Protocol: registry.OIDC, Contact: "wiki@valmont.example", Attributes: all,
			OIDC: registry.OIDCClient{
				ClientID: "wiki", SecretHash: hashOf(secret), RedirectURIs: []string{wikiRedirect, wikiRedirect + "?tenant=1"},
				LogoutRedirectURIs: []string{wikiBye}, Grants: []registry.Grant{registry.GrantCode, registry.GrantRefresh, registry.GrantClient},
				Scopes: append([]string{"wiki:read"}, registry.Scopes...),
			},
		},
		{
			ID: "app", NameEnglish: "App", Protocol: registry.OIDC, Contact: "app@valmont.example", Attributes: all,
			OIDC: registry.OIDCClient{
				ClientID: "app", RedirectURIs: []string{appRedirect, "http://127.0.0.1/cb"}, Grants: []registry.Grant{registry.GrantCode, registry.GrantRefresh},
				IDTokenAlgorithm: keys.ES256, Subject: registry.SubjectPairwise, Sector: "apps",
			},
		},
		{
			ID: "kiosk", NameEnglish: "Kiosk", Protocol: registry.OIDC, Attributes: all,
			OIDC: registry.OIDCClient{ClientID: "kiosk", AuthMethod: registry.AuthPublic, Grants: []registry.Grant{registry.GrantDevice, registry.GrantRefresh}},
		},
		{
			ID: "hybrid", NameEnglish: "Hybrid", Protocol: registry.OIDC, Attributes: all,
			OIDC: registry.OIDCClient{
				ClientID: "hybrid", SecretHash: hashOf(secret), RedirectURIs: []string{"https://old.valmont.example/cb"}, ResponseTypes: registry.ResponseTypes,
			},
		},
		{
			ID: "api", NameEnglish: "API", Protocol: registry.OIDC,
			OIDC: registry.OIDCClient{ClientID: "api", SecretHash: hashOf(secret), Grants: []registry.Grant{registry.GrantClient}, Introspects: true, AuthMethod: registry.AuthBasic},
		},
		{
			ID: "closed", NameEnglish: "Closed", Protocol: registry.OIDC, Disabled: true,
			OIDC: registry.OIDCClient{ClientID: "closed", SecretHash: hashOf(secret), RedirectURIs: []string{wikiRedirect}},
		},
	}
}

func newHouse(t testing.TB, d *db.DB, now *clock.Manual, c Config) *house {
	t.Helper()
	h := &house{t: t, clock: now}
	h.enrol(testServices()...)
	h.enter(lina())
	seal, err := crypt.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
	log := slog.New(slog.DiscardHandler)
	h.ring = keys.New(keys.Deps{DB: d, Clock: now, Seal: seal, Log: log, Host: "ent.valmont.example", Config: keys.Defaults()})
	h.server = httptest.NewUnstartedServer(nil)
	base := &url.URL{Scheme: "http", Host: h.server.Listener.Addr().String()}
	h.Provider = New(Deps{
		DB: d, Clock: now, Log: log, Texts: texts, Answers: answer.New(d), Gate: fakeGate{h}, Exit: h, Keys: h.ring, People: h, Registrar: h, Mailer: h,
		MAC: func(purpose string, data []byte) []byte {
			mac := hmac.New(sha256.New, []byte("key of the test "+purpose))
			mac.Write(data)
			return mac.Sum(nil)
		},
		Channel: &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		BaseURL: base.String(),
	}, c)
	site := web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.viewer, nil
		},
		Prepare: func(_ http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r)})
		},
		ErrorPage: ui.FailurePage,
	})
	h.Provider.Routes(site.Router("sso"))
	h.server.Config.Handler = site
	h.server.Start()
	t.Cleanup(h.server.Close)
	return h
}

func lina() campus.Viewer {
	v := campustest.Lina()
	v.Session, v.Locale, v.Methods = "session-of-lina", campus.English, []string{"pwd"}
	return v
}

// enrol fills the registry.
func (h *house) enrol(services ...registry.Service) {
	h.t.Helper()
	for _, s := range services {
		if mistakes := s.Check(); len(mistakes) > 0 {
			h.t.Fatalf("%s: %v", s.ID, mistakes)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.services = append(h.services, services...)
	h.index = registry.NewIndex(h.services)
}

// change changes one entry.
func (h *house) change(service string, do func(*registry.Service)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.services = slices.Clone(h.services)
	for i := range h.services {
		if h.services[i].ID == service {
			do(&h.services[i])
		}
	}
	h.index = registry.NewIndex(h.services)
}

// enter signs somebody in, now.
func (h *house) enter(v campus.Viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.SignedIn() {
		v.SignedInAt = h.clock.Now()
	}
	h.viewer = v
}

func (h *house) PutService(ctx context.Context, s registry.Service, also func(db.Tx) error) error {
	if err := h.DB.InTx(ctx, also); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.services = append(slices.DeleteFunc(slices.Clone(h.services), func(o registry.Service) bool { return o.ID == s.ID }), s)
	h.index = registry.NewIndex(h.services)
	return nil
}

func (h *house) DropService(ctx context.Context, id string, also func(db.Tx) error) error {
	h.mu.Lock()
	h.services = slices.DeleteFunc(slices.Clone(h.services), func(o registry.Service) bool { return o.ID == id })
	h.index = registry.NewIndex(h.services)
	h.mu.Unlock()
	return h.DB.InTx(ctx, also)
}

func (h *house) Viewer(context.Context, campus.PersonID) (campus.Viewer, error) {
	return h.viewer, nil
}

func (h *house) Send(_ context.Context, _ db.Tx, m mailer.Message) error {
	h.mails = append(h.mails, m)
	return nil
}

// SignOut is what the room does: it ends the session and leads on.
func (h *house) SignOut(w http.ResponseWriter, r *http.Request, d gate.Departing) error {
	h.departed = append(h.departed, d)
	if session := h.viewer.Session; session != "" {
		h.endSession(session)
	}
	if d.Onward != "" {
		return web.SeeOther(w, r, d.Onward)
	}
	if d.Refused != nil {
		return d.Refused
	}
	_, err := io.WriteString(w, "signed out")
	return err
}

func (h *house) endSession(session string) {
	h.t.Helper()
	h.enter(campus.Viewer{})
	err := h.DB.InTx(h.t.Context(), func(tx db.Tx) error {
		if err := h.SessionEnded(h.t.Context(), tx, session); err != nil {
			return err
		}
		return h.Answers.SessionEnded(h.t.Context(), tx, session)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
