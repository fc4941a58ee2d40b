package saml

import "github.com/beevik/etree"

// The formats of a name identifier (core, 8.3).
const (
	FormatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	FormatEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	FormatX509        = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
	FormatWindows     = "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName"
	FormatKerberos    = "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos"
	FormatEntity      = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	FormatPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	FormatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	FormatEncrypted   = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"
)

// NameID says who somebody is, between two parties (core, 2.2.3).
type NameID struct {
	Value           string
	Format          string // "" is FormatUnspecified
	NameQualifier   string // who made the name
	SPNameQualifier string // for whom
	SPProvidedID    string
}

// Same tells whether two names mean the same person at the same parties (core,
// 3.7.3.1: all of a name is compared). An absent qualifier matches only an
// absent one.
func (n NameID) Same(other NameID) bool {
	if n.Format == "" {
		n.Format = FormatUnspecified
	}
	if other.Format == "" {
		other.Format = FormatUnspecified
	}
	return n == other
}

func (n NameID) write(parent *etree.Element, tag string) *etree.Element {
	el := add(parent, tag, n.Value)
	setAttr(el, "NameQualifier", n.NameQualifier)
	setAttr(el, "SPNameQualifier", n.SPNameQualifier)
	setAttr(el, "Format", n.Format)
	setAttr(el, "SPProvidedID", n.SPProvidedID)
	return el
}

func (r *reader) nameID(el *etree.Element) *NameID {
	if el == nil {
		return nil
	}
	n := &NameID{
		Value:           r.text(el),
		Format:          attr(el, "Format"),
		NameQualifier:   attr(el, "NameQualifier"),
		SPNameQualifier: attr(el, "SPNameQualifier"),
		SPProvidedID:    attr(el, "SPProvidedID"),
	}
	if n.Value == "" {
		r.fail(ErrMissing, el.Tag, nil)
	}
	return n
}

// issuer reads an entity's name (core, 2.2.5): its format is "entity" or none.
func (r *reader) issuer(el *etree.Element) string {
	issuer := r.one(el, NSAssertion, "Issuer")
	if format := attr(issuer, "Format"); format != "" && format != FormatEntity && format != FormatUnspecified {
		r.fail(ErrUnexpected, "Issuer/@Format", nil)
	}
	return r.text(issuer)
}

func writeIssuer(parent *etree.Element, issuer string) {
	if issuer != "" {
		add(parent, "saml:Issuer", issuer)
	}
}
