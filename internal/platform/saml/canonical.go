package saml

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// canonicalise writes exclusive canonical XML without comments (xml-exc-c14n)
// as the document is read, token by token, so that the metadata of a whole
// federation is verified without a tree of it in memory. goxmldsig, which serves
// every message, builds several trees and stops after a thousand elements.
//
// part chooses what is written: everything but the root's own signature, or the
// SignedInfo of that signature. prefixes are those of an InclusiveNamespaces
// list. watch sees every token first and may refuse it; it may be nil.
func canonicalise(data []byte, out io.Writer, p part, prefixes []string, watch func(xml.Token) error) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = onlyUTF8
	c := &canonical{out: bufio.NewWriterSize(out, 64<<10), part: p, inclusive: prefixes}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return c.out.Flush()
		}
		if err != nil {
			return &XMLError{Reason: malformedOrEntity(err), Cause: err}
		}
		if watch != nil {
			if err := watch(token); err != nil {
				return err
			}
		}
		c.token(token)
	}
}

// part is what of a signed document canonicalise writes.
type part int

const (
	wholeButSignature part = iota
	signedInfoOnly
)

// binding is a prefix with its namespace, as of one depth.
type binding struct {
	prefix, uri string
	depth       int
}

// canonical is the state between two tokens. Writing into a bufio.Writer keeps
// its first error until Flush, so none is looked at before.
type canonical struct {
	out       *bufio.Writer
	part      part
	inclusive []string

	depth    int
	scope    []binding // what the document declares, innermost last
	rendered []binding // what the output has declared, innermost last
	skip     int       // depth of the element that is left out, 0 when none
	apex     int       // depth of the element that is written, with what is in it
	inside   bool      // within the root's signature
}

func (c *canonical) token(token xml.Token) {
	switch t := token.(type) {
	case xml.StartElement:
		c.depth++
		c.declare(t)
		c.enter(t)
		if c.writing() {
			c.start(t)
		}
	case xml.EndElement:
		if c.writing() {
			c.out.WriteString("</" + qualified(t.Name) + ">")
		}
		c.leave()
	case xml.CharData:
		if c.writing() {
			writeEscaped(c.out, string(t), false)
		}
	case xml.ProcInst:
		if c.writing() {
			c.out.WriteString("<?" + t.Target)
			if len(t.Inst) > 0 {
				c.out.WriteString(" " + string(t.Inst))
			}
			c.out.WriteString("?>")
		}
	}
}

// enter notices the root, its signature, and the SignedInfo of that.
func (c *canonical) enter(t xml.StartElement) {
	isSignature := c.depth == 2 && t.Name.Local == "Signature" && lookup(c.scope, t.Name.Space) == NSSignature
	switch c.part {
	case wholeButSignature:
		if c.depth == 1 {
			c.apex = 1
		}
		if isSignature && c.skip == 0 {
			c.skip = c.depth
		}
	case signedInfoOnly:
		if isSignature {
			c.inside = true
		}
		if c.inside && c.depth == 3 && t.Name.Local == "SignedInfo" && lookup(c.scope, t.Name.Space) == NSSignature {
			c.apex = c.depth
		}
	}
}

func (c *canonical) leave() {
	if c.skip == c.depth {
		c.skip = 0
	}
	if c.apex == c.depth {
		c.apex = 0
	}
	if c.depth == 2 {
		c.inside = false
	}
	c.scope = unwind(c.scope, c.depth)
	c.rendered = unwind(c.rendered, c.depth)
	c.depth--
}

func (c *canonical) writing() bool { return c.apex > 0 && c.depth >= c.apex && c.skip == 0 }

func (c *canonical) declare(t xml.StartElement) {
	for _, a := range t.Attr {
		if prefix, is := declares(a); is {
			c.scope = append(c.scope, binding{prefix, a.Value, c.depth})
		}
	}
}

// declares tells which prefix an attribute declares, if it does.
func declares(a xml.Attr) (prefix string, is bool) {
	if a.Name.Space == "xmlns" {
		return a.Name.Local, true
	}
	return "", a.Name.Space == "" && a.Name.Local == "xmlns"
}

// start writes a start tag: the prefixes that the element itself uses and that
// the output has not declared yet, in the order of the prefixes, then the
// attributes in the order of their namespaces and names (xml-c14n, 2.2 and 2.3).
func (c *canonical) start(t xml.StartElement) {
	used := []string{t.Name.Space}
	var attributes []xml.Attr
	for _, a := range t.Attr {
		if _, declaration := declares(a); declaration {
			continue
		}
		attributes = append(attributes, a)
		if a.Name.Space != "" && a.Name.Space != "xml" {
			used = append(used, a.Name.Space)
		}
	}
	for _, prefix := range c.inclusive {
		if prefix == "#default" {
			prefix = ""
		}
		if prefix == "" || lookup(c.scope, prefix) != "" {
			used = append(used, prefix)
		}
	}
	slices.Sort(used)
	c.out.WriteString("<" + qualified(t.Name))
	for _, prefix := range slices.Compact(used) {
		uri := lookup(c.scope, prefix)
		if prefix == "xml" || uri == lookup(c.rendered, prefix) {
			continue
		}
		c.rendered = append(c.rendered, binding{prefix, uri, c.depth})
		name := "xmlns"
		if prefix != "" {
			name = "xmlns:" + prefix
		}
		c.attribute(name, uri)
	}
	space := func(a xml.Attr) string {
		switch a.Name.Space {
		case "":
			return ""
		case "xml":
			return nsXML
		}
		return lookup(c.scope, a.Name.Space)
	}
	slices.SortFunc(attributes, func(a, b xml.Attr) int {
		if order := strings.Compare(space(a), space(b)); order != 0 {
			return order
		}
		return strings.Compare(a.Name.Local, b.Name.Local)
	})
	for _, a := range attributes {
		c.attribute(qualified(a.Name), blanks.Replace(a.Value))
	}
	c.out.WriteByte('>')
}

// blanks turns line breaks in an attribute into spaces, as XML's own reading of
// attributes does (xml, 3.3.3) and Go's does not. A break that was written as a
// character reference would have to stay; it is not told apart here, and makes
// the digest differ, which refuses the document.
var blanks = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

func (c *canonical) attribute(name, value string) {
	c.out.WriteString(" " + name + `="`)
	writeEscaped(c.out, value, true)
	c.out.WriteByte('"')
}

func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func lookup(bindings []binding, prefix string) string {
	for i := len(bindings) - 1; i >= 0; i-- {
		if bindings[i].prefix == prefix {
			return bindings[i].uri
		}
	}
	return ""
}

func unwind(bindings []binding, depth int) []binding {
	for len(bindings) > 0 && bindings[len(bindings)-1].depth >= depth {
		bindings = bindings[:len(bindings)-1]
	}
	return bindings
}

// writeEscaped writes text or an attribute's value as canonical XML does
// (xml-c14n, 2.3).
func writeEscaped(out *bufio.Writer, s string, attribute bool) {
	last := 0
	for i := 0; i < len(s); i++ {
		var escaped string
		switch s[i] {
		case '&':
			escaped = "&amp;"
		case '<':
			escaped = "&lt;"
		case '>':
			if attribute {
				continue
			}
			escaped = "&gt;"
		case '"':
			if !attribute {
				continue
			}
			escaped = "&quot;"
		case '\r':
			escaped = "&#xD;"
		default:
			continue
		}
		out.WriteString(s[last:i])
		out.WriteString(escaped)
		last = i + 1
	}
	out.WriteString(s[last:])
}
