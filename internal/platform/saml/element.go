package saml

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// prefixes are the ones that we write. Each root that we build declares those
// that it uses, so that it can be signed, encrypted and moved on its own.
var prefixes = map[string]string{
	"samlp": NSProtocol, "saml": NSAssertion, "md": NSMetadata, "ds": NSSignature,
	"xenc": NSEncryption, "xenc11": NSEnc11, "mdui": NSUI, "mdattr": NSEntityAttr,
	"mdrpi": NSRegistered, "shibmd": NSShibboleth, "idpdisc": NSDiscovery, "soap": NSSOAP,
}

// newRoot makes an element that stands on its own and declares prefixes.
func newRoot(name string, declare ...string) *etree.Element {
	el := etree.NewElement(name)
	for _, prefix := range declare {
		el.CreateAttr("xmlns:"+prefix, prefixes[prefix])
	}
	return el
}

// add appends a child with text, when there is any.
func add(parent *etree.Element, name, text string) *etree.Element {
	el := parent.CreateElement(name)
	if text != "" {
		el.SetText(text)
	}
	return el
}

// setAttr writes an attribute unless its value is empty.
func setAttr(el *etree.Element, name, value string) {
	if value != "" {
		el.CreateAttr(name, value)
	}
}

func setTime(el *etree.Element, name string, t time.Time) {
	if !t.IsZero() {
		el.CreateAttr(name, FormatTime(t))
	}
}

func setBool(el *etree.Element, name string, value bool) {
	if value {
		el.CreateAttr(name, "true")
	}
}

func setIndex(el *etree.Element, name string, value *int) {
	if value != nil {
		el.CreateAttr(name, strconv.Itoa(*value))
	}
}

// Marshal writes an element that we built. It adds neither a declaration nor
// white space: what was signed stays as it is.
func Marshal(el *etree.Element) ([]byte, error) {
	doc := etree.NewDocumentWithRoot(el.Copy())
	doc.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalText: true}
	return doc.WriteToBytes()
}

// reader walks an element that passed [Parse] and keeps the first thing that is
// wrong with it, so that a struct is read in one breath and asked once.
type reader struct{ err error }

func (r *reader) fail(reason error, where string, cause error) {
	if r.err == nil {
		r.err = &XMLError{Reason: reason, Where: where, Cause: cause}
	}
}

// is tells an element's name apart, by namespace and not by prefix.
func is(el *etree.Element, namespace, tag string) bool {
	return el != nil && el.Tag == tag && el.NamespaceURI() == namespace
}

// expect refuses an element that is not the one to read.
func (r *reader) expect(el *etree.Element, namespace, tag string) bool {
	if is(el, namespace, tag) {
		return true
	}
	got := "nothing"
	if el != nil {
		got = el.Tag
	}
	r.fail(ErrUnexpected, tag, fmt.Errorf("found %s", got))
	return false
}

// all gives the children of that name.
func all(el *etree.Element, namespace, tag string) []*etree.Element {
	var found []*etree.Element
	if el == nil {
		return nil
	}
	for child := range el.ChildElementsSeq() {
		if is(child, namespace, tag) {
			found = append(found, child)
		}
	}
	return found
}

// one gives the child of that name, or nil. Two of them are refused: which one
// counts is what attacks are made of.
func (r *reader) one(el *etree.Element, namespace, tag string) *etree.Element {
	found := all(el, namespace, tag)
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	r.fail(ErrUnexpected, tag, fmt.Errorf("%d of them", len(found)))
	return nil
}

// must is one, and refuses to do without.
func (r *reader) must(el *etree.Element, namespace, tag string) *etree.Element {
	found := r.one(el, namespace, tag)
	if found == nil {
		r.fail(ErrMissing, tag, nil)
	}
	return found
}

// text gives the whole text of an element that holds nothing else, without the
// white space around it. A nested element would split the text in two, and two
// readers would see two names; [Parse] has refused comments in it already.
func (r *reader) text(el *etree.Element) string {
	if el == nil {
		return ""
	}
	var b strings.Builder
	for _, token := range el.Child {
		switch t := token.(type) {
		case *etree.CharData:
			b.WriteString(t.Data)
		case *etree.Element:
			r.fail(ErrUnexpected, el.Tag, fmt.Errorf("%s inside text", t.Tag))
			return ""
		}
	}
	return strings.TrimSpace(b.String())
}

func (r *reader) textOf(el *etree.Element, namespace, tag string) string {
	return r.text(r.one(el, namespace, tag))
}

// attr gives an attribute without a namespace. Those of etree's own look-up
// would also find one with a prefix.
func attr(el *etree.Element, key string) string { return attrNS(el, "", key) }

func attrNS(el *etree.Element, namespace, key string) string {
	if el == nil {
		return ""
	}
	for i := range el.Attr {
		a := &el.Attr[i]
		if a.Key != key || a.Space == "xmlns" {
			continue
		}
		if namespace == "" && a.Space == "" || namespace != "" && a.Space != "" && a.NamespaceURI() == namespace {
			return a.Value
		}
	}
	return ""
}

// xmlLang is xml:lang, whose prefix nobody declares.
func xmlLang(el *etree.Element) string {
	for i := range el.Attr {
		if el.Attr[i].Space == "xml" && el.Attr[i].Key == "lang" {
			return el.Attr[i].Value
		}
	}
	return ""
}

func (r *reader) mustAttr(el *etree.Element, key string) string {
	value := attr(el, key)
	if value == "" && el != nil {
		r.fail(ErrMissing, el.Tag+"/@"+key, nil)
	}
	return value
}

func (r *reader) time(el *etree.Element, key string) time.Time {
	value := attr(el, key)
	if value == "" {
		return time.Time{}
	}
	t, err := readTime(value)
	if err != nil {
		r.fail(ErrMalformed, el.Tag+"/@"+key, err)
	}
	return t
}

// boolean reads an xs:boolean.
func (r *reader) boolean(el *etree.Element, key string) bool {
	switch value := strings.TrimSpace(attr(el, key)); value {
	case "", "false", "0":
		return false
	case "true", "1":
		return true
	default:
		r.fail(ErrMalformed, el.Tag+"/@"+key, fmt.Errorf("%.20q is no boolean", value))
		return false
	}
}

// index reads an xs:unsignedShort that may be absent.
func (r *reader) index(el *etree.Element, key string) *int {
	value := strings.TrimSpace(attr(el, key))
	if value == "" {
		return nil
	}
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		r.fail(ErrMalformed, el.Tag+"/@"+key, err)
		return nil
	}
	i := int(n)
	return &i
}

// version refuses any protocol but SAML 2.0 (core, 3.2.1 and 2.3.3).
func (r *reader) version(el *etree.Element) {
	if v := attr(el, "Version"); v != "2.0" && r.err == nil {
		r.err = &MismatchError{What: WhatVersion, Expected: "2.0", Received: v}
	}
}
