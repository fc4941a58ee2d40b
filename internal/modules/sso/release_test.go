package sso

import (
	"compress/flate"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// paper is a service of somebody else, which people agree to.
func paper() registry.Service {
	return registry.Service{
		ID: "paper", NameEnglish: "Journals", Patterns: []string{"https://paper.example"}, Protocol: registry.CAS, Consent: true,
		Attributes: []registry.Attribute{registry.Mail, registry.ScopedAffiliation, registry.PairwiseID},
	}
}

func TestAServiceOfSomebodyElseIsToldNothingBeforeThePersonAgrees(t *testing.T) {
	h := one(t)
	if err := h.module.AddService(t.Context(), campustest.Alix(), paper()); err != nil {
		t.Fatal(err)
	}
	h.enter(lina())
	const address = "https://paper.example/"
	ask := location(t, h.get(loginURL(address)))
	if ask.Path != "/sso/consent" || !strings.Contains(ask.Query().Get("told"), "mail") {
		t.Fatalf("leads to %s", ask)
	}
	if to := location(t, h.get(loginURL(address, "gateway", "true"))); to.Host != "paper.example" || to.Query().Has("ticket") {
		t.Errorf("a question in passing is answered with %s", to)
	}
	page := h.get(ask.String()).Body.String()
	if !strings.Contains(page, "lina.martin@valmont.example") || strings.Contains(page, "⟦") {
		t.Error(page)
	}
	back := location(t, h.post("/sso/consent", url.Values{
		"service": {"paper"}, "told": {ask.Query().Get("told")}, "also": {"eduPersonScopedAffiliation"}, "back": {ask.Query().Get("back")}, "answer": {"yes"},
	}))
	to := location(t, h.get(back.String()))
	if !to.Query().Has("ticket") {
		t.Fatalf("after the consent the browser goes to %s", to)
	}
	if answer := h.check(address, to.Query().Get("ticket")); !strings.Contains(answer, "student@localhost") || strings.Contains(answer, "lina.martin@") {
		t.Errorf("what was left out is told, or the rest is not: %s", answer)
	}
	if page := h.get("/sso/consents").Body.String(); !strings.Contains(page, "Journals") {
		t.Error(page)
	}
}

func TestARefusalIsHeardByTheServiceWhereItsProtocolHasAWordForIt(t *testing.T) {
	h := one(t)
	client := registry.Service{
		ID: "notes", NameEnglish: "Notes", Protocol: registry.OIDC, Consent: true, Attributes: []registry.Attribute{registry.Mail},
		OIDC: registry.OIDCClient{ClientID: "notes", AuthMethod: registry.AuthPublic, RedirectURIs: []string{"https://notes.example/cb"}},
	}
	provider := registry.Service{
		ID: "sp", NameEnglish: "Provider", Protocol: registry.SAML, Consent: true, Attributes: []registry.Attribute{registry.Mail},
		SAML: registry.SAMLPeer{EntityID: "https://sp.example", Metadata: `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://sp.example"><SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
			`<NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat><AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example/acs" index="1"/></SPSSODescriptor></EntityDescriptor>`},
	}
	for _, s := range []registry.Service{client, provider, paper()} {
		if err := h.module.AddService(t.Context(), campustest.Alix(), s); err != nil {
			t.Fatal(err)
		}
	}
	h.enter(lina())
	answer := func(question, answer string) *httptest.ResponseRecorder {
		t.Helper()
		ask := location(t, h.get(question))
		if ask.Path != "/sso/consent" {
			t.Fatalf("leads to %s", ask)
		}
		return h.post("/sso/consent", url.Values{"service": {ask.Query().Get("service")}, "told": {ask.Query().Get("told")}, "back": {ask.Query().Get("back")}, "answer": {answer}})
	}
	const authorize = "/oidc/authorize?client_id=notes&redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&response_type=code&scope=openid+email&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
	refusal := location(t, answer(authorize, "no")).String()
	to := location(t, h.get(refusal))
	if to.Host != "notes.example" || to.Query().Get("error") != "access_denied" || to.Query().Get("state") != "s" {
		t.Errorf("the client is sent %s", to)
	}
	h.enter(campustest.Paul())
	if to := location(t, h.get(refusal)); to.Path != "/sso/consent" {
		t.Errorf("one person's refusal is another's: %s", to)
	}
	h.enter(lina())
	if to := location(t, h.get(strings.Replace(refusal, "state=s", "state=t", 1))); to.Path != "/sso/consent" {
		t.Errorf("the refusal of one question answers another: %s", to)
	}
	h.clock.Advance(refusedFor)
	if to := location(t, h.get(refusal)); to.Path != "/sso/consent" {
		t.Errorf("who comes back later is not asked again: %s", to)
	}

	var request strings.Builder
	pack, err := flate.NewWriter(&request, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(pack, `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" IssueInstant=%q><Issuer>https://sp.example</Issuer></samlp:AuthnRequest>`, h.clock.Now().Format(time.RFC3339))
	if err := pack.Close(); err != nil {
		t.Fatal(err)
	}
	kept := location(t, h.get("/saml/sso?"+url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(request.String()))}}.Encode()))
	response := func(decision string) string {
		page := h.get(location(t, answer(kept.String(), decision)).String()).Body.String()
		_, value, _ := strings.Cut(page, `name="SAMLResponse" value="`)
		value, _, _ = strings.Cut(value, `"`)
		text, err := base64.StdEncoding.DecodeString(html.UnescapeString(value))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if got := response("no"); !strings.Contains(got, "status:RequestDenied") || !strings.Contains(got, `InResponseTo="_1"`) {
		t.Errorf("the service provider is sent %s", got)
	}
	for _, question := range []string{"/saml/start/sp", loginURL("https://paper.example/")} {
		if w := answer(question, "no"); w.Code != http.StatusOK {
			t.Errorf("%s, from where nobody waits for an answer, leads to %s", question, w.Header().Get("Location"))
		}
	}
	// Its metadata asks for a mail address as the name, which the person leaves out.
	if got := response("yes"); !strings.Contains(got, "status:Success") || strings.Contains(got, "lina.martin@") || !strings.Contains(got, "nameid-format:transient") {
		t.Errorf("the service provider is sent %s", got)
	}
}

func TestAServiceThatAsksAnewIsAnsweredByAConsentGivenSince(t *testing.T) {
	h := one(t)
	if err := h.module.AddService(t.Context(), campustest.Alix(), paper()); err != nil {
		t.Fatal(err)
	}
	x, err := h.module.Registry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.enter(lina())
	agree := func(told, back string) string {
		w := h.post("/sso/consent", url.Values{"service": {"paper"}, "told": {told}, "back": {back}, "answer": {"yes"}})
		return location(t, w).String()
	}
	agree("mail eduPersonScopedAffiliation pairwise-id", "/")
	q := gate.Question{Service: x.Get("paper"), Address: "https://paper.example/", Back: "/cas/login?x=1", Consent: true}
	var question gate.Question
	var outcome error
	h.server.Router("sso").Handle("GET /sso/try", func(w http.ResponseWriter, r *http.Request) error {
		_, outcome = h.module.Enter(w, r, question)
		return nil
	})
	enter := func(q gate.Question) (string, error) {
		question = q
		return h.get("/sso/try").Header().Get("Location"), outcome
	}
	to, err := enter(q)
	ask, parseErr := url.Parse(to)
	if err != gate.Answered || parseErr != nil || ask.Path != "/sso/consent" {
		t.Fatalf("an older consent was enough: %s, %v", to, err)
	}
	back, err := url.Parse(agree(ask.Query().Get("told"), ask.Query().Get("back")))
	if err != nil {
		t.Fatal(err)
	}
	q.Mark = back.Query().Get(gate.MarkParameter)
	if _, err := enter(q); err != nil {
		t.Errorf("after the consent: %v", err)
	}
	q.Mark = ""
	q.Passive = true
	if _, err := enter(q); err != gate.ConsentNeeded {
		t.Errorf("without a page: %v", err)
	}
}

func TestTheDomainIsTheRegisteredPartOfOurAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://ent.univ.fr": "univ.fr", "https://sso.ent.univ.ac.uk:8443/": "univ.ac.uk", "http://localhost:8080": "localhost", "https://192.0.2.1": "192.0.2.1",
	} {
		if got := domainOf(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
