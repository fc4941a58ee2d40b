package saml

import (
	"slices"
	"time"

	"github.com/beevik/etree"
)

// Classes of authentication contexts (saml-authn-context, 3.4), and the profiles
// that research and education agreed on. Two of ADFS and Entra stand with them,
// because their answers carry nothing else.
const (
	ContextUnspecified       = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
	ContextPassword          = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
	ContextPasswordProtected = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	ContextKerberos          = "urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos"
	ContextX509              = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"
	ContextTLSClient         = "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient"
	ContextTimeSyncToken     = "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken"
	ContextMobileTwoFactor   = "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract"
	ContextPreviousSession   = "urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession"
	ContextRefedsMFA         = "https://refeds.org/profile/mfa"
	ContextRefedsSFA         = "https://refeds.org/profile/sfa"
	ContextMicrosoftMFA      = "http://schemas.microsoft.com/claims/multipleauthn"
	ContextWindows           = "urn:federation:authentication:windows"
)

// Comparison is how the asked classes are meant (core, 3.3.2.2.1).
type Comparison string

// The four comparisons. "" is Exact.
const (
	Exact   Comparison = "exact"
	Minimum Comparison = "minimum"
	Maximum Comparison = "maximum"
	Better  Comparison = "better"
)

// RequestedAuthnContext asks for a way of signing in. The order of the classes
// is the order of preference.
type RequestedAuthnContext struct {
	Comparison Comparison
	Classes    []string
}

// Choose gives the class to answer with, out of those that can be reached now or
// after one more step. strength ranks a class from weak to strong; it gives
// false for a class that the caller does not know. reachable are tried in their
// order, so the caller puts what is proved already before what would need a
// step. Exact takes one of the asked classes; minimum one that is at least as
// strong as one of them; better one that is stronger than any of them; maximum
// the strongest that is not stronger than one of them (core, 3.3.2.2.1).
func (q *RequestedAuthnContext) Choose(reachable []string, strength func(class string) (int, bool)) (string, bool) {
	if q == nil || len(q.Classes) == 0 {
		if len(reachable) == 0 {
			return "", false
		}
		return reachable[0], true
	}
	if q.Comparison == "" || q.Comparison == Exact {
		for _, class := range q.Classes {
			if slices.Contains(reachable, class) {
				return class, true
			}
		}
		return "", false
	}
	asked := make([]int, 0, len(q.Classes))
	for _, class := range q.Classes {
		if rank, known := strength(class); known {
			asked = append(asked, rank)
		}
	}
	if len(asked) == 0 {
		return "", false
	}
	chosen, best := "", -1
	for _, class := range reachable {
		rank, known := strength(class)
		if !known {
			continue
		}
		switch q.Comparison {
		case Minimum:
			if rank >= slices.Min(asked) {
				return class, true
			}
		case Better:
			if rank > slices.Max(asked) {
				return class, true
			}
		case Maximum:
			if rank <= slices.Max(asked) && rank > best {
				chosen, best = class, rank
			}
		}
	}
	return chosen, chosen != ""
}

// AuthnRequest asks an identity provider to sign somebody in (core, 3.4.1).
type AuthnRequest struct {
	ID           string
	IssueInstant time.Time
	Destination  string
	Issuer       string
	ForceAuthn   bool
	IsPassive    bool

	// Where to answer: an index into the metadata, or an address with its
	// binding; at most one of them (core, 3.4.1).
	ACSURL          string
	ACSIndex        *int
	ProtocolBinding Binding

	AttributeIndex *int   // AttributeConsumingServiceIndex
	ProviderName   string // what the service calls itself
	Subject        *NameID
	NameIDPolicy   *NameIDPolicy
	Context        *RequestedAuthnContext
	Scoping        *Scoping
}

// NameIDPolicy says what name the service wants (core, 3.4.1.1).
type NameIDPolicy struct {
	Format          string
	SPNameQualifier string
	AllowCreate     bool
}

// Scoping bounds who may sign the person in (core, 3.4.1.2).
type Scoping struct {
	ProxyCount *int
	IDPs       []string // entity identifiers of the wanted identity providers
	Requesters []string
}

// Element builds the request as XML, unsigned.
func (q *AuthnRequest) Element() *etree.Element {
	el := newRoot("samlp:AuthnRequest", "samlp", "saml")
	el.CreateAttr("ID", q.ID)
	el.CreateAttr("Version", "2.0")
	setTime(el, "IssueInstant", q.IssueInstant)
	setAttr(el, "Destination", q.Destination)
	setBool(el, "ForceAuthn", q.ForceAuthn)
	setBool(el, "IsPassive", q.IsPassive)
	setAttr(el, "ProtocolBinding", string(q.ProtocolBinding))
	setIndex(el, "AssertionConsumerServiceIndex", q.ACSIndex)
	setAttr(el, "AssertionConsumerServiceURL", q.ACSURL)
	setIndex(el, "AttributeConsumingServiceIndex", q.AttributeIndex)
	setAttr(el, "ProviderName", q.ProviderName)
	writeIssuer(el, q.Issuer)
	if q.Subject != nil {
		q.Subject.write(el.CreateElement("saml:Subject"), "saml:NameID")
	}
	if p := q.NameIDPolicy; p != nil {
		policy := el.CreateElement("samlp:NameIDPolicy")
		setAttr(policy, "Format", p.Format)
		setAttr(policy, "SPNameQualifier", p.SPNameQualifier)
		setBool(policy, "AllowCreate", p.AllowCreate)
	}
	if c := q.Context; c != nil && len(c.Classes) > 0 {
		context := el.CreateElement("samlp:RequestedAuthnContext")
		setAttr(context, "Comparison", string(c.Comparison))
		for _, class := range c.Classes {
			add(context, "saml:AuthnContextClassRef", class)
		}
	}
	if q.Scoping != nil {
		q.Scoping.write(el)
	}
	return el
}

func (s *Scoping) write(parent *etree.Element) {
	el := parent.CreateElement("samlp:Scoping")
	setIndex(el, "ProxyCount", s.ProxyCount)
	if len(s.IDPs) > 0 {
		list := el.CreateElement("samlp:IDPList")
		for _, idp := range s.IDPs {
			list.CreateElement("samlp:IDPEntry").CreateAttr("ProviderID", idp)
		}
	}
	for _, requester := range s.Requesters {
		add(el, "samlp:RequesterID", requester)
	}
}

// ParseAuthnRequest reads a request. Take the element from [Inbound.Verify] when
// the service signs its requests; an unsigned request may be read from
// [Inbound.Unverified] where the registry allows it, because its answer goes to
// a registered address only.
func ParseAuthnRequest(el *etree.Element) (*AuthnRequest, error) {
	r := &reader{}
	if !r.expect(el, NSProtocol, "AuthnRequest") {
		return nil, r.err
	}
	r.version(el)
	q := &AuthnRequest{
		ID:              r.mustAttr(el, "ID"),
		IssueInstant:    r.time(el, "IssueInstant"),
		Destination:     attr(el, "Destination"),
		Issuer:          r.issuer(el),
		ForceAuthn:      r.boolean(el, "ForceAuthn"),
		IsPassive:       r.boolean(el, "IsPassive"),
		ACSURL:          attr(el, "AssertionConsumerServiceURL"),
		ACSIndex:        r.index(el, "AssertionConsumerServiceIndex"),
		ProtocolBinding: Binding(attr(el, "ProtocolBinding")),
		AttributeIndex:  r.index(el, "AttributeConsumingServiceIndex"),
		ProviderName:    attr(el, "ProviderName"),
		Scoping:         r.scoping(r.one(el, NSProtocol, "Scoping")),
	}
	if q.Issuer == "" { // profiles, 4.1.4.1: must be present
		r.fail(ErrMissing, "Issuer", nil)
	}
	if q.ACSIndex != nil && (q.ACSURL != "" || q.ProtocolBinding != "") {
		r.fail(ErrUnexpected, "AssertionConsumerServiceIndex", nil)
	}
	if subject := r.one(el, NSAssertion, "Subject"); subject != nil {
		q.Subject = r.nameID(r.one(subject, NSAssertion, "NameID"))
	}
	if policy := r.one(el, NSProtocol, "NameIDPolicy"); policy != nil {
		q.NameIDPolicy = &NameIDPolicy{
			Format:          attr(policy, "Format"),
			SPNameQualifier: attr(policy, "SPNameQualifier"),
			AllowCreate:     r.boolean(policy, "AllowCreate"),
		}
	}
	q.Context = r.requestedContext(r.one(el, NSProtocol, "RequestedAuthnContext"))
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

func (r *reader) requestedContext(el *etree.Element) *RequestedAuthnContext {
	if el == nil {
		return nil
	}
	c := &RequestedAuthnContext{Comparison: Comparison(attr(el, "Comparison"))}
	switch c.Comparison {
	case "", Exact, Minimum, Maximum, Better:
	default:
		r.fail(ErrMalformed, "RequestedAuthnContext/@Comparison", nil)
	}
	for _, tag := range []string{"AuthnContextClassRef", "AuthnContextDeclRef"} {
		for _, class := range all(el, NSAssertion, tag) {
			c.Classes = append(c.Classes, r.text(class))
		}
	}
	return c
}

func (r *reader) scoping(el *etree.Element) *Scoping {
	if el == nil {
		return nil
	}
	s := &Scoping{ProxyCount: r.index(el, "ProxyCount")}
	for _, entry := range all(r.one(el, NSProtocol, "IDPList"), NSProtocol, "IDPEntry") {
		s.IDPs = append(s.IDPs, attr(entry, "ProviderID"))
	}
	for _, requester := range all(el, NSProtocol, "RequesterID") {
		s.Requesters = append(s.Requesters, r.text(requester))
	}
	return s
}
