package saml

import (
	"time"

	"github.com/beevik/etree"
)

// Status codes of an answer (core, 3.2.2.2). The first four may stand at the
// top; the others say more below one of them.
const (
	StatusSuccess         = "urn:oasis:names:tc:SAML:2.0:status:Success"
	StatusRequester       = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	StatusResponder       = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	StatusVersionMismatch = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"

	StatusAuthnFailed          = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
	StatusInvalidAttribute     = "urn:oasis:names:tc:SAML:2.0:status:InvalidAttrNameOrValue"
	StatusInvalidNameIDPolicy  = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
	StatusNoAuthnContext       = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
	StatusNoAvailableIDP       = "urn:oasis:names:tc:SAML:2.0:status:NoAvailableIDP"
	StatusNoPassive            = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
	StatusNoSupportedIDP       = "urn:oasis:names:tc:SAML:2.0:status:NoSupportedIDP"
	StatusPartialLogout        = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
	StatusProxyCountExceeded   = "urn:oasis:names:tc:SAML:2.0:status:ProxyCountExceeded"
	StatusRequestDenied        = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
	StatusRequestUnsupported   = "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"
	StatusUnknownPrincipal     = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
	StatusUnsupportedBinding   = "urn:oasis:names:tc:SAML:2.0:status:UnsupportedBinding"
	StatusResourceUnrecognized = "urn:oasis:names:tc:SAML:2.0:status:ResourceNotRecognized"
)

// Status is how a request ended (core, 3.2.2.1).
type Status struct {
	Code    string // one of the four top-level codes
	Second  string // the code below, "" without one
	Message string // for technical contacts
}

// Success is the status of an answer that went well.
func Success() Status { return Status{Code: StatusSuccess} }

// OK tells whether the request was fulfilled.
func (s Status) OK() bool { return s.Code == StatusSuccess }

// Response answers an AuthnRequest, or comes unasked (core, 3.3.3).
type Response struct {
	ID           string
	InResponseTo string // "" when unasked
	IssueInstant time.Time
	Destination  string
	Issuer       string
	Status       Status

	// Assertion is present when Status is OK. Several assertions in one answer
	// are allowed by the standard, sent by nobody, and refused here.
	Assertion *Assertion
	// Proof is the signature that Assertion was believed for: its own, or that
	// of the whole answer. Only [OpenResponse] sets it.
	Proof *Proof
	// Encrypted tells that the assertion came encrypted.
	Encrypted bool
	// Signed tells that the answer as a whole was signed and verified, so that
	// its Destination, InResponseTo and Status are believed too.
	Signed bool
}

// Element builds the response around an assertion that is already signed, or
// encrypted, as it should be; nil when there is none.
func (p *Response) Element(assertion *etree.Element) *etree.Element {
	el := newRoot("samlp:Response", "samlp", "saml")
	el.CreateAttr("ID", p.ID)
	el.CreateAttr("Version", "2.0")
	setTime(el, "IssueInstant", p.IssueInstant)
	setAttr(el, "Destination", p.Destination)
	setAttr(el, "InResponseTo", p.InResponseTo)
	writeIssuer(el, p.Issuer)
	p.Status.write(el)
	if assertion != nil {
		el.AddChild(assertion)
	}
	return el
}

func (s Status) write(parent *etree.Element) {
	el := parent.CreateElement("samlp:Status")
	code := el.CreateElement("samlp:StatusCode")
	code.CreateAttr("Value", s.Code)
	if s.Second != "" {
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", s.Second)
	}
	if s.Message != "" {
		add(el, "samlp:StatusMessage", s.Message)
	}
}

func (r *reader) status(el *etree.Element) Status {
	status := r.must(el, NSProtocol, "Status")
	code := r.must(status, NSProtocol, "StatusCode")
	return Status{
		Code:    r.mustAttr(code, "Value"),
		Second:  attr(r.one(code, NSProtocol, "StatusCode"), "Value"),
		Message: r.textOf(status, NSProtocol, "StatusMessage"),
	}
}

// envelope reads everything of a response but its assertion.
func (r *reader) envelope(el *etree.Element, tag string) *Response {
	if !r.expect(el, NSProtocol, tag) {
		return &Response{}
	}
	r.version(el)
	return &Response{
		ID:           r.mustAttr(el, "ID"),
		InResponseTo: attr(el, "InResponseTo"),
		IssueInstant: r.time(el, "IssueInstant"),
		Destination:  attr(el, "Destination"),
		Issuer:       r.issuer(el),
		Status:       r.status(el),
	}
}
