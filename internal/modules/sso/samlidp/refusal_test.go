package samlidp

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// deflated is a message as a redirect carries it.
func deflated(t testing.TB, message string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(message)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return ssoPath + "?SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(b.Bytes()))
}

func written(t testing.TB, el element) string {
	t.Helper()
	text, err := saml.Marshal(el)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mustSign makes the service one that signs its requests.
func mustSign(h *house) {
	h.change(func(e *saml.Entity, _ *registry.Service) { e.SP.RequestsSigned = true })
}

func TestAnUnsignedRequestIsRefusedWhereOneHasToBeSigned(t *testing.T) {
	for name, demand := range map[string]func(h *house){
		"by the metadata":      mustSign,
		"by the entry":         func(h *house) { h.services[0].SAML.SignedRequests = true },
		"by the configuration": func(h *house) { h.IDP.config.SignedRequests = true },
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			unsigned := h.redirect(h.request(nil).Element(), "", nil)
			h.opened(h.browser().follow(h.browser().get(unsigned)))
			demand(h)
			w := h.browser().get(h.redirect(h.request(nil).Element(), "", nil))
			if h.stopped(w, "sso.saml_signature_missing") == nil {
				t.Error("the contact was not told")
			}
		})
	}
}

func TestAWrongSignatureIsRefusedAlsoWhereNoneIsNeeded(t *testing.T) {
	h := one(t)
	w := h.browser().get(h.redirect(h.request(nil).Element(), "", h.key("somebody else")))
	i := h.stopped(w, "sso.saml_signature_wrong")
	if i == nil || i.Expected != saml.Fingerprint(h.key("sp").Certificate) || i.Received == "" {
		t.Errorf("told %+v", i)
	}
}

func TestARelayStateThatWasChangedBreaksTheSignature(t *testing.T) {
	h := one(t)
	address := h.asked(nil)
	h.stopped(h.browser().get(strings.Replace(address, "RelayState=relay", "RelayState=other", 1)), "sso.saml_signature_wrong")
	at := strings.Index(address, "Signature=") + len("Signature=")
	other := "A"
	if address[at] == 'A' {
		other = "B"
	}
	h.stopped(h.browser().get(address[:at]+other+address[at+1:]), "sso.saml_signature_wrong")
}

func TestAlgorithmsThatProveNothingAreRefused(t *testing.T) {
	h := one(t)
	address := h.asked(nil)
	for name, algorithm := range map[string]string{
		"SHA-1":                                  "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
		"HMAC with our public key as its secret": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
		"none":                                   "none",
	} {
		t.Run(name, func(t *testing.T) {
			other := strings.Replace(address, url.QueryEscape("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"), url.QueryEscape(algorithm), 1)
			h.stopped(h.browser().get(other), "sso.saml_signature_wrong")
		})
	}
}

func TestAnAnswerGoesNowhereButWhereTheMetadataSays(t *testing.T) {
	nine := 9
	for name, edit := range map[string]func(q *saml.AuthnRequest){
		"another site":           func(q *saml.AuthnRequest) { q.ACSURL = "https://evil.example/acs" },
		"the same, by its start": func(q *saml.AuthnRequest) { q.ACSURL = spACS + ".evil.example" },
		"a path below":           func(q *saml.AuthnRequest) { q.ACSURL = spACS + "/../open?to=https://evil.example" },
		"an index of none":       func(q *saml.AuthnRequest) { q.ACSIndex = &nine },
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			i := h.stopped(h.browser().get(h.redirect(h.request(edit).Element(), "", nil)), "sso.saml_address_unknown")
			if i == nil || !strings.Contains(i.Expected, spACS) || i.Received == "" {
				t.Errorf("told %+v", i)
			}
		})
	}
	t.Run("an address that a script would run at", func(t *testing.T) {
		h := one(t)
		h.change(func(e *saml.Entity, _ *registry.Service) {
			e.SP.ACS = []saml.Endpoint{{Binding: saml.POST, Location: "javascript:alert(1)"}}
		})
		h.stopped(h.browser().get(h.redirect(h.request(nil).Element(), "", nil)), "sso.saml_address_unknown")
	})
	t.Run("a binding that we do not have", func(t *testing.T) {
		h := one(t)
		two := 2
		w := h.browser().get(h.asked(func(q *saml.AuthnRequest) { q.ACSIndex = &two }))
		h.stopped(w, "sso.saml_binding_unsupported")
	})
	t.Run("an address that left the registry meanwhile", func(t *testing.T) {
		h := one(t)
		b := h.browser()
		to := b.get(h.asked(nil)).Header().Get("Location")
		h.change(func(e *saml.Entity, _ *registry.Service) { e.SP.ACS = e.SP.ACS[1:] })
		h.stopped(b.get(to), "sso.saml_address_unknown")
	})
}

func TestAMessageForAnotherAddressIsRefused(t *testing.T) {
	for name, destination := range map[string]string{"another server": "https://other.example/saml/sso", "none, though signed": ""} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			w := h.browser().get(h.asked(func(q *saml.AuthnRequest) { q.Destination = destination }))
			i := h.stopped(w, "sso.saml_destination_wrong")
			if i == nil || i.Expected != home+ssoPath || i.Received != destination {
				t.Errorf("told %+v", i)
			}
		})
	}
}

// TestWrappedRequestsAreRefused puts a request of the attacker's where the reader
// looks, and the one that the service signed where the verifier looks.
func TestWrappedRequestsAreRefused(t *testing.T) {
	h := one(t)
	mustSign(h)
	signed := func() element {
		el := h.request(nil).Element()
		if err := saml.Sign(el, *h.key("sp")); err != nil {
			t.Fatal(err)
		}
		return el
	}
	evil := func() element {
		return h.request(func(q *saml.AuthnRequest) { q.ID = "_evil"; q.ACSURL = spACS + "/second" }).Element()
	}
	signatureOf := func(el element) element { return el.FindElement("./Signature") }
	for name, wrap := range map[string]func() element{
		"the signed one inside the signature of the other": func() element {
			good, bad := signed(), evil()
			signature := signatureOf(good).Copy()
			good.RemoveChild(signatureOf(good))
			signature.CreateElement("ds:Object").AddChild(good)
			bad.InsertChildAt(1, signature)
			return bad
		},
		"the signed one among the extensions": func() element {
			good, bad := signed(), evil()
			bad.CreateElement("samlp:Extensions").AddChild(good)
			return bad
		},
		"the signature moved to the other": func() element {
			good, bad := signed(), evil()
			bad.InsertChildAt(1, signatureOf(good).Copy())
			return bad
		},
		"both with one identifier": func() element {
			good, bad := signed(), evil()
			bad.CreateAttr("ID", good.SelectAttrValue("ID", ""))
			bad.InsertChildAt(1, signatureOf(good).Copy())
			bad.CreateElement("samlp:Extensions").AddChild(good)
			return bad
		},
		"two signatures": func() element {
			good := signed()
			good.AddChild(signatureOf(good).Copy())
			return good
		},
		"changed after it was signed": func() element {
			good := signed()
			good.CreateAttr("AssertionConsumerServiceURL", spACS+"/second")
			return good
		},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(written(t, wrap())))}}
			b := h.browser()
			w := b.follow(b.ask("POST", ssoPath, form))
			if w.Code < 400 {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(written(t, signed())))}}
	b := h.browser()
	if w := b.follow(b.ask("POST", ssoPath, form)); w.Code != http.StatusOK {
		t.Errorf("the honest one: %d", w.Code)
	}
}

func TestWhatIsNotTheXMLOfARequestIsRefused(t *testing.T) {
	h := one(t)
	honest := written(t, h.request(nil).Element())
	for name, message := range map[string]string{
		"an external entity":        `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + strings.Replace(honest, spID, "&e;", 1),
		"a billion laughs":          `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + strings.Replace(honest, spID, "&b;", 1),
		"a comment in the issuer":   strings.Replace(honest, spID, "https://moodle.valmont.example/<!-- -->sp", 1),
		"a processing instruction":  `<?xml-stylesheet href="x"?>` + honest,
		"two issuers":               strings.Replace(honest, "</saml:Issuer>", "</saml:Issuer><saml:Issuer>"+spID+"</saml:Issuer>", 1),
		"SAML 1.1":                  strings.Replace(honest, `Version="2.0"`, `Version="1.1"`, 1),
		"no identifier":             strings.Replace(honest, ` ID="`, ` Id2="`, 1),
		"no instant":                strings.Replace(honest, `IssueInstant=`, `Issued=`, 1),
		"an attribute twice":        strings.Replace(honest, `Version="2.0"`, `Version="2.0" Version="2.0"`, 1),
		"a prefix of nobody":        strings.Replace(honest, "<saml:Issuer>", "<x:Issuer>", 1),
		"cut short":                 honest[:len(honest)/2],
		"nothing":                   "",
		"another encoding":          `<?xml version="1.0" encoding="UTF-16"?>` + honest,
		"a response":                strings.ReplaceAll(honest, "AuthnRequest", "Response"),
		"ten thousand deep":         strings.Repeat("<a>", 10_000),
		"a megabyte and a half":     honest + strings.Repeat(" ", 1_500_000),
		"a bomb of a hundred times": strings.Replace(honest, "</samlp:AuthnRequest>", strings.Repeat("<samlp:x/>", 400_000)+"</samlp:AuthnRequest>", 1),
	} {
		t.Run(name, func(t *testing.T) {
			w := h.browser().get(deflated(t, message))
			if w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), "sso.saml_message_") {
				t.Errorf("%d %s", w.Code, text(w.Body.String()))
			}
		})
	}
}

func TestRequestsThatAreTooLargeGetAPage(t *testing.T) {
	h := one(t)
	w := h.browser().ask("POST", ssoPath, url.Values{"SAMLRequest": {strings.Repeat("A", 1<<20)}})
	if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "platform.body_too_large") {
		t.Errorf("a form of a megabyte: %d", w.Code)
	}
	for name, query := range map[string]string{
		"no message": "", "not base64": "SAMLRequest=%%%", "not compressed": "SAMLRequest=AAAA",
		"a long RelayState": strings.TrimPrefix(deflated(t, written(t, h.request(nil).Element())), ssoPath+"?") + "&RelayState=" + strings.Repeat("x", 2000),
		"two messages":      "SAMLRequest=A&SAMLRequest=B", "a request and an answer": "SAMLRequest=A&SAMLResponse=B",
	} {
		if w := h.browser().get(ssoPath + "?" + query); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestARelayStateOfMoreThanEightyBytesComesBackWhole(t *testing.T) {
	h := one(t)
	long := "https://moodle.valmont.example/course/view.php?id=" + strings.Repeat("7", 200)
	b := h.browser()
	w := b.follow(b.get(h.redirect(h.request(nil).Element(), long, h.key("sp"))))
	if _, form := posted(t, w); form.Get("RelayState") != long {
		t.Errorf("RelayState %q", form.Get("RelayState"))
	}
}

func TestUnknownServicesAreNotedOnlySoOften(t *testing.T) {
	h := one(t)
	for range 40 {
		h.browser().get(h.redirect(h.request(func(q *saml.AuthnRequest) { q.Issuer = "https://evil.example/" + saml.NewID() }).Element(), "", nil))
	}
	if n := len(h.incidents); n == 0 || n > 20 {
		t.Errorf("%d incidents", n)
	}
}

func TestAnIssuerThatIsATrapIsOnlyText(t *testing.T) {
	h := one(t)
	w := h.browser().get(h.redirect(h.request(func(q *saml.AuthnRequest) { q.Issuer = `"><script>alert(1)</script>` }).Element(), "", nil))
	h.stopped(w, "sso.saml_service_unknown")
	if strings.Contains(w.Body.String(), "<script>alert") {
		t.Error("the issuer became markup")
	}
}

func TestOneNetworkLeavesSoManyRequestsUnanswered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.IDP.pending = limit.New(limit.Rate{Every: 2 * time.Second, Burst: 3}, 0, h.clock)
		ask := func() *httptest.ResponseRecorder { return h.browser().get(h.asked(nil)) }
		for range 5 { // those with an answer do not count
			if w := h.browser().follow(ask()); w.Code != http.StatusOK {
				t.Fatalf("a person is answered %d", w.Code)
			}
		}
		passive := func(q *saml.AuthnRequest) { q.IsPassive = true }
		for range 5 { // nor those that nobody is asked for
			b := h.browser()
			b.stranger = true
			if w := b.follow(b.get(h.asked(passive))); w.Code != http.StatusOK {
				t.Fatalf("a passive question is answered %d", w.Code)
			}
		}
		same := h.asked(nil)
		for range 5 { // nor the same again
			if w := h.browser().get(same); w.Code != http.StatusSeeOther {
				t.Fatalf("the same request: %d", w.Code)
			}
		}
		ask()
		ask()
		if w := ask(); w.Code != http.StatusTooManyRequests {
			t.Fatalf("the fourth is answered %d", w.Code)
		}
		h.clock.Advance(2 * time.Second)
		if w := ask(); w.Code != http.StatusSeeOther {
			t.Errorf("later: %d", w.Code)
		}

		count := func() (n int) {
			if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sso_saml_requests").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(); n != 5+1+2+1 {
			t.Errorf("%d requests are kept", n)
		}
		h.clock.Advance(unansweredKept + time.Second)
		if err := h.store.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 5 {
			t.Errorf("%d requests are kept, want those that were answered", n)
		}
	})
}
