package samlidp

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
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
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var (
	start  = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "sso", FS: os.DirFS("..")}}
)

const (
	home     = "https://ent.valmont.example"
	ourID    = home + "/saml/metadata"
	spID     = "https://moodle.valmont.example/sp"
	spACS    = "https://moodle.valmont.example/acs"
	spLogout = "https://moodle.valmont.example/logout"
)

// credentials are made once: keys are slow.
var (
	credentials sync.Map
	makeKey     = func(t testing.TB, name string) saml.Credential {
		if c, ok := credentials.Load(name); ok {
			return c.(saml.Credential)
		}
		c, err := saml.GenerateCredential(saml.RSA2048, name, start.AddDate(-1, 0, 0), 5*365*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		credentials.Store(name, c)
		return c
	}
)

// house is the identity provider behind a web server, with as much of a room
// around it as it asks for.
type house struct {
	*IDP
	gate.Gate // what is not below is not asked for
	t         testing.TB
	clock     *clock.Manual
	server    *web.Server
	viewer    campus.Viewer
	mail      bool // the viewer has an address
	// services is the registry.
	services []registry.Service
	// refuse is what the room says to every question.
	refuse error
	// noFactor: the institution has no second factor.
	noFactor  bool
	questions []gate.Question
	incidents []gate.Incident
	ended     []string
	ring      []keys.Key
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		test(t, newHouse(t, d, now, Defaults()))
	}, schema...)
}

// one runs a test whose subject is not the database.
func one(t testing.TB) *house { return with(t, Defaults()) }

func with(t testing.TB, c Config) *house {
	now := clock.At(start)
	return newHouse(t, dbtest.OpenAt(t, now, schema...), now, c)
}

func newHouse(t testing.TB, d *db.DB, now *clock.Manual, c Config) *house {
	t.Helper()
	h := &house{t: t, clock: now, viewer: lina(), mail: true, services: []registry.Service{moodle(t)}}
	h.ring = []keys.Key{ringKey(t, "ours", keys.Current), ringKey(t, "ours next", keys.Next)}
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
	base, err := url.Parse(home)
	if err != nil {
		t.Fatal(err)
	}
	h.IDP = New(Deps{
		DB: d, Clock: now, Log: slog.New(slog.DiscardHandler), Gate: h, Answers: answer.New(d), Keys: h, Exit: h, Sessions: h, BaseURL: home, Scope: "valmont.example",
	}, c)
	h.server = web.New(web.Config{
		BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: now, Texts: texts, Language: campus.English,
		Authenticate: func(_ http.ResponseWriter, r *http.Request) (campus.Viewer, error) {
			if _, err := r.Cookie("session"); err != nil {
				return campus.Viewer{}, nil
			}
			return h.viewer, nil
		},
		ErrorPage: ui.FailurePage,
	})
	h.Routes(h.server.Router("sso"))
	return h
}

func ringKey(t testing.TB, name string, s keys.State) keys.Key {
	c := makeKey(t, name)
	return keys.Key{ID: name, Algorithm: keys.RS256, Signer: c.Key, Certificate: c.Certificate, State: s}
}

func lina() campus.Viewer {
	v := campustest.Lina()
	v.Person, v.Session = "0199a000-0000-7000-8000-000000000001", "session-1"
	v.Locale = campus.English
	v.SignedInAt = start.Add(-time.Minute)
	v.Methods = []string{"pwd"}
	return v
}

// moodle is a service with everything in its metadata.
func moodle(t testing.TB) registry.Service {
	return registry.Service{
		ID: "moodle", NameFrench: "Moodle", Protocol: registry.SAML, Contact: "moodle@valmont.example",
		Attributes: []registry.Attribute{registry.DisplayName, registry.Mail, registry.Affiliation},
		SAML:       registry.SAMLPeer{EntityID: spID, Metadata: metadataOf(t, entity(t))},
	}
}

func entity(t testing.TB) *saml.Entity {
	index := func(n int) *int { return &n }
	key := makeKey(t, "sp")
	return &saml.Entity{ID: spID, SP: &saml.SPRole{
		Role: saml.Role{
			Keys:   []saml.RoleKey{{PublicKey: key.Public(), Use: saml.UseSigning}},
			Logout: []saml.Endpoint{{Binding: saml.Redirect, Location: spLogout}},
		},
		ACS: []saml.Endpoint{
			{Binding: saml.POST, Location: spACS, Index: index(0)},
			{Binding: saml.POST, Location: spACS + "/second", Index: index(1)},
			{Binding: saml.Artifact, Location: spACS + "/artifact", Index: index(2)},
		},
	}}
}

func metadataOf(t testing.TB, e *saml.Entity) string {
	t.Helper()
	text, err := saml.WriteMetadata(e, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// change gives the service other metadata or another entry.
func (h *house) change(edit func(e *saml.Entity, s *registry.Service)) {
	h.t.Helper()
	e := entity(h.t)
	edit(e, &h.services[0])
	h.services[0].SAML.Metadata = metadataOf(h.t, e)
}

// The room, as far as the identity provider sees it.

func (h *house) Registry(context.Context) (*registry.Index, error) {
	return registry.NewIndex(slices.Clone(h.services)), nil
}

func (h *house) Enter(w http.ResponseWriter, r *http.Request, q gate.Question) (gate.Entrance, error) {
	h.questions = append(h.questions, q)
	if h.refuse != nil {
		return gate.Entrance{}, h.refuse
	}
	v := web.Viewer(r)
	switch {
	case !v.SignedIn() || q.Fresh && q.Mark != "signed":
		if q.Passive {
			return gate.Entrance{}, gate.SignInNeeded
		}
		return gate.Entrance{}, orAnswered(web.SeeOther(w, r, "/login?next="+url.QueryEscape(q.Back)))
	case q.Factor && v.FactorAt.IsZero() && !h.noFactor:
		if q.Passive {
			return gate.Entrance{}, gate.FactorNeeded
		}
		return gate.Entrance{}, orAnswered(web.SeeOther(w, r, "/factor?next="+url.QueryEscape(q.Back)))
	}
	released, err := h.Released(r.Context(), q.Service, v.Person, q.Wanted)
	return gate.Entrance{Viewer: v, Fresh: q.Mark == "signed", Attributes: released}, err
}

func orAnswered(err error) error {
	if err != nil {
		return err
	}
	return gate.Answered
}

func (h *house) Released(_ context.Context, s *registry.Service, _ campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	values := map[registry.Attribute][]string{
		registry.UID: {"lmartin"}, registry.DisplayName: {"Lina Martin"}, registry.Affiliation: {"member", "student"},
		registry.PrincipalName: {"lmartin@valmont.example"}, registry.ScopedAffiliation: {"member@valmont.example"}, registry.SubjectID: {"abc@valmont.example"},
	}
	if h.mail {
		values[registry.Mail] = []string{"lina.martin@valmont.example"}
	}
	var list []gate.Attribute
	for _, a := range s.Told(values, wanted) {
		list = append(list, gate.Attribute{Name: a, Values: values[a]})
	}
	return list, nil
}

func (h *house) Leave(w http.ResponseWriter, r *http.Request, to string) error {
	return web.SeeOther(w, r, to)
}

func (h *house) Note(_ context.Context, i gate.Incident) { h.incidents = append(h.incidents, i) }

func (h *house) noted(code string) *gate.Incident {
	for i := range h.incidents {
		if h.incidents[i].Reason.Code() == code {
			return &h.incidents[i]
		}
	}
	return nil
}

func (h *house) Current(context.Context, keys.Use, string) (keys.Key, error) { return h.ring[0], nil }
func (h *house) Published(context.Context, keys.Use) ([]keys.Key, error)     { return h.ring, nil }

func (h *house) SignOut(w http.ResponseWriter, r *http.Request, d gate.Departing) error {
	h.ended = append(h.ended, web.Viewer(r).Session)
	err := h.DB.InTx(r.Context(), func(tx db.Tx) error { return h.Answers.SessionEnded(r.Context(), tx, web.Viewer(r).Session) })
	if err != nil || d.Service == nil {
		return err
	}
	return web.SeeOther(w, r, d.Onward)
}

func (h *house) CloseSession(_ context.Context, v campus.Viewer, session string) error {
	h.ended = append(h.ended, session)
	return nil
}

// browser keeps cookies and follows no redirect. A stranger has no session.
type browser struct {
	h        *house
	stranger bool
	cookies  map[string]string
}

func (h *house) browser() *browser { return &browser{h: h, cookies: map[string]string{}} }

func (b *browser) ask(method, address string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	b.h.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = home + address
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, address, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site") // a service sends it, and Lax cookies stay away
	} else {
		if !b.stranger {
			r.AddCookie(&http.Cookie{Name: "session", Value: "yes"})
		}
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.h.server.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return w
}

func (b *browser) get(address string) *httptest.ResponseRecorder { return b.ask("GET", address, nil) }

// follow goes on as long as redirects stay here.
func (b *browser) follow(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.h.t.Helper()
	for range 10 {
		to := w.Header().Get("Location")
		if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/saml/") {
			return w
		}
		w = b.get(to)
	}
	b.h.t.Fatal("redirects without an end")
	return nil
}

// asked makes a request of the service, by redirect, as a browser brings it.
func (h *house) asked(edit func(q *saml.AuthnRequest)) string {
	h.t.Helper()
	return h.redirect(h.request(edit).Element(), "relay", h.key("sp"))
}

func (h *house) key(name string) *saml.Credential { c := makeKey(h.t, name); return &c }

func (h *house) request(edit func(q *saml.AuthnRequest)) *saml.AuthnRequest {
	q := &saml.AuthnRequest{ID: saml.NewID(), IssueInstant: h.clock.Now(), Destination: home + ssoPath, Issuer: spID}
	if edit != nil {
		edit(q)
	}
	return q
}

func (h *house) redirect(el element, relay string, by *saml.Credential) string {
	h.t.Helper()
	address, err := saml.RedirectURL(home+ssoPath, saml.Request, el, relay, by)
	if err != nil {
		h.t.Fatal(err)
	}
	return address
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// posted reads the form that a page sends to a service.
func posted(t testing.TB, w *httptest.ResponseRecorder) (action string, form url.Values) {
	t.Helper()
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(page, `id="continue"`) {
		t.Fatalf("no form: %d %s %s", w.Code, w.Header().Get("Location"), text(page))
	}
	form = url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	_, after, _ := strings.Cut(page, `id="continue"`)
	_, after, _ = strings.Cut(after, `action="`)
	action, _, _ = strings.Cut(after, `"`)
	return html.UnescapeString(action), form
}

var tags = regexp.MustCompile(`<[^>]*>`)

func text(page string) string {
	if _, main, ok := strings.Cut(page, "<main"); ok {
		page = main
	}
	return strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " ")
}

// opened reads an answer as the service would: signature first.
func (h *house) opened(w *httptest.ResponseRecorder) (*saml.Response, url.Values, error) {
	h.t.Helper()
	_, form := posted(h.t, w)
	in, err := saml.ReadPOST(form)
	if err != nil {
		h.t.Fatal(err)
	}
	response, err := saml.OpenResponse(in, []saml.PublicKey{h.key("ours").Public()}, saml.Policy{}, saml.Opener{Keys: []saml.Credential{*h.key("sp")}, AllowCBC: true})
	return response, form, err
}

// entered is opened, and expects an assertion that holds.
func (h *house) entered(w *httptest.ResponseRecorder, inResponseTo string) *saml.Assertion {
	h.t.Helper()
	response, _, err := h.opened(w)
	if err != nil {
		h.t.Fatal(err)
	}
	expect := saml.Expect{Issuer: ourID, Audience: spID, Destination: response.Destination, InResponseTo: inResponseTo, Now: h.clock.Now()}
	if err := expect.Check(response); err != nil {
		h.t.Fatal(err)
	}
	return response.Assertion
}

// status is what the service is told when it gets no assertion.
func (h *house) status(w *httptest.ResponseRecorder) saml.Status {
	h.t.Helper()
	response, _, err := h.opened(w)
	if err == nil {
		h.t.Fatal("an assertion was sent")
	}
	if response == nil {
		h.t.Fatal(err)
	}
	return response.Status
}

// stopped expects a page with a reason, both values for the contact when given,
// and nothing for the service.
func (h *house) stopped(w *httptest.ResponseRecorder, code string) *gate.Incident {
	h.t.Helper()
	if w.Code < 400 || !strings.Contains(w.Body.String(), code) || strings.Contains(w.Body.String(), "SAMLResponse") {
		h.t.Fatalf("want %s, got %d %s %s", code, w.Code, w.Header().Get("Location"), text(w.Body.String()))
	}
	return h.noted(code)
}
