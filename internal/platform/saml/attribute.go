package saml

import "github.com/beevik/etree"

// The formats of an attribute's name (core, 8.2).
const (
	NameFormatURI         = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
	NameFormatBasic       = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	NameFormatUnspecified = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"
)

// Attribute is one attribute with its values (core, 2.7.3.1).
type Attribute struct {
	Name         string
	NameFormat   string
	FriendlyName string // for people only; nothing is decided by it
	Values       []Value
}

// Value is a text, or a name identifier, which is what eduPersonTargetedID
// holds.
type Value struct {
	Text string
	Name *NameID
}

// Texts makes values of texts.
func Texts(texts ...string) []Value {
	values := make([]Value, len(texts))
	for i, text := range texts {
		values[i] = Value{Text: text}
	}
	return values
}

// Strings gives the values as texts; a name identifier gives its value.
func (a Attribute) Strings() []string {
	texts := make([]string, len(a.Values))
	for i, v := range a.Values {
		texts[i] = v.Text
		if v.Name != nil {
			texts[i] = v.Name.Value
		}
	}
	return texts
}

// write leaves xsi:type out: the value's type is then the schema's anyType,
// which every reader takes as text, and no namespace hides in a value where
// canonicalisation would lose it.
func (a Attribute) write(parent *etree.Element, name string) *etree.Element {
	el := parent.CreateElement(name)
	el.CreateAttr("Name", a.Name)
	setAttr(el, "NameFormat", a.NameFormat)
	setAttr(el, "FriendlyName", a.FriendlyName)
	for _, v := range a.Values {
		value := add(el, "saml:AttributeValue", v.Text)
		if v.Name != nil {
			v.Name.write(value, "saml:NameID")
		}
	}
	return el
}

func (r *reader) attribute(el *etree.Element) Attribute {
	a := Attribute{
		Name:         r.mustAttr(el, "Name"),
		NameFormat:   attr(el, "NameFormat"),
		FriendlyName: attr(el, "FriendlyName"),
	}
	for _, value := range all(el, NSAssertion, "AttributeValue") {
		if name := r.one(value, NSAssertion, "NameID"); name != nil {
			a.Values = append(a.Values, Value{Name: r.nameID(name)})
			continue
		}
		if len(value.ChildElements()) > 0 {
			continue // a value of structured XML: nothing here can use it
		}
		a.Values = append(a.Values, Value{Text: r.text(value)})
	}
	return a
}
