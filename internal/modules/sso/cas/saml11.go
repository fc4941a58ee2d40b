package cas

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// SAML 1.1 as CAS speaks it: the ticket is asked about as an artifact in a SOAP
// envelope, and the answer is an unsigned assertion on the same connection
// (appendix B of the protocol; oasis-sstc-saml-core-1.1).

// ArtifactRequest is what a service asks at /samlValidate.
type ArtifactRequest struct {
	ID       string // of the request
	IssuedAt time.Time
	Ticket   string
}

// ErrArtifactRequest: the body is not such a request.
var ErrArtifactRequest = errors.New("this is no SAML 1.1 request with an AssertionArtifact")

const (
	soapNamespace     = "http://schemas.xmlsoap.org/soap/envelope/"
	saml11Protocol    = "urn:oasis:names:tc:SAML:1.0:protocol"
	saml11Assertion   = "urn:oasis:names:tc:SAML:1.0:assertion"
	maxArtifactDepth  = 20
	saml11Attributes  = "http://www.ja-sig.org/products/cas/"
	saml11Artifact    = "urn:oasis:names:tc:SAML:1.0:cm:artifact"
	saml11Unspecified = "urn:oasis:names:tc:SAML:1.0:am:unspecified"
)

// ReadArtifactRequest reads one request. The ticket is that of the one
// AssertionArtifact of the one Request: two of either are refused, since another
// reader could take the other one.
func ReadArtifactRequest(body io.Reader) (ArtifactRequest, error) {
	var q ArtifactRequest
	d := xml.NewDecoder(body) // knows no external entities, and refuses undeclared ones
	requests, artifacts, inside := 0, 0, false
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return q, fmt.Errorf("%w: %w", ErrArtifactRequest, err)
		}
		switch t := token.(type) {
		case xml.Directive: // a document type
			return q, ErrArtifactRequest
		case xml.StartElement:
			if depth++; depth > maxArtifactDepth {
				return q, ErrArtifactRequest
			}
			switch {
			case t.Name.Local == "Request" && t.Name.Space == saml11Protocol:
				requests++
				if err := q.readAttributes(t.Attr); err != nil {
					return q, err
				}
			case t.Name.Local == "AssertionArtifact" && t.Name.Space == saml11Protocol:
				artifacts++
				inside = true
			}
		case xml.EndElement:
			depth--
			inside = false
		case xml.CharData:
			if inside {
				q.Ticket += string(t)
			}
		}
	}
	q.Ticket = strings.TrimSpace(q.Ticket)
	if requests != 1 || artifacts != 1 || q.Ticket == "" {
		return q, ErrArtifactRequest
	}
	return q, nil
}

func (q *ArtifactRequest) readAttributes(attributes []xml.Attr) error {
	for _, a := range attributes {
		switch a.Name.Local {
		case "RequestID":
			q.ID = a.Value
		case "IssueInstant":
			at, err := time.Parse(time.RFC3339Nano, a.Value)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrArtifactRequest, err)
			}
			q.IssuedAt = at
		}
	}
	return nil
}

// Artifact is what both answers of /samlValidate share.
type Artifact struct {
	ID        string // of the answer, unique
	Request   string // the ID of the request; may be empty
	Issuer    string // our address
	Recipient string // the service's address
	At        time.Time
}

// clockTolerance is how far the service's clock may be from ours, either way. The
// assertion opens nothing by itself, so a wide window costs nothing.
const clockTolerance = 5 * time.Minute

// SAML is the positive answer of /samlValidate.
func (s Success) SAML(a Artifact) []byte {
	var b strings.Builder
	a.open(&b, "Success", "")
	b.WriteString(`<saml1:Assertion xmlns:saml1="` + saml11Assertion + `" MajorVersion="1" MinorVersion="1" AssertionID="_a` + plainID(a.ID) + `" Issuer="`)
	escape(&b, a.Issuer)
	b.WriteString(`" IssueInstant="` + Instant(a.At) + `"><saml1:Conditions NotBefore="` + Instant(a.At.Add(-clockTolerance)) + `" NotOnOrAfter="` + Instant(a.At.Add(clockTolerance)) +
		`"><saml1:AudienceRestrictionCondition><saml1:Audience>`)
	escape(&b, a.Recipient)
	b.WriteString(`</saml1:Audience></saml1:AudienceRestrictionCondition></saml1:Conditions>` +
		`<saml1:AuthenticationStatement AuthenticationMethod="` + saml11Unspecified + `" AuthenticationInstant="` + Instant(s.SignedInAt) + `">`)
	s.subject(&b)
	b.WriteString(`</saml1:AuthenticationStatement><saml1:AttributeStatement>`)
	s.subject(&b)
	for _, standard := range []Attribute{
		{"authenticationDate", []string{Instant(s.SignedInAt)}},
		{"longTermAuthenticationRequestTokenUsed", []string{boolean(false)}},
		{"isFromNewLogin", []string{boolean(s.FromNewLogin)}},
	} {
		standard.saml(&b)
	}
	for _, attribute := range s.Attributes {
		attribute.saml(&b)
	}
	b.WriteString(`</saml1:AttributeStatement></saml1:Assertion>`)
	closeArtifact(&b)
	return []byte(b.String())
}

// SAML is the negative answer of /samlValidate. What the service sent wrongly is
// its fault in the words of SAML (Requester), what broke here is ours (Responder).
func (f Failure) SAML(a Artifact) []byte {
	var b strings.Builder
	status := "RequestDenied"
	if f.Code == InternalError {
		status = "Responder"
	}
	a.open(&b, status, string(f.Code)+": "+f.Description)
	closeArtifact(&b)
	return []byte(b.String())
}

func (a Artifact) open(b *strings.Builder, status, message string) {
	b.WriteString(xml.Header + `<SOAP-ENV:Envelope xmlns:SOAP-ENV="` + soapNamespace + `"><SOAP-ENV:Body>` +
		`<saml1p:Response xmlns:saml1p="` + saml11Protocol + `" MajorVersion="1" MinorVersion="1" ResponseID="_r` + plainID(a.ID) + `"`)
	if a.Request != "" {
		b.WriteString(` InResponseTo="`)
		escape(b, a.Request)
		b.WriteString(`"`)
	}
	b.WriteString(` IssueInstant="` + Instant(a.At) + `" Recipient="`)
	escape(b, a.Recipient)
	b.WriteString(`"><saml1p:Status><saml1p:StatusCode Value="saml1p:`)
	if status == "RequestDenied" {
		b.WriteString(`Requester"><saml1p:StatusCode Value="saml1p:RequestDenied"/></saml1p:StatusCode>`)
	} else {
		b.WriteString(status + `"/>`)
	}
	if message != "" {
		b.WriteString(`<saml1p:StatusMessage>`)
		escape(b, message)
		b.WriteString(`</saml1p:StatusMessage>`)
	}
	b.WriteString(`</saml1p:Status>`)
}

func closeArtifact(b *strings.Builder) {
	b.WriteString(`</saml1p:Response></SOAP-ENV:Body></SOAP-ENV:Envelope>`)
}

func (s Success) subject(b *strings.Builder) {
	b.WriteString(`<saml1:Subject><saml1:NameIdentifier>`)
	escape(b, s.User)
	b.WriteString(`</saml1:NameIdentifier><saml1:SubjectConfirmation><saml1:ConfirmationMethod>` + saml11Artifact +
		`</saml1:ConfirmationMethod></saml1:SubjectConfirmation></saml1:Subject>`)
}

func (a Attribute) saml(b *strings.Builder) {
	b.WriteString(`<saml1:Attribute AttributeName="`)
	escape(b, a.Name)
	b.WriteString(`" AttributeNamespace="` + saml11Attributes + `">`)
	for _, value := range a.Values {
		b.WriteString(`<saml1:AttributeValue>`)
		escape(b, value)
		b.WriteString(`</saml1:AttributeValue>`)
	}
	b.WriteString(`</saml1:Attribute>`)
}

// plainID keeps what an identifier of XML may hold.
func plainID(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, id)
}
