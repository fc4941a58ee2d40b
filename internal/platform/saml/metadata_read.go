package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const (
	nsRefedsContact = "http://refeds.org/metadata"
	nsInit          = "urn:oasis:names:tc:SAML:profiles:SSO:request-init"
	securityContact = "http://refeds.org/metadata/contactType/security"
)

// ParseEntity reads the metadata of one entity, which [Parse] or [Verify]
// returned. A key that cannot be read is left out, so that one strange
// certificate does not take its owner off the air; an entity without any role
// that we know is refused.
func ParseEntity(el *etree.Element) (*Entity, error) {
	r := &reader{}
	if !r.expect(el, NSMetadata, "EntityDescriptor") {
		return nil, r.err
	}
	e := &Entity{
		ID:            r.mustAttr(el, "entityID"),
		ValidUntil:    r.time(el, "validUntil"),
		CacheDuration: r.duration(el, "cacheDuration"),
		Organization:  r.organization(r.one(el, NSMetadata, "Organization")),
	}
	r.entityExtensions(e, r.one(el, NSMetadata, "Extensions"))
	for _, role := range all(el, NSMetadata, "IDPSSODescriptor") {
		if e.IDP == nil && speaksSAML2(role) {
			e.IDP = r.idp(role)
		}
	}
	for _, role := range all(el, NSMetadata, "SPSSODescriptor") {
		if e.SP == nil && speaksSAML2(role) {
			e.SP = r.sp(role)
		}
	}
	for _, contact := range all(el, NSMetadata, "ContactPerson") {
		e.Contacts = append(e.Contacts, r.contact(contact))
	}
	if e.IDP == nil && e.SP == nil {
		r.fail(ErrMissing, "IDPSSODescriptor", nil)
	}
	if r.err != nil {
		return nil, r.err
	}
	return e, nil
}

func speaksSAML2(role *etree.Element) bool {
	for protocol := range strings.FieldsSeq(attr(role, "protocolSupportEnumeration")) {
		if protocol == NSProtocol {
			return true
		}
	}
	return false
}

func (r *reader) entityExtensions(e *Entity, el *etree.Element) {
	for _, attributes := range all(el, NSEntityAttr, "EntityAttributes") {
		for _, a := range all(attributes, NSAssertion, "Attribute") {
			e.Attributes = append(e.Attributes, r.attribute(a))
		}
	}
	if info := r.one(el, NSRegistered, "RegistrationInfo"); info != nil {
		e.Registration = &Registration{
			Authority: attr(info, "registrationAuthority"),
			Instant:   r.time(info, "registrationInstant"),
			Policies:  r.localized(info, NSRegistered, "RegistrationPolicy"),
		}
	}
}

func (r *reader) role(el *etree.Element) Role {
	extensions := r.one(el, NSMetadata, "Extensions")
	role := Role{
		ErrorURL: attr(el, "errorURL"),
		Logout:   r.endpoints(el, NSMetadata, "SingleLogoutService"),
		UI:       r.ui(extensions),
	}
	for _, key := range all(el, NSMetadata, "KeyDescriptor") {
		if k, ok := readKey(key); ok {
			role.Keys = append(role.Keys, k)
		}
	}
	for _, format := range all(el, NSMetadata, "NameIDFormat") {
		role.NameIDFormats = append(role.NameIDFormats, r.text(format))
	}
	for _, scope := range all(extensions, NSShibboleth, "Scope") {
		role.Scopes = append(role.Scopes, Scope{Value: r.text(scope), Regexp: r.boolean(scope, "regexp")})
	}
	return role
}

func (r *reader) idp(el *etree.Element) *IDPRole {
	idp := &IDPRole{
		Role:               r.role(el),
		WantRequestsSigned: r.boolean(el, "WantAuthnRequestsSigned"),
		SSO:                r.endpoints(el, NSMetadata, "SingleSignOnService"),
	}
	for _, a := range all(el, NSAssertion, "Attribute") {
		idp.Attributes = append(idp.Attributes, r.attribute(a))
	}
	return idp
}

func (r *reader) sp(el *etree.Element) *SPRole {
	extensions := r.one(el, NSMetadata, "Extensions")
	sp := &SPRole{
		Role:                 r.role(el),
		RequestsSigned:       r.boolean(el, "AuthnRequestsSigned"),
		WantAssertionsSigned: r.boolean(el, "WantAssertionsSigned"),
		ACS:                  r.endpoints(el, NSMetadata, "AssertionConsumerService"),
		Discovery:            r.endpoints(extensions, NSDiscovery, "DiscoveryResponse"),
	}
	for _, init := range all(extensions, nsInit, "RequestInitiator") {
		sp.RequestInitiators = append(sp.RequestInitiators, attr(init, "Location"))
	}
	for _, service := range all(el, NSMetadata, "AttributeConsumingService") {
		sp.Services = append(sp.Services, r.attributeService(service))
	}
	return sp
}

func (r *reader) attributeService(el *etree.Element) AttributeService {
	s := AttributeService{
		Default:      r.boolean(el, "isDefault"),
		Names:        r.localized(el, NSMetadata, "ServiceName"),
		Descriptions: r.localized(el, NSMetadata, "ServiceDescription"),
	}
	if index := r.index(el, "index"); index != nil {
		s.Index = *index
	}
	for _, requested := range all(el, NSMetadata, "RequestedAttribute") {
		s.Requested = append(s.Requested, RequestedAttribute{Attribute: r.attribute(requested), Required: r.boolean(requested, "isRequired")})
	}
	return s
}

func (r *reader) endpoints(el *etree.Element, namespace, tag string) []Endpoint {
	var endpoints []Endpoint
	for _, child := range all(el, namespace, tag) {
		e := Endpoint{
			Binding:          Binding(r.mustAttr(child, "Binding")),
			Location:         strings.TrimSpace(r.mustAttr(child, "Location")),
			ResponseLocation: strings.TrimSpace(attr(child, "ResponseLocation")),
			Index:            r.index(child, "index"),
		}
		if attr(child, "isDefault") != "" {
			marked := r.boolean(child, "isDefault")
			e.Default = &marked
		}
		endpoints = append(endpoints, e)
	}
	return endpoints
}

func (r *reader) localized(el *etree.Element, namespace, tag string) []Localized {
	var texts []Localized
	for _, child := range all(el, namespace, tag) {
		texts = append(texts, Localized{Lang: xmlLang(child), Text: r.text(child)})
	}
	return texts
}

func (r *reader) ui(extensions *etree.Element) UI {
	info := r.one(extensions, NSUI, "UIInfo")
	ui := UI{
		DisplayNames:    r.localized(info, NSUI, "DisplayName"),
		Descriptions:    r.localized(info, NSUI, "Description"),
		InformationURLs: r.localized(info, NSUI, "InformationURL"),
		PrivacyURLs:     r.localized(info, NSUI, "PrivacyStatementURL"),
		Keywords:        r.localized(info, NSUI, "Keywords"),
	}
	for _, logo := range all(info, NSUI, "Logo") {
		l := Logo{URL: r.text(logo), Lang: xmlLang(logo)}
		// A size that is no number is a size unknown.
		l.Width, _ = strconv.Atoi(attr(logo, "width"))
		l.Height, _ = strconv.Atoi(attr(logo, "height"))
		ui.Logos = append(ui.Logos, l)
	}
	hints := r.one(extensions, NSUI, "DiscoHints")
	for _, domain := range all(hints, NSUI, "DomainHint") {
		ui.Domains = append(ui.Domains, r.text(domain))
	}
	for _, network := range all(hints, NSUI, "IPHint") {
		ui.Networks = append(ui.Networks, r.text(network))
	}
	return ui
}

func (r *reader) organization(el *etree.Element) *Organization {
	if el == nil {
		return nil
	}
	return &Organization{
		Names:        r.localized(el, NSMetadata, "OrganizationName"),
		DisplayNames: r.localized(el, NSMetadata, "OrganizationDisplayName"),
		URLs:         r.localized(el, NSMetadata, "OrganizationURL"),
	}
}

func (r *reader) contact(el *etree.Element) Contact {
	c := Contact{
		Kind:      attr(el, "contactType"),
		Company:   r.textOf(el, NSMetadata, "Company"),
		GivenName: r.textOf(el, NSMetadata, "GivenName"),
		SurName:   r.textOf(el, NSMetadata, "SurName"),
	}
	if c.Kind == ContactOther && attrNS(el, nsRefedsContact, "contactType") == securityContact {
		c.Kind = ContactSecurity
	}
	for _, address := range all(el, NSMetadata, "EmailAddress") {
		c.Emails = append(c.Emails, strings.TrimPrefix(r.text(address), "mailto:"))
	}
	for _, phone := range all(el, NSMetadata, "TelephoneNumber") {
		c.Phones = append(c.Phones, r.text(phone))
	}
	return c
}

// readKey reads a KeyDescriptor (metadata, 2.4.1.1): the first certificate, or a
// bare key, which saml-metadata-iop, 2.5.1 allows as well.
func readKey(el *etree.Element) (RoleKey, bool) {
	k := RoleKey{Use: attr(el, "use")}
	info := all(el, NSSignature, "KeyInfo")
	if len(info) != 1 {
		return k, false
	}
	if certificate := certificateOf(info[0]); certificate != nil {
		k.PublicKey = KeyFrom(certificate)
	} else if k.Key = bareKey(info[0]); k.Key == nil {
		return k, false
	}
	for _, way := range all(el, NSMetadata, "EncryptionMethod") {
		if c := Cipher(attr(way, "Algorithm")); ciphers[c].size > 0 {
			k.Ciphers = append(k.Ciphers, c)
		}
	}
	return k, true
}

// certificateOf is the first certificate of a KeyInfo that can be read.
func certificateOf(info *etree.Element) *x509.Certificate {
	for _, data := range all(info, NSSignature, "X509Data") {
		for _, el := range all(data, NSSignature, "X509Certificate") {
			der, err := decodeBase64((&reader{}).text(el))
			if err != nil {
				continue
			}
			if certificate, err := x509.ParseCertificate(der); err == nil {
				return certificate
			}
		}
	}
	return nil
}

// curves are named by their object identifiers (xmldsig-core1, 4.5.2.3).
var curves = map[string]elliptic.Curve{
	"urn:oid:1.2.840.10045.3.1.7": elliptic.P256(),
	"urn:oid:1.3.132.0.34":        elliptic.P384(),
	"urn:oid:1.3.132.0.35":        elliptic.P521(),
}

// bareKey reads a KeyValue (xmldsig-core1, 4.5.2), nil when there is none that
// we know.
func bareKey(info *etree.Element) crypto.PublicKey {
	r := &reader{}
	octets := func(el *etree.Element, namespace, tag string) []byte {
		b, err := decodeBase64(r.text(r.must(el, namespace, tag)))
		if err != nil {
			r.fail(ErrMalformed, tag, err)
		}
		return b
	}
	value := r.one(info, NSSignature, "KeyValue")
	if value == nil {
		return nil
	}
	if pair := r.one(value, NSSignature, "RSAKeyValue"); pair != nil {
		n, e := octets(pair, NSSignature, "Modulus"), octets(pair, NSSignature, "Exponent")
		exponent := new(big.Int).SetBytes(e)
		if r.err != nil || !exponent.IsInt64() || exponent.Int64() > 1<<31-1 || exponent.Int64() < 3 || len(n) < 128 {
			return nil
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	}
	const ns11 = "http://www.w3.org/2009/xmldsig11#"
	point := r.one(value, ns11, "ECKeyValue")
	curve := curves[attr(r.one(point, ns11, "NamedCurve"), "URI")]
	if point == nil || curve == nil {
		return nil
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, octets(point, ns11, "PublicKey"))
	if err != nil || r.err != nil {
		return nil
	}
	return public
}

var durationForm = regexp.MustCompile(`^P(?:(\d{1,2})Y)?(?:(\d{1,3})M)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?$`)

// duration reads an xs:duration. Years and months count 365 and 30 days: they
// only say how often to ask again.
func (r *reader) duration(el *etree.Element, key string) time.Duration {
	value := attr(el, key)
	if value == "" {
		return 0
	}
	parts := durationForm.FindStringSubmatch(value)
	if parts == nil || strings.HasSuffix(value, "P") || strings.HasSuffix(value, "T") {
		r.fail(ErrMalformed, el.Tag+"/@"+key, fmt.Errorf("%.40q is no duration", value))
		return 0
	}
	units := []time.Duration{365 * 24 * time.Hour, 30 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}
	var total time.Duration
	for i, unit := range units {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(parts[i+1])
		if err != nil {
			r.fail(ErrMalformed, el.Tag+"/@"+key, err)
			return 0
		}
		total += time.Duration(n) * unit
	}
	return total
}

// formatDuration writes an xs:duration in seconds.
func formatDuration(d time.Duration) string {
	return "PT" + strconv.FormatInt(int64(d/time.Second), 10) + "S"
}
