package saml

import (
	"slices"
	"strconv"
	"time"
)

// Names of entity attributes and the values that federations agree on.
const (
	CategoryAttribute  = "http://macedir.org/entity-category"
	CategorySupport    = "http://macedir.org/entity-category-support"
	AssuranceAttribute = "urn:oasis:names:tc:SAML:attribute:assurance-certification"

	CategoryResearch       = "http://refeds.org/category/research-and-scholarship"
	CategoryCodeOfConduct  = "http://www.geant.net/uri/dataprotection-code-of-conduct/v1"
	CategoryCodeOfConduct2 = "https://refeds.org/category/code-of-conduct/v2"
	CategoryAnonymous      = "https://refeds.org/category/anonymous"
	CategoryPseudonymous   = "https://refeds.org/category/pseudonymous"
	CategoryPersonalized   = "https://refeds.org/category/personalized"
	CategoryHideFromDisco  = "http://refeds.org/category/hide-from-discovery"
	AssuranceSirtfi        = "https://refeds.org/sirtfi"
	AssuranceSirtfi2       = "https://refeds.org/sirtfi2"
)

// Entity is the metadata of one party (metadata, 2.3.2).
type Entity struct {
	ID            string // entityID
	ValidUntil    time.Time
	CacheDuration time.Duration // 0 when it is not said

	Attributes   []Attribute // about the entity itself (saml-metadata-attr)
	Registration *Registration
	IDP          *IDPRole // nil when it is no identity provider
	SP           *SPRole  // nil when it is no service provider
	Organization *Organization
	Contacts     []Contact
}

// Localized is a text or an address in one language.
type Localized struct {
	Lang string // "" when it is not said
	Text string
}

// InLanguage gives the text in the first of the languages that is there, or in
// any, or "".
func InLanguage(texts []Localized, languages ...string) string {
	for _, language := range languages {
		for _, t := range texts {
			if t.Lang == language {
				return t.Text
			}
		}
	}
	if len(texts) > 0 {
		return texts[0].Text
	}
	return ""
}

// Registration says which federation registered an entity, and when (saml-
// metadata-rpi, 2.1).
type Registration struct {
	Authority string
	Instant   time.Time
	Policies  []Localized // addresses
}

// Organization is who runs an entity (metadata, 2.3.2.1).
type Organization struct {
	Names        []Localized
	DisplayNames []Localized
	URLs         []Localized
}

// Kinds of contacts (metadata, 2.3.2.2). Security contacts are REFEDS': "other"
// with remd:contactType.
const (
	ContactTechnical      = "technical"
	ContactSupport        = "support"
	ContactAdministrative = "administrative"
	ContactSecurity       = "security"
	ContactOther          = "other"
)

// Contact is somebody to ask (metadata, 2.3.2.2).
type Contact struct {
	Kind      string
	Company   string
	GivenName string
	SurName   string
	Emails    []string // without "mailto:"
	Phones    []string
}

// Uses of a key (metadata, 2.4.1.1). "" is for both.
const (
	UseSigning    = "signing"
	UseEncryption = "encryption"
)

// RoleKey is one of the keys of a role. During a roll-over there are two.
type RoleKey struct {
	PublicKey
	Use     string
	Ciphers []Cipher // what the reader can decrypt, best first; empty when it is not said
}

// Endpoint is an address for one binding (metadata, 2.2.2 and 2.2.3).
type Endpoint struct {
	Binding          Binding
	Location         string
	ResponseLocation string // where answers go, when elsewhere
	Index            *int   // of the indexed ones
	Default          *bool  // isDefault: unsaid is not the same as "false"
}

// Answers is where an answer to a message from this endpoint goes.
func (e Endpoint) Answers() string {
	if e.ResponseLocation != "" {
		return e.ResponseLocation
	}
	return e.Location
}

// Role is what both kinds of role have in common (metadata, 2.4.1 and 2.4.2).
type Role struct {
	ErrorURL      string
	Keys          []RoleKey
	Logout        []Endpoint
	NameIDFormats []string
	UI            UI
	Scopes        []Scope
}

// Scope is a domain that an identity provider may speak for (shibmd:Scope).
type Scope struct {
	Value  string
	Regexp bool
}

// UI is what people may be shown of an entity (saml-metadata-ui, 2.1).
type UI struct {
	DisplayNames    []Localized
	Descriptions    []Localized
	InformationURLs []Localized
	PrivacyURLs     []Localized
	Keywords        []Localized // each text is a list with spaces between
	Logos           []Logo
	Domains         []string // DiscoHints: domains of addresses
	Networks        []string // DiscoHints: CIDR
}

// Logo is a picture of an entity. Sizes are in pixels.
type Logo struct {
	URL           string
	Width, Height int
	Lang          string
}

// IDPRole is an identity provider (metadata, 2.4.3).
type IDPRole struct {
	Role
	WantRequestsSigned bool
	SSO                []Endpoint
	Attributes         []Attribute // that it may release
}

// SPRole is a service provider (metadata, 2.4.4).
type SPRole struct {
	Role
	RequestsSigned       bool
	WantAssertionsSigned bool
	ACS                  []Endpoint
	Services             []AttributeService
	Discovery            []Endpoint // idpdisc:DiscoveryResponse
	RequestInitiators    []string   // init:RequestInitiator: where a sign-in begins
}

// AttributeService lists the attributes that one part of a service asks for
// (metadata, 2.4.4.1).
type AttributeService struct {
	Index        int
	Default      bool
	Names        []Localized
	Descriptions []Localized
	Requested    []RequestedAttribute
}

// RequestedAttribute is an attribute, or some values of it, that a service asks
// for (metadata, 2.4.4.2).
type RequestedAttribute struct {
	Attribute
	Required bool
}

// Categories gives the entity categories that the entity carries. They are
// worth what its metadata's signature is worth.
func (e *Entity) Categories() []string { return e.attributeValues(CategoryAttribute) }

// Is tells whether the entity carries a category.
func (e *Entity) Is(category string) bool { return slices.Contains(e.Categories(), category) }

// Supports tells whether an identity provider releases to a category.
func (e *Entity) Supports(category string) bool {
	return slices.Contains(e.attributeValues(CategorySupport), category)
}

// Assured tells whether the entity carries an assurance, such as SIRTFI.
func (e *Entity) Assured(assurance string) bool {
	return slices.Contains(e.attributeValues(AssuranceAttribute), assurance)
}

func (e *Entity) attributeValues(name string) []string {
	var values []string
	for _, a := range e.Attributes {
		if a.Name == name {
			values = append(values, a.Strings()...)
		}
	}
	return values
}

// Contact gives the addresses of the first kind of contact that has any.
func (e *Entity) Contact(kinds ...string) []string {
	for _, kind := range kinds {
		var emails []string
		for _, c := range e.Contacts {
			if c.Kind == kind {
				emails = append(emails, c.Emails...)
			}
		}
		if len(emails) > 0 {
			return emails
		}
	}
	return nil
}

// SigningKeys are those that may have signed what the role sends, in the order
// of the metadata.
func (r *Role) SigningKeys() []PublicKey { return r.keysFor(UseSigning) }

// EncryptionKeys are those that the role decrypts with; the first is the one to
// take.
func (r *Role) EncryptionKeys() []RoleKey {
	var keys []RoleKey
	for _, k := range r.Keys {
		if k.Use == UseEncryption || k.Use == "" {
			keys = append(keys, k)
		}
	}
	return keys
}

func (r *Role) keysFor(use string) []PublicKey {
	var keys []PublicKey
	for _, k := range r.Keys {
		if k.Use == use || k.Use == "" {
			keys = append(keys, k.PublicKey)
		}
	}
	return keys
}

// Choose gives the first endpoint that speaks one of the bindings, which are
// tried in their order.
func Choose(endpoints []Endpoint, bindings ...Binding) (Endpoint, bool) {
	for _, binding := range bindings {
		for _, e := range endpoints {
			if e.Binding == binding {
				return e, true
			}
		}
	}
	return Endpoint{}, false
}

// DefaultEndpoint is the one to take when nobody asks for another (metadata,
// 2.2.3): the first marked as such, else the first not marked as none, else the
// first.
func DefaultEndpoint(endpoints []Endpoint) (Endpoint, bool) {
	if len(endpoints) == 0 {
		return Endpoint{}, false
	}
	for _, e := range endpoints {
		if e.Default != nil && *e.Default {
			return e, true
		}
	}
	for _, e := range endpoints {
		if e.Default == nil {
			return e, true
		}
	}
	return endpoints[0], true
}

// ACSFor finds where to answer a request (core, 3.4.1): by its index, by its
// address and binding, or by default. Only what the metadata lists is given, so
// that no answer goes to an address that a stranger wrote into a request.
func (s *SPRole) ACSFor(q *AuthnRequest) (Endpoint, error) {
	if q == nil || q.ACSIndex == nil && q.ACSURL == "" {
		candidates := s.ACS
		if q != nil && q.ProtocolBinding != "" {
			candidates = slices.DeleteFunc(slices.Clone(s.ACS), func(e Endpoint) bool { return e.Binding != q.ProtocolBinding })
		} else if answerable := slices.DeleteFunc(slices.Clone(s.ACS), func(e Endpoint) bool { return e.Binding != POST }); len(answerable) > 0 {
			candidates = answerable
		}
		if e, ok := DefaultEndpoint(candidates); ok {
			return e, nil
		}
		return Endpoint{}, s.noACS(q)
	}
	for _, e := range s.ACS {
		if q.ACSIndex != nil {
			if e.Index != nil && *e.Index == *q.ACSIndex {
				return e, nil
			}
			continue
		}
		if e.Location == q.ACSURL && (q.ProtocolBinding == "" || e.Binding == q.ProtocolBinding) {
			return e, nil
		}
	}
	return Endpoint{}, s.noACS(q)
}

// Service gives the attribute service that a request names, or the default one.
func (s *SPRole) Service(q *AuthnRequest) (AttributeService, bool) {
	for _, service := range s.Services {
		if q != nil && q.AttributeIndex != nil && service.Index == *q.AttributeIndex {
			return service, true
		}
	}
	for _, service := range s.Services {
		if service.Default {
			return service, true
		}
	}
	if len(s.Services) > 0 {
		return s.Services[0], true
	}
	return AttributeService{}, false
}

// noACS names what was asked for and what the metadata has.
func (s *SPRole) noACS(q *AuthnRequest) error {
	e := &MismatchError{What: WhatACS}
	for i, endpoint := range s.ACS {
		if i > 0 {
			e.Expected += " "
		}
		e.Expected += endpoint.Location
	}
	switch {
	case q == nil:
	case q.ACSIndex != nil:
		e.Received = strconv.Itoa(*q.ACSIndex)
	case q.ACSURL != "":
		e.Received = q.ACSURL
	default:
		e.Received = string(q.ProtocolBinding)
	}
	return e
}
