package saml

import (
	"time"

	"github.com/beevik/etree"
)

// Reasons of a sign-out (core, 3.7.3).
const (
	LogoutByUser  = "urn:oasis:names:tc:SAML:2.0:logout:user"
	LogoutByAdmin = "urn:oasis:names:tc:SAML:2.0:logout:admin"
)

// LogoutRequest says that somebody's sessions end (core, 3.7.1).
type LogoutRequest struct {
	ID             string
	IssueInstant   time.Time
	Destination    string
	Issuer         string
	NotOnOrAfter   time.Time
	Reason         string
	NameID         NameID
	SessionIndexes []string // none means every session of that person at the sender
	// Async asks for no answer (saml-async-slo-ext, 2.1).
	Async bool
}

const nsAsyncLogout = "urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"

// Element builds the request as XML, unsigned.
func (q *LogoutRequest) Element() *etree.Element {
	el := newRoot("samlp:LogoutRequest", "samlp", "saml")
	el.CreateAttr("ID", q.ID)
	el.CreateAttr("Version", "2.0")
	setTime(el, "IssueInstant", q.IssueInstant)
	setAttr(el, "Destination", q.Destination)
	setTime(el, "NotOnOrAfter", q.NotOnOrAfter)
	setAttr(el, "Reason", q.Reason)
	writeIssuer(el, q.Issuer)
	if q.Async {
		async := el.CreateElement("samlp:Extensions").CreateElement("aslo:Asynchronous")
		async.CreateAttr("xmlns:aslo", nsAsyncLogout)
	}
	q.NameID.write(el, "saml:NameID")
	for _, index := range q.SessionIndexes {
		add(el, "samlp:SessionIndex", index)
	}
	return el
}

// ParseLogoutRequest reads a request from an element that [Inbound.Verify]
// returned. A name that came encrypted is opened first; the zero Opener opens
// none.
func ParseLogoutRequest(el *etree.Element, opener Opener) (*LogoutRequest, error) {
	r := &reader{}
	if !r.expect(el, NSProtocol, "LogoutRequest") {
		return nil, r.err
	}
	r.version(el)
	q := &LogoutRequest{
		ID:           r.mustAttr(el, "ID"),
		IssueInstant: r.time(el, "IssueInstant"),
		Destination:  attr(el, "Destination"),
		Issuer:       r.issuer(el),
		NotOnOrAfter: r.time(el, "NotOnOrAfter"),
		Reason:       attr(el, "Reason"),
		Async:        r.one(r.one(el, NSProtocol, "Extensions"), nsAsyncLogout, "Asynchronous") != nil,
	}
	name := r.one(el, NSAssertion, "NameID")
	if encrypted := r.one(el, NSAssertion, "EncryptedID"); name == nil && encrypted != nil {
		opened, err := opener.Open(encrypted)
		if err != nil {
			return nil, err
		}
		if !r.expect(opened, NSAssertion, "NameID") {
			return nil, r.err
		}
		name = opened
	}
	if name == nil {
		r.fail(ErrMissing, "NameID", nil)
		return nil, r.err
	}
	q.NameID = *r.nameID(name)
	for _, index := range all(el, NSProtocol, "SessionIndex") {
		q.SessionIndexes = append(q.SessionIndexes, r.text(index))
	}
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// LogoutResponse answers a LogoutRequest (core, 3.7.2).
type LogoutResponse struct {
	ID           string
	InResponseTo string
	IssueInstant time.Time
	Destination  string
	Issuer       string
	Status       Status
}

// Element builds the answer as XML, unsigned.
func (p *LogoutResponse) Element() *etree.Element {
	whole := Response{ID: p.ID, InResponseTo: p.InResponseTo, IssueInstant: p.IssueInstant,
		Destination: p.Destination, Issuer: p.Issuer, Status: p.Status}
	el := whole.Element(nil)
	el.Tag = "LogoutResponse"
	return el
}

// ParseLogoutResponse reads an answer from an element that [Inbound.Verify]
// returned.
func ParseLogoutResponse(el *etree.Element) (*LogoutResponse, error) {
	r := &reader{}
	whole := r.envelope(el, "LogoutResponse")
	if r.err != nil {
		return nil, r.err
	}
	return &LogoutResponse{ID: whole.ID, InResponseTo: whole.InResponseTo, IssueInstant: whole.IssueInstant,
		Destination: whole.Destination, Issuer: whole.Issuer, Status: whole.Status}, nil
}
