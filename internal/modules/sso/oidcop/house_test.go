package oidcop

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
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
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
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

// fakeGate is the room's gate without its rules.
type fakeGate struct{ h *house }

func (g fakeGate) Registry(context.Context) (*registry.Index, error) {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	return g.h.index, nil
}

func (g fakeGate) Enter(w http.ResponseWriter, r *http.Request, q gate.Question) (gate.Entrance, error) {
	h := g.h
	h.mu.Lock()
	h.questions = append(h.questions, q)
	h.mu.Unlock()
	v := web.Viewer(r)
	fresh := q.Mark == "fresh"
	old := q.MaxAge > 0 && h.clock.Now().Sub(v.SignedInAt) > q.MaxAge
	switch {
	case q.Passive && h.passive != nil:
		return gate.Entrance{}, h.passive
	case !v.SignedIn() || !fresh && (q.Fresh || old):
		if q.Passive {
			return gate.Entrance{}, gate.SignInNeeded
		}
		if err := web.SeeOther(w, r, "/login?"+url.Values{"next": {q.Back}}.Encode()); err != nil {
			return gate.Entrance{}, err
		}
		return gate.Entrance{}, gate.Answered
	case h.refuse != nil:
		return gate.Entrance{}, h.refuse
	}
	told, err := g.Released(r.Context(), q.Service, v.Person, q.Wanted)
	return gate.Entrance{Viewer: v, Fresh: fresh, Attributes: told}, err
}

var record = map[registry.Attribute][]string{
	registry.DisplayName: {"Lina Martin"}, registry.Mail: {"lina.martin@valmont.example"}, registry.Affiliation: {"student", "member"},
	registry.Campus: {"rives"}, registry.Surname: {"Martin"}, registry.UID: {"lmartin"},
}

func (g fakeGate) Released(_ context.Context, s *registry.Service, _ campus.PersonID, wanted []registry.Attribute) ([]gate.Attribute, error) {
	var told []gate.Attribute
	for _, a := range s.Told(record, wanted) {
		told = append(told, gate.Attribute{Name: a, Values: record[a]})
	}
	return told, nil
}

func (g fakeGate) Admit(context.Context, *registry.Service, campus.PersonID) error { return g.h.banned }

func (g fakeGate) Leave(w http.ResponseWriter, r *http.Request, to string) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	return web.SeeOther(w, r, to)
}

func (g fakeGate) Note(_ context.Context, i gate.Incident) {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	g.h.incidents = append(g.h.incidents, i)
}

// noted reports whether the technical contact of a service reads a reason, and
// returns the incident.
func (h *house) noted(service string, reason *fault.Reason) (gate.Incident, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range h.incidents {
		if i.Reason == reason && (i.Service == nil && service == "" || i.Service != nil && i.Service.ID == service) {
			return i, true
		}
	}
	return gate.Incident{}, false
}

// browser follows no redirect.
var browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// reply is an answer, read.
type reply struct {
	*http.Response
	body string
}

func (h *house) do(r *http.Request) reply {
	h.t.Helper()
	answer, err := browser.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{answer, string(text)}
}

// get asks for an address of ours as a browser does.
func (h *house) get(path string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.server.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(r)
}

// post sends a form; headers are names and values in turn.
func (h *house) post(path string, form url.Values, headers ...string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return h.do(r)
}

// params are parameters of names and values in turn.
func params(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// verifier is the PKCE verifier of every test.
var verifier = strings.Repeat("verifier-", 6)

// ask is the authorization request of a client, with changes; an empty value takes
// a parameter out.
func ask(client string, changes ...string) url.Values {
	v := params("client_id", client, "response_type", "code", "scope", "openid profile email", "state", "the-state", "nonce", "the-nonce",
		"code_challenge", s256(verifier), "code_challenge_method", "S256")
	v.Set("redirect_uri", map[string]string{"wiki": wikiRedirect, "app": appRedirect, "hybrid": "https://old.valmont.example/cb"}[client])
	for i := 0; i+1 < len(changes); i += 2 {
		if v.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return v
}

// authorize asks as a client's browser does.
func (h *house) authorize(v url.Values) reply {
	h.t.Helper()
	return h.get(authorizePath + "?" + v.Encode())
}

// sent are the parameters that an answer carries to the client's address.
func (h *house) sent(r reply, to string) url.Values {
	h.t.Helper()
	location := r.Header.Get("Location")
	if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, to) {
		h.t.Fatalf("%s to %q, want 303 to %s: %s", r.Status, location, to, r.body)
	}
	u, err := url.Parse(location)
	if err != nil {
		h.t.Fatal(err)
	}
	if u.Fragment != "" {
		v, err := url.ParseQuery(u.EscapedFragment())
		if err != nil {
			h.t.Fatal(err)
		}
		return v
	}
	return u.Query()
}

// code lets the viewer enter a client and returns the code.
func (h *house) code(v url.Values) string {
	h.t.Helper()
	got := h.sent(h.authorize(v), v.Get("redirect_uri"))
	if got.Get("code") == "" {
		h.t.Fatalf("no code: %v", got)
	}
	return got.Get("code")
}

// redeem is the token request for a code, with changes.
func redeem(client, code string, changes ...string) url.Values {
	v := params("grant_type", "authorization_code", "code", code, "client_id", client, "code_verifier", verifier)
	v.Set("redirect_uri", map[string]string{"wiki": wikiRedirect, "app": appRedirect, "hybrid": "https://old.valmont.example/cb"}[client])
	if client == "wiki" || client == "hybrid" {
		v.Set("client_secret", secret)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if v.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return v
}

// given reads the tokens of an answer.
func (h *house) given(r reply) (got tokens) {
	h.t.Helper()
	if r.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s", r.Status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		h.t.Fatal(err)
	}
	return got
}

// refused checks that an answer is an error of OAuth.
func (h *house) refused(r reply, status int, code string) {
	h.t.Helper()
	var got struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.StatusCode != status || got.Error != code {
		h.t.Errorf("%s %s, want %d %s", r.Status, r.body, status, code)
	}
}

// enterAndRedeem goes the whole way.
func (h *house) enterAndRedeem(client string, changes ...string) tokens {
	h.t.Helper()
	return h.given(h.post(tokenPath, redeem(client, h.code(ask(client, changes...)))))
}

// userinfo asks about the person of a token.
func (h *house) userinfo(token string) reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.server.URL+userInfoPath, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return h.do(r)
}

// payload reads a token without checking it.
func payload(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// decoded is a part of a token as text.
func decoded(t testing.TB, part string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
