package saml

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// MetadataType is the media type of metadata (metadata, appendix A).
const MetadataType = "application/samlmetadata+xml"

// WriteMetadata writes the metadata of one entity as a document, signed when by
// is given (metadata, 3).
func WriteMetadata(e *Entity, by *Credential) ([]byte, error) {
	el := e.Element()
	if by != nil {
		el.CreateAttr("ID", NewID())
		if err := Sign(el, *by); err != nil {
			return nil, err
		}
	}
	text, err := Marshal(el)
	if err != nil {
		return nil, err
	}
	return append([]byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"), text...), nil
}

// Element builds the metadata as XML, in the order that the schema wants.
func (e *Entity) Element() *etree.Element {
	el := newRoot("md:EntityDescriptor", "md", "ds", "saml", "mdui", "mdattr", "mdrpi", "shibmd", "idpdisc")
	el.CreateAttr("entityID", e.ID)
	setTime(el, "validUntil", e.ValidUntil)
	if e.CacheDuration > 0 {
		el.CreateAttr("cacheDuration", formatDuration(e.CacheDuration))
	}
	e.writeExtensions(el)
	if e.IDP != nil {
		e.IDP.write(el)
	}
	if e.SP != nil {
		e.SP.write(el)
	}
	if o := e.Organization; o != nil {
		organization := el.CreateElement("md:Organization")
		writeLocalized(organization, "md:OrganizationName", o.Names)
		writeLocalized(organization, "md:OrganizationDisplayName", o.DisplayNames)
		writeLocalized(organization, "md:OrganizationURL", o.URLs)
	}
	for _, c := range e.Contacts {
		c.write(el)
	}
	return el
}

func (e *Entity) writeExtensions(el *etree.Element) {
	if e.Registration == nil && len(e.Attributes) == 0 {
		return
	}
	extensions := el.CreateElement("md:Extensions")
	if g := e.Registration; g != nil {
		info := extensions.CreateElement("mdrpi:RegistrationInfo")
		info.CreateAttr("registrationAuthority", g.Authority)
		setTime(info, "registrationInstant", g.Instant)
		writeLocalized(info, "mdrpi:RegistrationPolicy", g.Policies)
	}
	if len(e.Attributes) > 0 {
		attributes := extensions.CreateElement("mdattr:EntityAttributes")
		for _, a := range e.Attributes {
			a.write(attributes, "saml:Attribute")
		}
	}
}

func (i *IDPRole) write(entity *etree.Element) {
	el := i.Role.begin(entity, "md:IDPSSODescriptor")
	setBool(el, "WantAuthnRequestsSigned", i.WantRequestsSigned)
	i.Role.write(el, nil)
	for _, e := range i.SSO {
		e.write(el, "md:SingleSignOnService")
	}
	for _, a := range i.Attributes {
		a.write(el, "saml:Attribute")
	}
}

func (s *SPRole) write(entity *etree.Element) {
	el := s.Role.begin(entity, "md:SPSSODescriptor")
	setBool(el, "AuthnRequestsSigned", s.RequestsSigned)
	setBool(el, "WantAssertionsSigned", s.WantAssertionsSigned)
	s.Role.write(el, s.Discovery)
	for _, e := range s.ACS {
		e.write(el, "md:AssertionConsumerService")
	}
	for _, service := range s.Services {
		service.write(el)
	}
}

func (r *Role) begin(entity *etree.Element, name string) *etree.Element {
	el := entity.CreateElement(name)
	el.CreateAttr("protocolSupportEnumeration", NSProtocol)
	setAttr(el, "errorURL", r.ErrorURL)
	return el
}

// write adds what both kinds of role share: extensions, keys, sign-out, names.
func (r *Role) write(el *etree.Element, discovery []Endpoint) {
	extensions := el.CreateElement("md:Extensions")
	for _, scope := range r.Scopes {
		add(extensions, "shibmd:Scope", scope.Value).CreateAttr("regexp", strconv.FormatBool(scope.Regexp))
	}
	r.UI.write(extensions)
	for _, e := range discovery {
		e.write(extensions, "idpdisc:DiscoveryResponse")
	}
	if len(extensions.Child) == 0 {
		el.RemoveChild(extensions) // the schema wants at least one in it
	}
	for _, k := range r.Keys {
		k.write(el)
	}
	for _, e := range r.Logout {
		e.write(el, "md:SingleLogoutService")
	}
	for _, format := range r.NameIDFormats {
		add(el, "md:NameIDFormat", format)
	}
}

// write leaves out a key without a certificate: every key of ours has one.
func (k RoleKey) write(parent *etree.Element) {
	if k.Certificate == nil {
		return
	}
	el := parent.CreateElement("md:KeyDescriptor")
	setAttr(el, "use", k.Use)
	data := el.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data")
	add(data, "ds:X509Certificate", base64.StdEncoding.EncodeToString(k.Certificate.Raw))
	for _, c := range k.Ciphers {
		el.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", string(c))
	}
}

func (e Endpoint) write(parent *etree.Element, name string) {
	el := parent.CreateElement(name)
	el.CreateAttr("Binding", string(e.Binding))
	el.CreateAttr("Location", e.Location)
	setAttr(el, "ResponseLocation", e.ResponseLocation)
	setIndex(el, "index", e.Index)
	if e.Default != nil {
		el.CreateAttr("isDefault", strconv.FormatBool(*e.Default))
	}
}

func (s AttributeService) write(parent *etree.Element) {
	el := parent.CreateElement("md:AttributeConsumingService")
	setIndex(el, "index", &s.Index)
	setBool(el, "isDefault", s.Default)
	writeLocalized(el, "md:ServiceName", s.Names)
	writeLocalized(el, "md:ServiceDescription", s.Descriptions)
	for _, requested := range s.Requested {
		setBool(requested.Attribute.write(el, "md:RequestedAttribute"), "isRequired", requested.Required)
	}
}

func (u UI) write(extensions *etree.Element) {
	info := extensions.CreateElement("mdui:UIInfo")
	writeLocalized(info, "mdui:DisplayName", u.DisplayNames)
	writeLocalized(info, "mdui:Description", u.Descriptions)
	writeLocalized(info, "mdui:Keywords", u.Keywords)
	for _, l := range u.Logos {
		logo := add(info, "mdui:Logo", l.URL)
		logo.CreateAttr("height", strconv.Itoa(l.Height))
		logo.CreateAttr("width", strconv.Itoa(l.Width))
		setAttr(logo, "xml:lang", l.Lang)
	}
	writeLocalized(info, "mdui:InformationURL", u.InformationURLs)
	writeLocalized(info, "mdui:PrivacyStatementURL", u.PrivacyURLs)
	if len(info.Child) == 0 {
		extensions.RemoveChild(info)
	}
	if len(u.Domains)+len(u.Networks) == 0 {
		return
	}
	hints := extensions.CreateElement("mdui:DiscoHints")
	for _, network := range u.Networks {
		add(hints, "mdui:IPHint", network)
	}
	for _, domain := range u.Domains {
		add(hints, "mdui:DomainHint", domain)
	}
}

func (c Contact) write(parent *etree.Element) {
	el := parent.CreateElement("md:ContactPerson")
	kind := c.Kind
	if kind == ContactSecurity {
		kind = ContactOther
		el.CreateAttr("xmlns:remd", nsRefedsContact)
		el.CreateAttr("remd:contactType", securityContact)
	}
	el.CreateAttr("contactType", kind)
	for _, part := range []struct{ name, text string }{{"md:Company", c.Company}, {"md:GivenName", c.GivenName}, {"md:SurName", c.SurName}} {
		if part.text != "" {
			add(el, part.name, part.text)
		}
	}
	for _, email := range c.Emails {
		add(el, "md:EmailAddress", "mailto:"+strings.TrimPrefix(email, "mailto:"))
	}
	for _, phone := range c.Phones {
		add(el, "md:TelephoneNumber", phone)
	}
}

func writeLocalized(parent *etree.Element, name string, texts []Localized) {
	for _, t := range texts {
		lang := t.Lang
		if lang == "" {
			lang = "en" // the schema requires one
		}
		add(parent, name, t.Text).CreateAttr("xml:lang", lang)
	}
}
