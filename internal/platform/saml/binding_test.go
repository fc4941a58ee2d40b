package saml

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

func aRequest() *AuthnRequest {
	return &AuthnRequest{ID: "_request", IssueInstant: noon, Issuer: ourSP, Destination: "https://idp.univ.example/sso", ACSURL: ourACS, ProtocolBinding: POST}
}

// queryOf is the raw query of an address that RedirectURL built.
func queryOf(t *testing.T, address string) string {
	t.Helper()
	_, query, ok := strings.Cut(address, "?")
	if !ok {
		t.Fatalf("%s has no query", address)
	}
	return query
}

func redirected(t *testing.T, relay string, by *Credential) string {
	t.Helper()
	address, err := RedirectURL("https://idp.univ.example/sso", Request, aRequest().Element(), relay, by)
	if err != nil {
		t.Fatal(err)
	}
	return queryOf(t, address)
}

func deflated(t *testing.T, text string) string {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes()))
}

func TestARedirectCarriesAMessageThereAndBack(t *testing.T) {
	for kind, pair := range pairs {
		for _, relay := range []string{"", "a b&c=d/é+%2F"} {
			by := pair()
			m, err := ReadRedirect(redirected(t, relay, &by))
			if err != nil {
				t.Fatal(err)
			}
			el, proof, err := m.Verify(keysOf(otherPair(), by), Policy{})
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			q, err := ParseAuthnRequest(el)
			if err != nil || q.ID != "_request" || m.RelayState != relay || m.Field != Request || m.Kind() != "AuthnRequest" || m.Issuer() != ourSP {
				t.Errorf("got %+v %+v, %v", m, q, err)
			}
			if !proof.Key.Certificate.Equal(by.Certificate) {
				t.Error("another key")
			}
		}
	}
	m, err := ReadRedirect(redirected(t, "", nil))
	if err != nil || m.Signed() {
		t.Fatalf("an unsigned one: %v", err)
	}
	if _, _, err := m.Verify(keysOf(rsaPair()), Policy{}); !errors.Is(err, ErrUnsigned) {
		t.Error(err)
	}
	if address, err := RedirectURL("https://idp.univ.example/sso?tenant=1", Request, aRequest().Element(), "", nil); err != nil || strings.Count(address, "?") != 1 {
		t.Errorf("%s, %v", address, err)
	}
	if _, err := RedirectURL("x", Request, signed(t, aRequest().Element(), rsaPair()), "", nil); !errors.Is(err, ErrUnexpected) {
		t.Errorf("a message with a signature inside: %v", err)
	}
}

// Peers encode differently: ADFS in lower case, others leave the "+" of base64
// as %2b or the "=" bare. The signature is over what they sent.
func TestTheSignatureOfAQueryIsOverTheOctetsAsTheyCame(t *testing.T) {
	c := rsaPair()
	query := redirected(t, "https://x/", nil)
	odd := strings.NewReplacer("%2F", "%2f", "%3D", "=", "%3A", "%3a").Replace(query)
	if odd == query {
		t.Fatal("the query has nothing to write otherwise")
	}
	whole, err := signQuery(odd, c)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ReadRedirect(whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Verify(keysOf(c), Policy{}); err != nil {
		t.Fatal(err)
	}
	// The order of the parameters is the standard's and not the query's.
	parts := strings.Split(whole, "&")
	m, err = ReadRedirect(parts[3] + "&other=1&" + parts[2] + "&" + parts[1] + "&" + parts[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Verify(keysOf(c), Policy{}); err != nil {
		t.Errorf("in another order: %v", err)
	}
}

func TestASignedQueryIsRefused(t *testing.T) {
	c := rsaPair()
	whole := redirected(t, "relay", &c)
	parts := strings.Split(whole, "&") // SAMLRequest, RelayState, SigAlg, Signature
	sha1 := strings.Replace(parts[2], "2001%2F04%2Fxmldsig-more%23rsa-sha256", "2000%2F09%2Fxmldsig%23rsa-sha1", 1)
	hmac := strings.Replace(parts[2], "rsa-sha256", "hmac-sha256", 1)
	for _, each := range []struct {
		name, query string
		keys        []PublicKey
		want        error
	}{
		{"when the relay state changed", parts[0] + "&RelayState=evil&" + parts[2] + "&" + parts[3], keysOf(c), ErrAltered},
		{"when the relay state is gone", parts[0] + "&" + parts[2] + "&" + parts[3], keysOf(c), ErrAltered},
		{"when the message changed", "SAMLRequest=" + deflated(t, text(t, (&AuthnRequest{ID: "_x", Issuer: ourSP, IssueInstant: noon}).Element())) + "&" + strings.Join(parts[1:], "&"), keysOf(c), ErrAltered},
		{"when it turned into an answer", strings.Replace(whole, "SAMLRequest=", "SAMLResponse=", 1), keysOf(c), ErrAltered},
		{"when it is by SHA-1", parts[0] + "&" + parts[1] + "&" + sha1 + "&" + parts[3], keysOf(c), ErrAlgorithm},
		{"when it is by HMAC", parts[0] + "&" + parts[1] + "&" + hmac + "&" + parts[3], keysOf(c), ErrAlgorithm},
		{"when it is another's", whole, keysOf(otherPair()), ErrAltered},
		{"when the key is of another kind", whole, keysOf(pairs[P256]()), ErrAltered},
		{"when nobody's key is known", whole, nil, ErrNoKeys},
		{"when both halves of it are gone", parts[0] + "&" + parts[1], keysOf(c), ErrUnsigned},
	} {
		t.Run(each.name, func(t *testing.T) {
			m, err := ReadRedirect(each.query)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := m.Verify(each.keys, Policy{}); !errors.Is(err, each.want) {
				t.Fatalf("got %v, want %v", err, each.want)
			}
		})
	}
}

func TestAQueryIsRefusedBeforeItIsRead(t *testing.T) {
	c := rsaPair()
	good := redirected(t, "relay", &c)
	parts := strings.Split(good, "&")
	bomb := deflated(t, "<a>"+strings.Repeat(" ", 50<<20)+"</a>")
	for _, each := range []struct {
		name, query string
		want        error
	}{
		{"no message", "RelayState=x", ErrMissing},
		{"an empty message", "SAMLRequest=", ErrEncoding},
		{"a message of nothing", "SAMLRequest=" + deflated(t, ""), ErrMissing},
		{"a message and an answer", good + "&SAMLResponse=" + deflated(t, "<a/>"), ErrUnexpected},
		{"two messages", good + "&" + parts[0], ErrUnexpected},
		{"two relay states", good + "&RelayState=evil", ErrUnexpected},
		{"two signatures", good + "&" + parts[3], ErrUnexpected},
		{"another compression", good + "&SAMLEncoding=urn:x", ErrEncoding},
		{"what is no base64", "SAMLRequest=***", ErrEncoding},
		{"what is no percent encoding", "SAMLRequest=%zz", ErrEncoding},
		{"what is not compressed", "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("<a/>"))), ErrEncoding},
		{"a compressed half", "SAMLRequest=" + deflated(t, strings.Repeat("<a/>", 100))[:20], ErrEncoding},
		{"a bomb of 50 MB", "SAMLRequest=" + bomb, ErrTooLarge},
		{"a long relay state", "SAMLRequest=" + deflated(t, "<a/>") + "&RelayState=" + strings.Repeat("x", MaxRelayState+1), ErrTooLarge},
		{"a query of a megabyte", "SAMLRequest=" + strings.Repeat("A", 1<<20), ErrTooLarge},
		{"half a signature", strings.Join(parts[:3], "&"), ErrEncoding},
		{"the other half", parts[0] + "&" + parts[3], ErrEncoding},
	} {
		t.Run(each.name, func(t *testing.T) {
			_, err := ReadRedirect(each.query)
			var refused *BindingError
			if !errors.As(err, &refused) || !errors.Is(err, each.want) {
				t.Fatalf("got %v, want %v", err, each.want)
			}
		})
	}
	if _, err := ReadRedirect("SAMLRequest=" + deflated(t, `<!DOCTYPE a><a/>`)); !errors.Is(err, ErrDTD) {
		t.Errorf("what is inside is inspected: %v", err)
	}
}

func TestAFormIsRefusedBeforeItIsRead(t *testing.T) {
	message := base64.StdEncoding.EncodeToString([]byte("<a/>"))
	for _, each := range []struct {
		name string
		form url.Values
		want error
	}{
		{"no message", url.Values{}, ErrMissing},
		{"two messages", url.Values{"SAMLResponse": {message, message}}, ErrUnexpected},
		{"a message and an answer", url.Values{"SAMLResponse": {message}, "SAMLRequest": {message}}, ErrUnexpected},
		{"two relay states", url.Values{"SAMLResponse": {message}, "RelayState": {"a", "b"}}, ErrUnexpected},
		{"what is no base64", url.Values{"SAMLResponse": {"***"}}, ErrEncoding},
		{"two megabytes", url.Values{"SAMLResponse": {strings.Repeat("A", 2<<20)}}, ErrTooLarge},
		{"a long relay state", url.Values{"SAMLResponse": {message}, "RelayState": {strings.Repeat("x", MaxRelayState+1)}}, ErrTooLarge},
	} {
		t.Run(each.name, func(t *testing.T) {
			_, err := ReadPOST(each.form)
			var refused *BindingError
			if !errors.As(err, &refused) || !errors.Is(err, each.want) {
				t.Fatalf("got %v, want %v", err, each.want)
			}
		})
	}
	if m, err := ReadPOST(url.Values{"SAMLResponse": {message[:4] + "\r\n " + message[4:]}}); err != nil || m.Field != Answer || m.Signed() {
		t.Errorf("base64 in lines: %v", err)
	}
}

func TestAnEnvelopeCarriesAMessageThereAndBack(t *testing.T) {
	c := rsaPair()
	q := &LogoutRequest{ID: "_logout", IssueInstant: noon, Issuer: ourIDP, NameID: NameID{Value: "amelie"}, SessionIndexes: []string{"_s"}}
	data, err := Envelope(signed(t, q.Element(), c))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ReadSOAP(data)
	if err != nil {
		t.Fatal(err)
	}
	el, _, err := m.Verify(keysOf(c), Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseLogoutRequest(el, Opener{}); err != nil || got.NameID != q.NameID || got.SessionIndexes[0] != "_s" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnEnvelopeIsRefused(t *testing.T) {
	const start, end = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>`, `</s:Body></s:Envelope>`
	for name, data := range map[string]string{
		"without a body":       `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>`,
		"without a message":    start + end,
		"with two messages":    start + `<a/><b/>` + end,
		"that is none":         `<a/>`,
		"that carries a fault": start + `<s:Fault><faultcode>s:Server</faultcode><faultstring>no</faultstring></s:Fault>` + end,
		"of SOAP 1.2":          strings.ReplaceAll(start+`<a/>`+end, NSSOAP, "http://www.w3.org/2003/05/soap-envelope"),
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := ReadSOAP([]byte(data)); err == nil {
				t.Fatalf("read as %s", m.Kind())
			}
		})
	}
}

func TestMessagesAreReadAsTheyWereWritten(t *testing.T) {
	q := &AuthnRequest{
		ID: "_r", IssueInstant: noon, Issuer: ourSP, Destination: "https://idp/sso", ForceAuthn: true, IsPassive: true, ACSIndex: ptr(2), AttributeIndex: ptr(0), ProviderName: "Bibliothèque",
		Subject: &NameID{Value: "a", Format: FormatEmail}, NameIDPolicy: &NameIDPolicy{Format: FormatPersistent, SPNameQualifier: "q", AllowCreate: true},
		Context: &RequestedAuthnContext{Comparison: Minimum, Classes: []string{ContextRefedsMFA, ContextPassword}},
		Scoping: &Scoping{ProxyCount: ptr(0), IDPs: []string{ourIDP}, Requesters: []string{ourSP}},
	}
	if got, err := ParseAuthnRequest(parsed(t, text(t, q.Element()))); err != nil || text(t, got.Element()) != text(t, q.Element()) {
		t.Errorf("got %+v, %v", got, err)
	}
	logout := &LogoutRequest{ID: "_l", IssueInstant: noon, Issuer: ourIDP, Destination: "https://sp/slo", NotOnOrAfter: noon, Reason: LogoutByUser, NameID: NameID{Value: "a", NameQualifier: "b", SPNameQualifier: "c"}, SessionIndexes: []string{"1", "2"}, Async: true}
	if got, err := ParseLogoutRequest(parsed(t, text(t, logout.Element())), Opener{}); err != nil || text(t, got.Element()) != text(t, logout.Element()) {
		t.Errorf("got %+v, %v", got, err)
	}
	done := &LogoutResponse{ID: "_d", InResponseTo: "_l", IssueInstant: noon, Issuer: ourSP, Destination: "https://idp/slo", Status: Status{Code: StatusResponder, Second: StatusPartialLogout, Message: "one is closed"}}
	if got, err := ParseLogoutResponse(parsed(t, text(t, done.Element()))); err != nil || *got != *done {
		t.Errorf("got %+v, %v", got, err)
	}
	a := anAssertion()
	a.Conditions.OneTimeUse = true
	a.Statements[0].Authorities, a.Statements[0].SessionNotOnOrAfter, a.Statements[0].Address = []string{"https://upstream"}, noon, "192.0.2.1"
	a.Attributes = append(a.Attributes, Attribute{Name: "eptid", Values: []Value{{Name: &NameID{Value: "x", Format: FormatPersistent}}}})
	if got, err := ParseAssertion(parsed(t, text(t, a.Element()))); err != nil || text(t, got.Element()) != text(t, a.Element()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMessagesAreRefused(t *testing.T) {
	request := func(el *etree.Element) error { _, err := ParseAuthnRequest(el); return err }
	logout := func(el *etree.Element) error { _, err := ParseLogoutRequest(el, Opener{}); return err }
	answer := func(el *etree.Element) error { _, err := ParseLogoutResponse(el); return err }
	assertion := func(el *etree.Element) error { _, err := ParseAssertion(el); return err }
	asked, left, said := text(t, aRequest().Element()), text(t, (&LogoutRequest{ID: "_l", IssueInstant: noon, Issuer: ourIDP, NameID: NameID{Value: "a"}}).Element()), text(t, anAssertion().Element())
	done := text(t, (&LogoutResponse{ID: "_d", Issuer: ourSP, IssueInstant: noon, Status: Success()}).Element())
	for _, each := range []struct {
		name  string
		whole string
		old   string
		new   string
		read  func(*etree.Element) error
	}{
		{"a request of SAML 1.1", asked, `Version="2.0"`, `Version="1.1"`, request},
		{"a request without a name", asked, `ID="_request"`, ``, request},
		{"a request from nobody", asked, `<saml:Issuer>` + ourSP + `</saml:Issuer>`, ``, request},
		{"a request from two", asked, `<saml:Issuer>`, `<saml:Issuer>evil</saml:Issuer><saml:Issuer>`, request},
		{"a request from a person", asked, `<saml:Issuer>`, `<saml:Issuer Format="` + FormatEmail + `">`, request},
		{"a request of a wrong time", asked, FormatTime(noon), `yesterday`, request},
		{"a request that is half passive", asked, `Version=`, `IsPassive="maybe" Version=`, request},
		{"a request with two ways to answer", asked, `Version=`, `AssertionConsumerServiceIndex="1" Version=`, request},
		{"a request with a strange index", strings.Replace(asked, `AssertionConsumerServiceURL="`+ourACS+`"`, "", 1), `ProtocolBinding="` + string(POST) + `"`, `AssertionConsumerServiceIndex="-1"`, request},
		{"a request for a strange comparison", asked, `</saml:Issuer>`, `</saml:Issuer><samlp:RequestedAuthnContext Comparison="like"/>`, request},
		{"a request in another namespace", asked, `xmlns:samlp="` + NSProtocol, `xmlns:samlp="urn:x`, request},
		{"a sign-out of nobody", left, `<saml:NameID>a</saml:NameID>`, ``, logout},
		{"a sign-out of two", left, `<saml:NameID>`, `<saml:NameID>b</saml:NameID><saml:NameID>`, logout},
		{"a sign-out read as a request", left, `x`, `x`, request},
		{"an answer without a status", done, `<samlp:StatusCode Value="` + StatusSuccess + `"/>`, ``, answer},
		{"an assertion from nobody", said, `<saml:Issuer>` + ourIDP + `</saml:Issuer>`, ``, assertion},
		{"an assertion about two", said, `<saml:NameID `, `<saml:NameID>b</saml:NameID><saml:NameID `, assertion},
		{"an assertion under a condition that nobody knows", said, `<saml:AudienceRestriction>`, `<saml:Condition/><saml:AudienceRestriction>`, assertion},
		{"an assertion with two sets of conditions", said, `<saml:Conditions`, `<saml:Conditions/><saml:Conditions`, assertion},
		{"an assertion with a nested name", said, `amelie@univ.example</saml:NameID>`, `amelie<x/>@univ.example</saml:NameID>`, assertion},
		{"an assertion of a sign-in at no time", said, `AuthnInstant=`, `Instant=`, assertion},
	} {
		t.Run(each.name, func(t *testing.T) {
			if !strings.Contains(each.whole, each.old) {
				t.Fatalf("no %q in %s", each.old, each.whole)
			}
			if err := each.read(parsed(t, strings.Replace(each.whole, each.old, each.new, 1))); err == nil {
				t.Fatal("it is taken")
			}
		})
	}
}

func TestARequestedContextIsChosenAsAsked(t *testing.T) {
	ranks := map[string]int{ContextPassword: 1, ContextPasswordProtected: 1, ContextRefedsSFA: 2, ContextRefedsMFA: 3}
	strength := func(class string) (int, bool) { rank, known := ranks[class]; return rank, known }
	now := []string{ContextPasswordProtected, ContextRefedsSFA, ContextRefedsMFA} // proved, then reachable by a step
	for _, c := range []struct {
		name string
		q    *RequestedAuthnContext
		want string
	}{
		{"nothing asked: what is proved", nil, ContextPasswordProtected},
		{"exactly one", &RequestedAuthnContext{Classes: []string{ContextRefedsMFA}}, ContextRefedsMFA},
		{"exactly one of two, the service's preference first", &RequestedAuthnContext{Comparison: Exact, Classes: []string{ContextRefedsMFA, ContextPasswordProtected}}, ContextRefedsMFA},
		{"exactly what nobody can do", &RequestedAuthnContext{Classes: []string{ContextX509}}, ""},
		{"at least a password: no step", &RequestedAuthnContext{Comparison: Minimum, Classes: []string{ContextPassword}}, ContextPasswordProtected},
		{"at least single factor", &RequestedAuthnContext{Comparison: Minimum, Classes: []string{ContextRefedsSFA}}, ContextRefedsSFA},
		{"better than a password", &RequestedAuthnContext{Comparison: Better, Classes: []string{ContextPassword}}, ContextRefedsSFA},
		{"better than the best", &RequestedAuthnContext{Comparison: Better, Classes: []string{ContextRefedsMFA}}, ""},
		{"at most single factor", &RequestedAuthnContext{Comparison: Maximum, Classes: []string{ContextRefedsSFA}}, ContextRefedsSFA},
		{"at least what nobody knows", &RequestedAuthnContext{Comparison: Minimum, Classes: []string{"urn:x"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.q.Choose(now, strength)
			if got != c.want || ok != (c.want != "") {
				t.Errorf("got %q", got)
			}
		})
	}
}
