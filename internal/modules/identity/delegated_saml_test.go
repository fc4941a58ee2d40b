package identity

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// samlKey is the identity provider's, made once.
var samlKey = sync.OnceValue(func() saml.Credential {
	key, err := saml.GenerateCredential(saml.RSA2048, "idp", sunday().Now(), 365*24*time.Hour)
	if err != nil {
		panic(err)
	}
	return key
})

// samlProvider is a SAML identity provider of which only the metadata are served:
// its pages would be somebody else's.
type samlProvider struct {
	h      *house
	entity *saml.Entity
}

const (
	samlName   = "https://idp.campus.example/metadata"
	startSAML  = "/identity/upstreams/idp/start"
	answerSAML = "/identity/upstreams/idp/answer"
	leftSAML   = "/identity/upstreams/idp/left"
)

// delegatingSAML is a house that has a SAML identity provider beside it.
func delegatingSAML(t *testing.T, change ...func(*upstream.Config)) (*house, *samlProvider) {
	t.Helper()
	p := &samlProvider{entity: &saml.Entity{ID: samlName, IDP: &saml.IDPRole{
		Role: saml.Role{
			Keys:   []saml.RoleKey{{PublicKey: samlKey().Public(), Use: saml.UseSigning}},
			Logout: []saml.Endpoint{{Binding: saml.Redirect, Location: "https://idp.campus.example/logout"}},
			Scopes: []saml.Scope{{Value: "valmont.example"}}, // whose people it may speak for, as one of a federation
		},
		SSO: []saml.Endpoint{{Binding: saml.Redirect, Location: "https://idp.campus.example/sso"}},
	}}}
	key := samlKey()
	text, err := saml.WriteMetadata(p.entity, &key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write(text); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	c := upstream.Config{
		ID: "idp", Kind: upstream.KindSAML, NameFrench: "Mon campus", NameEnglish: "My campus",
		Match: []upstream.MatchConfig{{Attribute: "mail", Field: upstream.FieldMail}}, SAML: upstream.SAMLConfig{MetadataURL: server.URL},
	}
	for _, f := range change {
		f(&c)
	}
	p.h = openOne(t, func(all *Config) { all.Upstreams = []upstream.Config{c} })
	return p.h, p
}

// asked reads the request that a browser took along.
func (p *samlProvider) asked(a answer) (q *saml.AuthnRequest, relay string) {
	p.h.t.Helper()
	to := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "https://idp.campus.example/sso?") {
		p.h.t.Fatalf("the start leads to %d %s", a.StatusCode, to)
	}
	_, query, _ := strings.Cut(to, "?")
	m, err := saml.ReadRedirect(query)
	if err != nil {
		p.h.t.Fatal(err)
	}
	if q, err = saml.ParseAuthnRequest(m.Unverified()); err != nil {
		p.h.t.Fatal(err)
	}
	return q, m.RelayState
}

// says is the form that answers a request, about somebody with an address.
func (p *samlProvider) says(q *saml.AuthnRequest, relay, mail string) url.Values {
	p.h.t.Helper()
	now := p.h.clock.Now()
	assertion := (&saml.Assertion{
		ID: saml.NewID(), IssueInstant: now, Issuer: samlName,
		Subject: saml.Subject{
			NameID:        &saml.NameID{Value: "lasting-" + mail, Format: saml.FormatPersistent},
			Confirmations: []saml.Confirmation{{Method: saml.Bearer, Recipient: q.ACSURL, InResponseTo: q.ID, NotOnOrAfter: now.Add(5 * time.Minute)}},
		},
		Conditions: saml.Conditions{NotOnOrAfter: now.Add(5 * time.Minute), Audiences: [][]string{{q.Issuer}}},
		Statements: []saml.AuthnStatement{{Instant: now, SessionIndex: "_there", Context: saml.ContextPasswordProtected}},
		Attributes: []saml.Attribute{{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: saml.Texts(mail)}},
	}).Element()
	if err := saml.Sign(assertion, samlKey()); err != nil {
		p.h.t.Fatal(err)
	}
	response := &saml.Response{ID: saml.NewID(), InResponseTo: q.ID, IssueInstant: now, Destination: q.ACSURL, Issuer: samlName, Status: saml.Success()}
	form, err := saml.POSTForm(q.ACSURL, saml.Answer, response.Element(assertion), relay)
	if err != nil {
		p.h.t.Fatal(err)
	}
	return url.Values{string(form.Field): {form.Message}, "RelayState": {relay}}
}

// brings posts an answer as a browser does across sites: without cookies, which
// it brings when it is asked to come again.
func (b *browser) brings(form url.Values) answer {
	b.h.t.Helper()
	bare := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, body := pagetest.Ask(b.h.t, bare, "POST", b.h.server.URL+answerSAML, form, "Sec-Fetch-Site", "cross-site", "Origin", "https://idp.campus.example")
	if to := resp.Header.Get("Location"); resp.StatusCode == http.StatusSeeOther {
		return b.get(to)
	}
	return answer{resp, body}
}

func TestWhoIsVouchedForBySAMLComesInAndIsSentOut(t *testing.T) {
	h, p := delegatingSAML(t)
	b := h.browser().still()
	q, relay := p.asked(b.get(startSAML + "?next=/identity/sessions"))
	form := p.says(q, relay, "lina.martin@valmont.example")
	if a := b.brings(form); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/identity/sessions" {
		t.Fatalf("led to %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	want(t, b.get("/identity/sessions"), 200, "My open sessions")
	// The same answer again is an old one, in this browser and in any other.
	if a := b.brings(form); a.Header.Get("Location") != "/identity/sessions" {
		t.Errorf("the back button leads to %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	thief := h.browser().still()
	thief.brings(form)
	if a := thief.get("/identity/sessions"); a.StatusCode == 200 && strings.Contains(a.body, "My open sessions") {
		t.Error("an answer opens twice")
	}

	carries := b // whose browser brings the message
	leave := func(index string) answer {
		key := samlKey()
		address, err := saml.RedirectURL(h.server.URL+leftSAML, saml.Request, (&saml.LogoutRequest{
			ID: saml.NewID(), IssueInstant: h.clock.Now(), Destination: strings.TrimSuffix(q.ACSURL, answerSAML) + leftSAML, Issuer: samlName,
			NameID: saml.NameID{Value: "lasting-lina.martin@valmont.example", Format: saml.FormatPersistent}, SessionIndexes: []string{index},
		}).Element(), "back", &key)
		if err != nil {
			t.Fatal(err)
		}
		return carries.get(strings.TrimPrefix(address, h.server.URL))
	}
	if a := leave("_elsewhere"); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "https://idp.campus.example/logout?SAMLResponse=") {
		t.Errorf("another session's end leads to %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	want(t, b.get("/identity/sessions"), 200, "My open sessions")
	leave("_there")
	if a := b.get("/identity/sessions"); strings.Contains(a.body, "My open sessions") {
		t.Error("the upstream ended the session, and it goes on")
	}
	if page := b.get("/logout/done").body; strings.Contains(page, "/identity/upstreams/idp/part") || !strings.Contains(page, "signed out") {
		t.Errorf("a session that the upstream ended is offered to be ended there: %.3000s", page)
	}

	// In a frame of the upstream's page the browser brings none of our cookies: what
	// counts is whom the message names.
	h.clock.Advance(time.Second)
	q, relay = p.asked(b.get(startSAML + "?next=/identity/sessions"))
	b.brings(p.says(q, relay, "lina.martin@valmont.example"))
	want(t, b.get("/identity/sessions"), 200, "My open sessions")
	carries = h.browser().still()
	leave("_elsewhere")
	want(t, b.get("/identity/sessions"), 200, "My open sessions")
	if a := leave("_there"); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "https://idp.campus.example/logout?SAMLResponse=") {
		t.Errorf("the message is answered %d %s", a.StatusCode, a.Header.Get("Location"))
	}
	if a := b.get("/identity/sessions"); strings.Contains(a.body, "My open sessions") {
		t.Error("the upstream was told that the session has ended, and it goes on")
	}
}

func TestAnyFormFromAnywhereIsNoSignInBySAML(t *testing.T) {
	h, p := delegatingSAML(t)
	t.Run("an answer that nobody waits for begins a journey of its own", func(t *testing.T) {
		q := &saml.AuthnRequest{ID: "_made_up", Issuer: "x", ACSURL: h.server.URL + answerSAML}
		b := h.browser().still()
		if a := b.brings(p.says(q, "made-up", "lina.martin@valmont.example")); !strings.HasPrefix(a.Header.Get("Location"), "https://idp.campus.example/sso?") {
			t.Errorf("led to %d %s", a.StatusCode, a.Header.Get("Location"))
		}
	})
	t.Run("an answer to another journey", func(t *testing.T) {
		b := h.browser().still()
		other, _ := p.asked(b.get(startSAML))
		_, relay := p.asked(b.get(startSAML))
		want(t, b.brings(p.says(other, relay, "lina.martin@valmont.example")), 410, "identity.upstream_stale", "in_response_to")
	})
	t.Run("a megabyte and more", func(t *testing.T) {
		b := h.browser().still()
		_, relay := p.asked(b.get(startSAML))
		want(t, b.brings(url.Values{"SAMLResponse": {strings.Repeat("A", 1<<20)}, "RelayState": {relay}}), 413)
	})
	t.Run("what is no XML", func(t *testing.T) {
		b := h.browser().still()
		_, relay := p.asked(b.get(startSAML))
		want(t, b.brings(url.Values{"SAMLResponse": {"AAAA"}, "RelayState": {relay}}), 502, "identity.upstream_unfit")
	})
	t.Run("a sign-out that nobody signed", func(t *testing.T) {
		address, err := saml.RedirectURL(leftSAML, saml.Request, (&saml.LogoutRequest{ID: "_x", IssueInstant: h.clock.Now(), Issuer: samlName, NameID: saml.NameID{Value: "x"}}).Element(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		want(t, h.browser().get(address), 502, "identity.upstream_unfit")
	})
}

func TestADiscoveryServiceIsNoJourneyThatWasLost(t *testing.T) {
	signer := filepath.Join(t.TempDir(), "federation.pem")
	if err := os.WriteFile(signer, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: samlKey().Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	h, p := delegatingSAML(t, func(c *upstream.Config) {
		c.SAML.MetadataCertificate, c.SAML.DiscoveryURL = signer, "https://discovery.example/"
	})
	b := h.browser().still()
	a := b.get(startSAML + "?next=/identity/sessions")
	there, err := url.Parse(a.Header.Get("Location"))
	if err != nil || there.Host != "discovery.example" {
		t.Fatalf("led to %s, %v", a.Header.Get("Location"), err)
	}
	h.clock.Advance(5 * time.Minute)
	if page := b.get("/login").body; strings.Contains(page, "identity.upstream_not_back") {
		t.Error("whoever reads the list of a discovery service is told that they did not come back")
	}
	back, err := url.Parse(there.Query().Get("return"))
	if err != nil {
		t.Fatal(err)
	}
	chosen := back.Query()
	chosen.Set(there.Query().Get("returnIDParam"), samlName)
	q, relay := p.asked(b.get(back.Path + "?" + chosen.Encode()))
	if a := b.brings(p.says(q, relay, "lina.martin@valmont.example")); a.Header.Get("Location") != "/identity/sessions" {
		t.Errorf("led to %d %s", a.StatusCode, a.Header.Get("Location"))
	}
}

func TestOurMetadataArePublishedForUpstreamsThatReadThem(t *testing.T) {
	h, _ := delegatingSAML(t)
	a := h.browser().get("/identity/upstreams/idp/metadata")
	want(t, a, 200, `entityID="`, answerSAML, leftSAML)
	if got := a.Header.Get("Content-Type"); got != saml.MetadataType {
		t.Errorf("they are %s", got)
	}
	want(t, h.browser().get("/identity/upstreams/none/metadata"), 404)
	other, _ := delegating(t)
	want(t, other.browser().get("/identity/upstreams/campus/metadata"), 404)
	want(t, other.browser().get("/identity/upstreams/campus/left"), 404)
}
