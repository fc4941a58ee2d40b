package casserver

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
)

// samlValidate asks in SAML 1.1, as a client did at this time.
func (h *house) samlValidate(target, ticket string, at time.Time) string {
	h.t.Helper()
	return h.postSAML(target, fmt.Sprintf(`<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body>`+
		`<samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1" RequestID="_q1" IssueInstant="%s">`+
		`<samlp:AssertionArtifact>%s</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>`, at.UTC().Format(time.RFC3339), ticket))
}

func (h *house) postSAML(target, body string) string {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/cas/samlValidate?"+url.Values{"TARGET": {target}}.Encode(), strings.NewReader(body))
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	w := h.ask(r)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/xml") {
		h.t.Errorf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	if err := xml.Unmarshal(w.Body.Bytes(), new(struct{})); err != nil {
		h.t.Errorf("%v: %s", err, w.Body)
	}
	return w.Body.String()
}

func TestAClientOfSAML11IsAnsweredInItsWords(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		ticket := location(t, h.get("/cas/login?"+url.Values{"TARGET": {moodle}}.Encode())).Query().Get("SAMLart")
		said := h.samlValidate(moodle, ticket, h.clock.Now())
		for _, want := range []string{
			`InResponseTo="_q1"`, `Value="saml1p:Success"`, `Issuer="http://localhost:8080"`, `<saml1:NameIdentifier>lmartin</saml1:NameIdentifier>`,
			`<saml1:Audience>` + moodle + `</saml1:Audience>`, `AttributeName="mail"`, `<saml1:AttributeValue>lina.martin@valmont.example<`,
			`NotBefore="2026-11-22T17:00:00.000Z"`, `NotOnOrAfter="2026-11-22T17:10:00.000Z"`,
		} {
			if !strings.Contains(said, want) {
				t.Errorf("the answer lacks %s: %s", want, said)
			}
		}
		if said := h.samlValidate(moodle, ticket, h.clock.Now()); !strings.Contains(said, "RequestDenied") || !strings.Contains(said, "works once") {
			t.Error(said)
		}
		if said := h.samlValidate(library, h.ticketFor(moodle), h.clock.Now()); !strings.Contains(said, "RequestDenied") || strings.Contains(said, "lmartin") {
			t.Errorf("service confusion: %s", said)
		}
	})
}

func TestAServiceWithAWrongClockIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		off   time.Duration
		noted bool
	}{
		"right": {0, false}, "a little late": {-30 * time.Second, false}, "an hour late": {-time.Hour, true}, "a day ahead": {24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			h.enter(lina())
			if said := h.samlValidate(moodle, h.ticketFor(moodle), h.clock.Now().Add(c.off)); !strings.Contains(said, "saml1p:Success") {
				t.Error(said)
			}
			noted := h.gate.noted("moodle")
			if len(noted) == 1 != c.noted {
				t.Fatalf("%+v", noted)
			}
			if c.noted && (noted[0].Reason != ClockOff || noted[0].Expected == noted[0].Received || noted[0].Received == "") {
				t.Errorf("%+v", noted[0])
			}
		})
	}
}

func TestWhatIsNoQuestionOfSAML11IsRefusedInItsWords(t *testing.T) {
	h := one(t)
	h.enter(lina())
	ticket := h.ticketFor(moodle)
	artifact := `<s:AssertionArtifact>` + ticket + `</s:AssertionArtifact>`
	request := func(inside string) string {
		return `<E><s:Request xmlns:s="urn:oasis:names:tc:SAML:1.0:protocol">` + inside + `</s:Request></E>`
	}
	for name, body := range map[string]string{
		"nothing": "", "rubbish": "ticket=" + ticket, "half a document": `<E>`, "two artifacts": request(artifact + artifact),
		"two requests":       `<E>` + request(artifact) + request("") + `</E>`,
		"another namespace":  `<Request>` + strings.ReplaceAll(artifact, "s:", "") + `</Request>`,
		"a document type":    `<!DOCTYPE a [<!ENTITY t "` + ticket + `">]>` + request(`<s:AssertionArtifact>&t;</s:AssertionArtifact>`),
		"an external entity": `<!DOCTYPE a SYSTEM "file:///etc/passwd">` + request(artifact),
		"depth without end":  strings.Repeat("<a>", 100_000),
		"a megabyte":         request(`<s:AssertionArtifact>` + strings.Repeat("a", 1<<20) + `</s:AssertionArtifact>`),
		"no time":            `<E><s:Request xmlns:s="urn:oasis:names:tc:SAML:1.0:protocol" IssueInstant="yesterday">` + artifact + `</s:Request></E>`,
	} {
		if said := h.postSAML(moodle, body); !strings.Contains(said, "RequestDenied") || strings.Contains(said, "lmartin") || !strings.Contains(said, string(cas.InvalidRequest)) {
			t.Errorf("%s: %s", name, said)
		}
	}
	if said := h.samlValidate(moodle, ticket, h.clock.Now()); !strings.Contains(said, "saml1p:Success") {
		t.Errorf("a malformed question used the ticket up: %s", said)
	}
}
