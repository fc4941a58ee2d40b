package samlsp

import (
	"errors"
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

	"github.com/beevik/etree"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

var schema = []db.Migrations{{Name: "identity", FS: os.DirFS("../../migrations")}}

const (
	answerURL = "https://ent.univ.example/identity/upstreams/adfs/answer"
	ourName   = "https://ent.univ.example/identity/upstreams/adfs/metadata"
	theirName = "https://adfs.univ.example/metadata"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// pair makes a key once for all tests: RSA keys take their time.
var pair = func() func(name string) saml.Credential {
	var mu sync.Mutex
	made := map[string]saml.Credential{}
	return func(name string) saml.Credential {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := made[name]; !ok {
			lasts := 365 * 24 * time.Hour
			if name == "ours" {
				lasts = keyLasts
			}
			c, err := saml.GenerateCredential(saml.RSA2048, name, noon, lasts)
			if err != nil {
				panic(err)
			}
			made[name] = c
		}
		return made[name]
	}
}()

// elsewhere is the identity provider, made with the same toolkit; that another
// program understands us is tested apart.
type elsewhere struct {
	t      *testing.T
	key    saml.Credential
	entity *saml.Entity
	// document replaces the metadata when it is not nil.
	document []byte
	down     bool
	asked    int
	server   *httptest.Server
}

func anElsewhere(t *testing.T) *elsewhere {
	e := &elsewhere{t: t, key: pair("idp")}
	e.entity = anIDP(theirName, e.key)
	e.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e.asked++
		if e.down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		text := e.document
		if text == nil {
			var err error
			if text, err = saml.WriteMetadata(e.entity, nil); err != nil {
				t.Error(err)
			}
		}
		if _, err := w.Write(text); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(e.server.Close)
	return e
}

func anIDP(name string, keys ...saml.Credential) *saml.Entity {
	role := saml.Role{Logout: []saml.Endpoint{{Binding: saml.Redirect, Location: "https://adfs.univ.example/logout"}}}
	for _, k := range keys {
		role.Keys = append(role.Keys, saml.RoleKey{PublicKey: k.Public(), Use: saml.UseSigning})
	}
	return &saml.Entity{ID: name, IDP: &saml.IDPRole{Role: role, SSO: []saml.Endpoint{{Binding: saml.Redirect, Location: "https://adfs.univ.example/sso"}}}}
}

// house is our side.
type house struct {
	*Provider
	t     *testing.T
	clock *clock.Manual
	idp   *elsewhere
}

func open(t *testing.T, change ...func(*upstream.Config)) *house {
	t.Helper()
	idp := anElsewhere(t)
	c := upstream.Config{
		ID: "adfs", Kind: upstream.KindSAML, NameFrench: "l’université", NameEnglish: "the university",
		Match: []upstream.MatchConfig{{Attribute: "mail", Field: "mail"}}, SAML: upstream.SAMLConfig{MetadataURL: idp.server.URL},
	}
	for _, f := range change {
		f(&c)
	}
	h := &house{t: t, clock: clock.At(noon), idp: idp}
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if h.Provider, err = New(c, Deps{DB: dbtest.OpenAt(t, h.clock, schema...), Clock: h.clock, Keys: keys}); err != nil {
		t.Fatal(err)
	}
	if err := h.ring.keep(t.Context(), 0, pair("ours")); err != nil {
		t.Fatal(err)
	}
	return h
}

// leaves begins a journey and gives what the identity provider was asked.
func (h *house) leaves(change ...func(*upstream.Transaction)) (upstream.Transaction, *saml.AuthnRequest, upstream.Departure) {
	h.t.Helper()
	t := upstream.Transaction{ID: "1", Upstream: "adfs", Token: "token", Next: "/", Secrets: map[string]string{}, StartedAt: h.clock.Now(), AnswerURL: answerURL}
	for _, f := range change {
		f(&t)
	}
	to, err := h.Start(h.t.Context(), &t)
	if err != nil {
		h.t.Fatal(err)
	}
	if to.Aside {
		return t, nil, to
	}
	var m *saml.Inbound
	if to.Form != nil {
		m, err = saml.ReadPOST(to.Form)
	} else {
		_, query, _ := strings.Cut(to.URL, "?")
		m, err = saml.ReadRedirect(query)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	own, err := h.ring.all(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	el, _, err := m.Verify([]saml.PublicKey{own[0].Public()}, saml.Policy{})
	if err != nil {
		h.t.Fatalf("our own request does not hold: %v", err)
	}
	q, err := saml.ParseAuthnRequest(el)
	if err != nil {
		h.t.Fatal(err)
	}
	if m.RelayState != t.Token {
		h.t.Errorf("the token that travels is %q", m.RelayState)
	}
	return t, q, to
}

// said is a good answer to a request, before it is signed.
type said struct {
	response  *saml.Response
	assertion *saml.Assertion
	key       saml.Credential
	encrypt   *saml.PublicKey
	cipher    saml.Cipher
	unsigned  bool
}

func (h *house) says(q *saml.AuthnRequest) *said {
	now := h.clock.Now()
	return &said{
		key:    h.idp.key,
		cipher: saml.AES256GCM,
		response: &saml.Response{
			ID: saml.NewID(), InResponseTo: q.ID, IssueInstant: now, Destination: q.ACSURL, Issuer: theirName, Status: saml.Success(),
		},
		assertion: &saml.Assertion{
			ID: saml.NewID(), IssueInstant: now, Issuer: theirName,
			Subject: saml.Subject{
				NameID:        &saml.NameID{Value: "d41d8cd98f", Format: saml.FormatPersistent},
				Confirmations: []saml.Confirmation{{Method: saml.Bearer, Recipient: q.ACSURL, InResponseTo: q.ID, NotOnOrAfter: now.Add(5 * time.Minute)}},
			},
			Conditions: saml.Conditions{NotBefore: now.Add(-time.Second), NotOnOrAfter: now.Add(5 * time.Minute), Audiences: [][]string{{q.Issuer}}},
			Statements: []saml.AuthnStatement{{Instant: now, SessionIndex: "_session", Context: saml.ContextRefedsMFA}},
			Attributes: []saml.Attribute{
				{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: saml.Texts("amelie@univ.example")},
				{Name: "http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname", Values: saml.Texts(`UNIV\amelie`)},
			},
		},
	}
}

// back is the answer as the browser brings it.
func (s *said) back(t *testing.T) upstream.Return {
	t.Helper()
	var el *etree.Element
	if s.response.Status.OK() {
		el = s.assertion.Element()
		if !s.unsigned {
			if err := saml.Sign(el, s.key); err != nil {
				t.Fatal(err)
			}
		}
		if s.encrypt != nil {
			var err error
			if el, err = saml.Encrypt(el, *s.encrypt, s.cipher); err != nil {
				t.Fatal(err)
			}
		}
	}
	form, err := saml.POSTForm(answerURL, saml.Answer, s.response.Element(el), "token")
	if err != nil {
		t.Fatal(err)
	}
	return upstream.Return{Method: http.MethodPost, Values: url.Values{string(form.Field): {form.Message}, "RelayState": {form.RelayState}}}
}

func TestSomebodyComesBackWithAnAnswer(t *testing.T) {
	h := open(t)
	tr, q, to := h.leaves()
	if q.Issuer != ourName || q.ACSURL != answerURL || q.Destination != "https://adfs.univ.example/sso" || q.ForceAuthn || q.Context != nil || !strings.HasPrefix(to.URL, q.Destination+"?") {
		t.Errorf("asked %+v", q)
	}
	back := h.says(q).back(t)
	if h.Token(back) != "token" {
		t.Errorf("the token that came back is %q", h.Token(back))
	}
	h.clock.Advance(20 * time.Second)
	a, err := h.Receive(t.Context(), back, tr)
	if err != nil {
		t.Fatal(err)
	}
	if a.Issuer != theirName || a.Subject != "d41d8cd98f" || a.Attributes["mail"][0] != "amelie@univ.example" || a.Attributes["sAMAccountName"][0] != "amelie" {
		t.Errorf("got %+v", a)
	}
	if !slices.Equal(a.Contexts, []string{saml.ContextRefedsMFA}) || !a.AuthnInstant.Equal(noon) || a.Ahead != -20*time.Second || !a.Timed {
		t.Errorf("got %+v", a)
	}
	out, err := url.Parse(h.SignOutURL(t.Context(), a.LogoutHint))
	if err != nil {
		t.Fatal(err)
	}
	m, err := saml.ReadRedirect(out.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := saml.ParseLogoutRequest(m.Unverified(), saml.Opener{}); err != nil || left.NameID.Value != "d41d8cd98f" || left.SessionIndexes[0] != "_session" || left.Issuer != ourName || !m.Signed() {
		t.Errorf("signs out %+v, %v", left, err)
	}
}

func TestWhatIsAskedOfTheUpstream(t *testing.T) {
	mfa := func(c *upstream.Config) {
		c.Factor.Request = []string{saml.ContextRefedsMFA}
		c.SAML.NameIDFormat, c.SAML.OwnEntityID = saml.FormatPersistent, "https://ent.univ.example/"
	}
	h := open(t, mfa)
	_, q, _ := h.leaves()
	if q.Context == nil || !slices.Equal(q.Context.Classes, []string{saml.ContextRefedsMFA}) || q.NameIDPolicy.Format != saml.FormatPersistent || q.Issuer != "https://ent.univ.example/" {
		t.Errorf("asked %+v", q)
	}
	if _, q, _ = h.leaves(func(t *upstream.Transaction) { t.Plain = true }); q.Context != nil {
		t.Errorf("plainly, and still %+v", q.Context)
	}
	for name, ask := range map[string]func(*upstream.Transaction){
		"to prove it again": func(t *upstream.Transaction) { t.Force = true }, "to be somebody else": func(t *upstream.Transaction) { t.Choose = true },
	} {
		if _, q, _ = h.leaves(ask); !q.ForceAuthn {
			t.Errorf("asked %s, and ForceAuthn is not said", name)
		}
	}
	_, _, to := h.leaves(func(t *upstream.Transaction) { t.LoginHint = "amelie@univ.example" })
	if u, err := url.Parse(to.URL); err != nil || u.Query().Get("login_hint") != "amelie@univ.example" {
		t.Errorf("the hint does not travel: %s", to.URL)
	}
	h.idp.entity.IDP.SSO = []saml.Endpoint{{Binding: saml.SOAP, Location: "x"}, {Binding: saml.POST, Location: "https://adfs.univ.example/post"}}
	h.clock.Advance(fresh)
	if _, q, to = h.leaves(); to.Form == nil || to.URL != "https://adfs.univ.example/post" || q.Destination != to.URL {
		t.Errorf("by form: %+v", to)
	}
}

func TestAnEncryptedAnswerIsRead(t *testing.T) {
	for name, allow := range map[string]bool{"with CBC, where it is allowed": true, "with GCM": false} {
		t.Run(name, func(t *testing.T) {
			h := open(t, func(c *upstream.Config) { c.SAML.AllowCBC = allow })
			tr, q, _ := h.leaves()
			own, err := h.ring.all(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s := h.says(q)
			key := own[0].Public()
			s.encrypt = &key
			if allow {
				s.cipher = saml.AES256CBC
			}
			if a, err := h.Receive(t.Context(), s.back(t), tr); err != nil || a.Subject != "d41d8cd98f" {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
}

// failureOf is the failure that an error is.
func failureOf(t *testing.T, err error) *upstream.Failure {
	t.Helper()
	var f *upstream.Failure
	if !errors.As(err, &f) {
		t.Fatalf("it is no failure: %v", err)
	}
	return f
}

func TestEachCauseIsToldApart(t *testing.T) {
	status := func(code, second, message string) func(*house, *said, *upstream.Transaction) {
		return func(_ *house, s *said, _ *upstream.Transaction) {
			s.response.Status = saml.Status{Code: code, Second: second, Message: message}
		}
	}
	type step = func(*house, *said, *upstream.Transaction)
	for _, c := range []struct {
		name               string
		change             step
		reason             *fault.Reason
		expected, received string // parts of them
		plain              bool
	}{
		{"6: the answer to another request", func(_ *house, s *said, _ *upstream.Transaction) {
			s.response.InResponseTo, s.assertion.Subject.Confirmations[0].InResponseTo = "_other", "_other"
		}, upstream.Stale, "in_response_to _", "in_response_to _other", false},
		{"6: an answer that nobody asked for", func(_ *house, s *said, _ *upstream.Transaction) {
			s.response.InResponseTo, s.assertion.Subject.Confirmations[0].InResponseTo = "", ""
		}, upstream.Stale, "in_response_to _", "in_response_to ", false},
		{"11: the way of proof is not known there", status(saml.StatusResponder, saml.StatusNoAuthnContext, ""), upstream.FactorWanted, "", "", true},
		{"11: ADFS does not say which class it misses", status(saml.StatusResponder, "", "MSIS7102"), upstream.Faulty, "", "", true},
		{"11: Entra says it in words", status(saml.StatusResponder, "", "AADSTS75011: Authentication method 'X509' …"), upstream.FactorWanted, "", "", true},
		{"10: nobody assigned them", status(saml.StatusResponder, "", "AADSTS50105: not assigned"), upstream.NotAssigned, "", "", false},
		{"7: the password expired there", status(saml.StatusResponder, "", "AADSTS50055: expired"), upstream.PasswordExpired, "", "", false},
		{"8: the account is locked there", status(saml.StatusResponder, saml.StatusAuthnFailed, "AADSTS50053: locked"), upstream.AccountLocked, "", "", false},
		{"9: another tenant", status(saml.StatusResponder, "", "AADSTS50020: user account from identity provider"), upstream.WrongTenant, "", "", false},
		{"the sign-in failed there", status(saml.StatusResponder, saml.StatusAuthnFailed, ""), upstream.Refused, "", "", false},
		{"the upstream has no session", status(saml.StatusResponder, saml.StatusNoPassive, ""), upstream.Stale, "", "", false},
		{"the upstream does not know us", status(saml.StatusRequester, "", ""), upstream.Misconfigured, "", "", false},
		{"the upstream refuses our NameIDPolicy", status(saml.StatusRequester, saml.StatusInvalidNameIDPolicy, ""), upstream.Misconfigured, "", "", false},
		{"the upstream said no", status(saml.StatusResponder, saml.StatusRequestDenied, ""), upstream.Declined, "", "", false},
		{"12: its clock is ahead of ours", func(h *house, s *said, _ *upstream.Transaction) {
			later := noon.Add(4 * time.Minute)
			s.response.IssueInstant, s.assertion.IssueInstant, s.assertion.Conditions.NotBefore, s.assertion.Statements[0].Instant = later, later, later, later
		}, upstream.ClockOff, "valid at 2026-11-22T12:00:00Z", "valid from 2026-11-22T12:04:00Z", false},
		{"12: its clock is behind ours", func(h *house, s *said, _ *upstream.Transaction) {
			early := noon.Add(-9 * time.Minute)
			s.response.IssueInstant, s.assertion.IssueInstant, s.assertion.Statements[0].Instant = early, early, early
			s.assertion.Conditions.NotBefore, s.assertion.Conditions.NotOnOrAfter = early, early.Add(5*time.Minute)
			s.assertion.Subject.Confirmations[0].NotOnOrAfter = early.Add(5 * time.Minute)
		}, upstream.ClockOff, "valid at 2026-11-22T12:00:00Z", "valid until 2026-11-22T11:56:00Z", false},
		{"23: a tab that waited with its answer", func(h *house, _ *said, _ *upstream.Transaction) { h.clock.Advance(15 * time.Minute) },
			upstream.Stale, "valid at 2026-11-22T12:15:00Z", "valid until 2026-11-22T12:05:00Z", false},
		{"15: a key that its metadata do not name", func(_ *house, s *said, _ *upstream.Transaction) { s.key = pair("rolled") }, upstream.KeyUnknown, "SHA-256 ", "no known key made this signature: SHA-256 ", false},
		{"16: another audience", func(_ *house, s *said, _ *upstream.Transaction) {
			s.assertion.Conditions.Audiences = [][]string{{"https://other/"}}
		}, upstream.Unfit, "audience " + ourName, "audience https://other/", false},
		{"16: another recipient", func(_ *house, s *said, _ *upstream.Transaction) {
			s.assertion.Subject.Confirmations[0].Recipient = "https://other/acs"
		}, upstream.Unfit, "recipient " + answerURL, "recipient https://other/acs", false},
		{"16: another destination", func(_ *house, s *said, _ *upstream.Transaction) { s.response.Destination = "https://other/acs" }, upstream.Unfit, "destination " + answerURL, "destination https://other/acs", false},
		{"16: another issuer", func(_ *house, s *said, _ *upstream.Transaction) {
			s.assertion.Issuer, s.response.Issuer = "https://other/", "https://other/"
		}, upstream.Unfit, "issuer " + theirName, "issuer https://other/", false},
		{"17: nothing names them for ever", func(_ *house, s *said, _ *upstream.Transaction) {
			s.assertion.Subject.NameID.Format = saml.FormatTransient
		}, upstream.AttributeMissing, "subject-id", "NameID of format transient; ", false},
		{"17: an address names them, which goes to the next", func(_ *house, s *said, _ *upstream.Transaction) {
			s.assertion.Subject.NameID.Format = saml.FormatEmail
		}, upstream.AttributeMissing, "subject-id", "NameID of format emailAddress", false},
		{"an answer that nobody signed", func(_ *house, s *said, _ *upstream.Transaction) { s.unsigned = true }, upstream.Unfit, "a signature of SHA-256", "no signature", false},
		{"an answer encrypted for somebody else", func(_ *house, s *said, _ *upstream.Transaction) { k := pair("other").Public(); s.encrypt = &k }, upstream.Misconfigured, "the key of our metadata", "our keys do not open", false},
		{"an answer by a cipher that was not allowed", func(h *house, s *said, _ *upstream.Transaction) {
			k := pair("other").Public()
			s.encrypt, s.cipher = &k, saml.AES256CBC
		}, upstream.Misconfigured, "an algorithm that is safe", "aes256-cbc", false},
		{"a provider that left the federation meanwhile", func(_ *house, _ *said, t *upstream.Transaction) { t.Secrets[keepProvider] = "https://gone/" }, upstream.Misconfigured, "an identity provider of", "https://gone/", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			tr, q, _ := h.leaves()
			s := h.says(q)
			c.change(h, s, &tr)
			_, err := h.Receive(t.Context(), s.back(t), tr)
			f := failureOf(t, err)
			if f.Reason != c.reason || f.Plain != c.plain || !strings.Contains(f.Expected, c.expected) || !strings.Contains(f.Received, c.received) {
				t.Errorf("got %v (%s): want %q, got %q, plain %t", f.Reason, f.Code, f.Expected, f.Received, f.Plain)
			}
			if f.Reason == upstream.ClockOff && (f.Args["by"] == nil || !f.Timed) {
				t.Errorf("the clocks differ, and it is not said by how much: %+v", f)
			}
		})
	}
}

func TestWhatIsNoAnswerIsUnfit(t *testing.T) {
	h := open(t)
	tr, q, _ := h.leaves()
	good := h.says(q).back(t)
	for name, back := range map[string]upstream.Return{
		"nothing":                {Method: http.MethodPost, Values: url.Values{}},
		"no base64":              {Method: http.MethodPost, Values: url.Values{"SAMLResponse": {"***"}}},
		"a document type":        {Method: http.MethodPost, Values: url.Values{"SAMLResponse": {"PCFET0NUWVBFIGE+PGEvPg=="}}},
		"an answer twice":        {Method: http.MethodPost, Values: url.Values{"SAMLResponse": append(good.Values["SAMLResponse"], "x")}},
		"an answer in a query":   {Method: http.MethodGet, RawQuery: "SAMLResponse=" + url.QueryEscape(good.Values.Get("SAMLResponse"))},
		"a request":              {Method: http.MethodPost, Values: url.Values{"SAMLRequest": good.Values["SAMLResponse"][:0]}},
		"an answer of a gallery": {Method: http.MethodPost, Values: url.Values{"SAMLResponse": {"PGEvPg=="}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Receive(t.Context(), back, tr)
			if f := failureOf(t, err); f.Reason != upstream.Unfit || f.Received == "" {
				t.Errorf("got %v", f)
			}
		})
	}
}

func TestWhoNamesSomebodyForEver(t *testing.T) {
	const oid = "urn:oasis:names:tc:SAML:attribute:"
	for _, c := range []struct {
		name       string
		configured string
		change     func(*said)
		want       string
	}{
		{"a persistent name", "", func(*said) {}, "d41d8cd98f"},
		{"a name of no format, as ADFS gives it", "", func(s *said) { s.assertion.Subject.NameID.Format = "" }, "d41d8cd98f"},
		{"subject-id before any name", "", func(s *said) {
			s.assertion.Attributes = append(s.assertion.Attributes, saml.Attribute{Name: oid + "subject-id", Values: saml.Texts("42@univ.example")})
		}, "42@univ.example"},
		{"Entra's object", "", func(s *said) {
			s.assertion.Subject.NameID.Format = saml.FormatEmail
			s.assertion.Attributes = append(s.assertion.Attributes, saml.Attribute{Name: "http://schemas.microsoft.com/identity/claims/objectidentifier", Values: saml.Texts("a-guid")})
		}, "a-guid"},
		{"the name, when the configuration says so", "NameID", func(s *said) { s.assertion.Subject.NameID.Format = saml.FormatEmail }, "d41d8cd98f"},
		{"never a transient one", "NameID", func(s *said) { s.assertion.Subject.NameID.Format = saml.FormatTransient }, ""},
		{"an attribute, when the configuration says so", "mail", func(*said) {}, "amelie@univ.example"},
		{"not two values of it", "mail", func(s *said) { s.assertion.Attributes[0].Values = saml.Texts("a@univ.example", "b@univ.example") }, ""},
		{"not a name instead of it", "supannEtuId", func(*said) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, func(u *upstream.Config) { u.SAML.Subject = c.configured })
			tr, q, _ := h.leaves()
			s := h.says(q)
			c.change(s)
			a, err := h.Receive(t.Context(), s.back(t), tr)
			if a.Subject != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q, %v", a.Subject, err)
			}
		})
	}
}

func TestAMemberOfAFederationSpeaksForItsOwnPeopleOnly(t *testing.T) {
	h := open(t)
	h.idp.entity.IDP.Scopes = []saml.Scope{{Value: "univ.example"}, {Value: `.+\.univ\.example`, Regexp: true}}
	ask := func(values ...string) (upstream.Answer, error) {
		tr, q, _ := h.leaves()
		s := h.says(q)
		s.assertion.Attributes = append(s.assertion.Attributes,
			saml.Attribute{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", Values: saml.Texts(values...)},
			saml.Attribute{Name: "urn:mace:dir:attribute-def:eduPersonScopedAffiliation", Values: saml.Texts(values...)})
		return h.Receive(t.Context(), s.back(t), tr)
	}
	a, err := ask("amelie@univ.example", "amelie@lab.univ.example", "admin@other.example", "admin@univ.example.evil", "admin@xuniv.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"eduPersonPrincipalName", "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "eduPersonScopedAffiliation", "urn:mace:dir:attribute-def:eduPersonScopedAffiliation"} {
		if got := a.Attributes[name]; !slices.Equal(got, []string{"amelie@univ.example", "amelie@lab.univ.example"}) {
			t.Errorf("%s is %v", name, got)
		}
	}
	tr, q, _ := h.leaves()
	s := h.says(q)
	s.assertion.Attributes = append(s.assertion.Attributes, saml.Attribute{Name: "urn:oasis:names:tc:SAML:attribute:subject-id", Values: saml.Texts("42@other.example")})
	_, err = h.Receive(t.Context(), s.back(t), tr)
	if f := failureOf(t, err); f.Reason != upstream.Unfit || f.Received != "subject-id 42@other.example" {
		t.Errorf("somebody of another university: %v", f)
	}
}

func TestAMemberOfAFederationGivesNobodyAnAddressOfAnother(t *testing.T) {
	mail := func(addresses ...string) []saml.Attribute {
		return []saml.Attribute{{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: saml.Texts(addresses...)}, {Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", Values: saml.Texts(addresses...)}}
	}
	scopes := []saml.Scope{{Value: "univ.example"}, {Value: `.+\.lab\.example`, Regexp: true}}
	for name, c := range map[string]struct {
		scopes   []saml.Scope
		member   bool
		given    []saml.Attribute
		mail     []string
		unscoped []string
		eppn     []string
	}{
		"its own":                   {scopes, true, mail("a@univ.example"), []string{"a@univ.example"}, nil, []string{"a@univ.example"}},
		"of a domain below":         {scopes, true, mail("a@etu.univ.example"), []string{"a@etu.univ.example"}, nil, nil},
		"of a domain that fits":     {scopes, true, mail("a@x.lab.example"), []string{"a@x.lab.example"}, nil, []string{"a@x.lab.example"}},
		"of another university":     {scopes, true, mail("president@other.example"), nil, []string{"president@other.example"}, nil},
		"of one that looks like it": {scopes, true, mail("a@xuniv.example"), nil, []string{"a@xuniv.example"}, nil},
		"without a list of domains": {nil, true, mail("a@univ.example"), nil, []string{"a@univ.example"}, nil},
		"the only provider":         {nil, false, mail("a@univ.example"), []string{"a@univ.example"}, nil, []string{"a@univ.example"}},
	} {
		kept, _ := within(c.scopes, flatten(c.given), c.member)
		if !slices.Equal(kept["mail"], c.mail) || !slices.Equal(kept["urn:oid:0.9.2342.19200300.100.1.3"], c.mail) ||
			!slices.Equal(kept[upstream.UnscopedMail], c.unscoped) || !slices.Equal(kept["eduPersonPrincipalName"], c.eppn) {
			t.Errorf("%s: %v", name, kept)
		}
	}
}
