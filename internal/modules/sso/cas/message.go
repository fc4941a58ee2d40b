package cas

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"time"
)

// Attribute is one attribute of a person with its values.
type Attribute struct {
	Name   string
	Values []string
}

// Success is a positive validation answer (§2.5.2, §2.5.7).
type Success struct {
	User       string
	SignedInAt time.Time
	// FromNewLogin: the ticket was issued right after a password, not from a
	// session (§2.5.7).
	FromNewLogin bool
	Attributes   []Attribute
	// GrantIOU is what the service finds its proxy-granting ticket by (§3.4); empty
	// when it gets none.
	GrantIOU string
	// Proxies are the callbacks of those that the ticket went through, the last one
	// first (§2.6.2).
	Proxies []string
}

// Failure is a negative validation answer (§2.5.2).
type Failure struct {
	Code        Code
	Description string
}

const (
	responseOpen  = "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\">\n"
	responseClose = "</cas:serviceResponse>\n"
)

// XML is the answer as of CAS 2 and 3, valid against appendix A. The attributes
// are in both: clients that speak CAS 2 (mod_auth_cas) look for them there, and
// the others skip them.
func (s Success) XML() []byte {
	var b strings.Builder
	b.Grow(1024)
	b.WriteString(responseOpen + "  <cas:authenticationSuccess>\n")
	element(&b, "    ", "user", s.User)
	b.WriteString("    <cas:attributes>\n")
	element(&b, "      ", "authenticationDate", Instant(s.SignedInAt))
	element(&b, "      ", "longTermAuthenticationRequestTokenUsed", "false")
	element(&b, "      ", "isFromNewLogin", boolean(s.FromNewLogin))
	for _, a := range s.Attributes {
		for _, v := range a.Values {
			element(&b, "      ", a.Name, v)
		}
	}
	b.WriteString("    </cas:attributes>\n")
	if s.GrantIOU != "" {
		element(&b, "    ", "proxyGrantingTicket", s.GrantIOU)
	}
	if len(s.Proxies) > 0 {
		b.WriteString("    <cas:proxies>\n")
		for _, proxy := range s.Proxies {
			element(&b, "      ", "proxy", proxy)
		}
		b.WriteString("    </cas:proxies>\n")
	}
	b.WriteString("  </cas:authenticationSuccess>\n" + responseClose)
	return []byte(b.String())
}

// XML is the answer as of CAS 2 and 3.
func (f Failure) XML() []byte { return f.xml("authenticationFailure") }

// ProxyXML is the negative answer of /proxy (§2.7.2).
func (f Failure) ProxyXML() []byte { return f.xml("proxyFailure") }

func (f Failure) xml(name string) []byte {
	var b strings.Builder
	b.WriteString(responseOpen + `  <cas:` + name + ` code="` + string(f.Code) + `">`)
	escape(&b, f.Description)
	b.WriteString("</cas:" + name + ">\n" + responseClose)
	return []byte(b.String())
}

// ProxyXML is the positive answer of /proxy, with the ticket for the other
// service (§2.7.2).
func ProxyXML(ticket string) []byte {
	var b strings.Builder
	b.WriteString(responseOpen + "  <cas:proxySuccess>\n")
	element(&b, "    ", "proxyTicket", ticket)
	b.WriteString("  </cas:proxySuccess>\n" + responseClose)
	return []byte(b.String())
}

// element writes one element. Names come from our own fixed list.
func element(b *strings.Builder, indent, name, value string) {
	b.WriteString(indent + "<cas:" + name + ">")
	escape(b, value)
	b.WriteString("</cas:" + name + ">\n")
}

// escape writes text that XML cannot misread; what XML cannot hold at all
// (control characters) becomes U+FFFD.
func escape(b *strings.Builder, text string) {
	// A strings.Builder never fails to write.
	_ = xml.EscapeText(b, []byte(text))
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

type jsonResponse struct {
	ServiceResponse struct {
		Success      *jsonSuccess `json:"authenticationSuccess,omitempty"`
		Failure      *jsonFailure `json:"authenticationFailure,omitempty"`
		ProxySuccess *jsonProxy   `json:"proxySuccess,omitempty"`
		ProxyFailure *jsonFailure `json:"proxyFailure,omitempty"`
	} `json:"serviceResponse"`
}

type jsonSuccess struct {
	User       string         `json:"user"`
	Attributes map[string]any `json:"attributes"`
	GrantIOU   string         `json:"proxyGrantingTicket,omitempty"`
	Proxies    []string       `json:"proxies,omitempty"`
}

type jsonProxy struct {
	Ticket string `json:"proxyTicket"`
}

type jsonFailure struct {
	Code        Code   `json:"code"`
	Description string `json:"description"`
}

// JSON is the answer to format=JSON (§2.5.1). Attributes are lists, also of one
// value, so that a client finds the same type for everybody.
func (s Success) JSON() ([]byte, error) {
	attributes := map[string]any{
		"authenticationDate":                     Instant(s.SignedInAt),
		"longTermAuthenticationRequestTokenUsed": false,
		"isFromNewLogin":                         s.FromNewLogin,
	}
	for _, a := range s.Attributes {
		attributes[a.Name] = a.Values
	}
	var r jsonResponse
	r.ServiceResponse.Success = &jsonSuccess{s.User, attributes, s.GrantIOU, s.Proxies}
	return json.MarshalIndent(r, "", "  ")
}

// JSON is the answer to format=JSON (§2.5.1).
func (f Failure) JSON() ([]byte, error) {
	var r jsonResponse
	r.ServiceResponse.Failure = &jsonFailure{f.Code, f.Description}
	return json.MarshalIndent(r, "", "  ")
}

// ProxyJSON is the answer of /proxy in JSON: a ticket, or why there is none.
func ProxyJSON(ticket string, f *Failure) ([]byte, error) {
	var r jsonResponse
	if f != nil {
		r.ServiceResponse.ProxyFailure = &jsonFailure{f.Code, f.Description}
	} else {
		r.ServiceResponse.ProxySuccess = &jsonProxy{ticket}
	}
	return json.MarshalIndent(r, "", "  ")
}

// Plain is the answer as of CAS 1 (§2.4.2). A line feed in the name would forge
// the answer, so none is let through.
func (s Success) Plain() []byte {
	return []byte("yes\n" + strings.NewReplacer("\n", "", "\r", "").Replace(s.User) + "\n")
}

// Plain is the answer as of CAS 1 (§2.4.2).
func (Failure) Plain() []byte { return []byte("no\n\n") }

// LogoutRequest is what a service is told when a session ends (§2.3.3, appendix
// C). The ticket is how the service knows its own session; the name is not used.
func LogoutRequest(id, ticket string, now time.Time) string {
	var b strings.Builder
	b.WriteString(`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="`)
	escape(&b, id)
	b.WriteString(`" Version="2.0" IssueInstant="` + Instant(now) + `"><saml:NameID>@NOT_USED@</saml:NameID><samlp:SessionIndex>`)
	escape(&b, ticket)
	b.WriteString(`</samlp:SessionIndex></samlp:LogoutRequest>`)
	return b.String()
}
