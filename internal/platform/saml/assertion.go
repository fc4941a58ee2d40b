package saml

import (
	"fmt"
	"time"

	"github.com/beevik/etree"
)

// The ways to confirm a subject (profiles, 3).
const (
	Bearer      = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	HolderOfKey = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
)

// Assertion is what an identity provider says about somebody (core, 2.3.3).
type Assertion struct {
	ID           string
	IssueInstant time.Time
	Issuer       string
	Subject      Subject
	Conditions   Conditions
	Statements   []AuthnStatement
	Attributes   []Attribute
}

// Subject is whom an assertion is about, and who may present it (core, 2.4).
type Subject struct {
	NameID        *NameID
	Confirmations []Confirmation
}

// Confirmation is one way to show that the bearer may use the assertion (core,
// 2.4.1; profiles, 4.1.4.2 for the bearer of a web sign-in).
type Confirmation struct {
	Method       string
	Recipient    string
	InResponseTo string
	NotBefore    time.Time // must be absent for a bearer
	NotOnOrAfter time.Time
	Address      string
}

// Conditions bound an assertion (core, 2.5).
type Conditions struct {
	NotBefore    time.Time
	NotOnOrAfter time.Time
	// Audiences holds one list for each restriction: the reader has to be named
	// in every list (core, 2.5.1.4).
	Audiences  [][]string
	OneTimeUse bool
}

// AuthnStatement says how and when somebody signed in (core, 2.7.2).
type AuthnStatement struct {
	Instant             time.Time
	SessionIndex        string
	SessionNotOnOrAfter time.Time
	Address             string
	Context             string   // AuthnContextClassRef, or the declaration's reference
	Authorities         []string // AuthenticatingAuthority: who signed them in before us
}

// Attribute gives the attribute of that name, and false when it is absent.
func (a *Assertion) Attribute(name string) (Attribute, bool) {
	for _, attribute := range a.Attributes {
		if attribute.Name == name {
			return attribute, true
		}
	}
	return Attribute{}, false
}

// Element builds the assertion as XML, unsigned.
func (a *Assertion) Element() *etree.Element {
	el := newRoot("saml:Assertion", "saml")
	el.CreateAttr("ID", a.ID)
	el.CreateAttr("Version", "2.0")
	setTime(el, "IssueInstant", a.IssueInstant)
	writeIssuer(el, a.Issuer)
	a.Subject.write(el)
	a.Conditions.write(el)
	for _, s := range a.Statements {
		s.write(el)
	}
	if len(a.Attributes) > 0 {
		statement := el.CreateElement("saml:AttributeStatement")
		for _, attribute := range a.Attributes {
			attribute.write(statement, "saml:Attribute")
		}
	}
	return el
}

func (s Subject) write(parent *etree.Element) {
	el := parent.CreateElement("saml:Subject")
	if s.NameID != nil {
		s.NameID.write(el, "saml:NameID")
	}
	for _, c := range s.Confirmations {
		confirmation := el.CreateElement("saml:SubjectConfirmation")
		confirmation.CreateAttr("Method", c.Method)
		data := confirmation.CreateElement("saml:SubjectConfirmationData")
		setTime(data, "NotBefore", c.NotBefore)
		setTime(data, "NotOnOrAfter", c.NotOnOrAfter)
		setAttr(data, "Recipient", c.Recipient)
		setAttr(data, "InResponseTo", c.InResponseTo)
		setAttr(data, "Address", c.Address)
	}
}

func (c Conditions) write(parent *etree.Element) {
	el := parent.CreateElement("saml:Conditions")
	setTime(el, "NotBefore", c.NotBefore)
	setTime(el, "NotOnOrAfter", c.NotOnOrAfter)
	for _, audiences := range c.Audiences {
		restriction := el.CreateElement("saml:AudienceRestriction")
		for _, audience := range audiences {
			add(restriction, "saml:Audience", audience)
		}
	}
	if c.OneTimeUse {
		el.CreateElement("saml:OneTimeUse")
	}
}

func (s AuthnStatement) write(parent *etree.Element) {
	el := parent.CreateElement("saml:AuthnStatement")
	setTime(el, "AuthnInstant", s.Instant)
	setAttr(el, "SessionIndex", s.SessionIndex)
	setTime(el, "SessionNotOnOrAfter", s.SessionNotOnOrAfter)
	if s.Address != "" {
		el.CreateElement("saml:SubjectLocality").CreateAttr("Address", s.Address)
	}
	context := el.CreateElement("saml:AuthnContext")
	add(context, "saml:AuthnContextClassRef", s.Context)
	for _, authority := range s.Authorities {
		add(context, "saml:AuthenticatingAuthority", authority)
	}
}

// ParseAssertion reads an assertion from an element that [Verify] returned.
func ParseAssertion(el *etree.Element) (*Assertion, error) {
	r := &reader{}
	a := r.assertion(el)
	if r.err != nil {
		return nil, r.err
	}
	return a, nil
}

func (r *reader) assertion(el *etree.Element) *Assertion {
	if !r.expect(el, NSAssertion, "Assertion") {
		return nil
	}
	r.version(el)
	a := &Assertion{
		ID:           r.mustAttr(el, "ID"),
		IssueInstant: r.time(el, "IssueInstant"),
		Issuer:       r.issuer(el),
		Subject:      r.subject(r.one(el, NSAssertion, "Subject")),
		Conditions:   r.conditions(r.one(el, NSAssertion, "Conditions")),
	}
	if a.Issuer == "" {
		r.fail(ErrMissing, "Issuer", nil)
	}
	for _, statement := range all(el, NSAssertion, "AuthnStatement") {
		a.Statements = append(a.Statements, r.authnStatement(statement))
	}
	for _, statement := range all(el, NSAssertion, "AttributeStatement") {
		if len(all(statement, NSAssertion, "EncryptedAttribute")) > 0 {
			r.fail(ErrUnexpected, "EncryptedAttribute", nil)
		}
		for _, attribute := range all(statement, NSAssertion, "Attribute") {
			a.Attributes = append(a.Attributes, r.attribute(attribute))
		}
	}
	return a
}

func (r *reader) subject(el *etree.Element) Subject {
	if el == nil {
		return Subject{}
	}
	if len(all(el, NSAssertion, "EncryptedID")) > 0 {
		r.fail(ErrUnexpected, "EncryptedID", nil)
	}
	s := Subject{NameID: r.nameID(r.one(el, NSAssertion, "NameID"))}
	for _, confirmation := range all(el, NSAssertion, "SubjectConfirmation") {
		data := r.one(confirmation, NSAssertion, "SubjectConfirmationData")
		s.Confirmations = append(s.Confirmations, Confirmation{
			Method:       attr(confirmation, "Method"),
			Recipient:    attr(data, "Recipient"),
			InResponseTo: attr(data, "InResponseTo"),
			NotBefore:    r.time(data, "NotBefore"),
			NotOnOrAfter: r.time(data, "NotOnOrAfter"),
			Address:      attr(data, "Address"),
		})
	}
	return s
}

// conditions refuses a condition that it does not know: such an assertion is
// neither valid nor invalid, and may not be used (core, 2.5.1.1).
func (r *reader) conditions(el *etree.Element) Conditions {
	if el == nil {
		return Conditions{}
	}
	c := Conditions{NotBefore: r.time(el, "NotBefore"), NotOnOrAfter: r.time(el, "NotOnOrAfter")}
	for child := range el.ChildElementsSeq() {
		switch {
		case is(child, NSAssertion, "AudienceRestriction"):
			audiences := []string{}
			for _, audience := range all(child, NSAssertion, "Audience") {
				audiences = append(audiences, r.text(audience))
			}
			c.Audiences = append(c.Audiences, audiences)
		case is(child, NSAssertion, "OneTimeUse"):
			c.OneTimeUse = true
		case is(child, NSAssertion, "ProxyRestriction"):
			// It bounds who may issue further assertions on the ground of this one
			// (core, 2.5.1.6); we use it for ourselves only.
		default:
			r.fail(ErrUnexpected, "Conditions", fmt.Errorf("unknown condition %s", child.Tag))
		}
	}
	return c
}

func (r *reader) authnStatement(el *etree.Element) AuthnStatement {
	context := r.one(el, NSAssertion, "AuthnContext")
	s := AuthnStatement{
		Instant:             r.time(el, "AuthnInstant"),
		SessionIndex:        attr(el, "SessionIndex"),
		SessionNotOnOrAfter: r.time(el, "SessionNotOnOrAfter"),
		Address:             attr(r.one(el, NSAssertion, "SubjectLocality"), "Address"),
		Context:             r.textOf(context, NSAssertion, "AuthnContextClassRef"),
	}
	if s.Context == "" {
		s.Context = r.textOf(context, NSAssertion, "AuthnContextDeclRef")
	}
	if s.Instant.IsZero() {
		r.fail(ErrMissing, "AuthnStatement/@AuthnInstant", nil)
	}
	for _, authority := range all(context, NSAssertion, "AuthenticatingAuthority") {
		s.Authorities = append(s.Authorities, r.text(authority))
	}
	return s
}
