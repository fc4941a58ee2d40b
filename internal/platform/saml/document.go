package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/beevik/etree"
)

// Limits on the shape of a document. A person with two thousand groups makes
// some four thousand elements; nothing honest is deeper than thirty.
const (
	maxDepth      = 48
	maxElements   = 20_000
	maxAttributes = 64 // of one element
	maxName       = 256
)

// Parse reads a protocol message or the metadata of one entity. It refuses,
// before any meaning is looked for:
//
//   - more bytes than limit, and any encoding but UTF-8;
//   - document types, entities and processing instructions (XXE, billion laughs);
//   - a comment in an element that holds text, which makes two readers see two
//     names (the comment truncation of 2018);
//   - names that are no QNames, prefixes that nobody declared and attributes
//     that are there twice: what CVE-2020-29509, -29510 and -29511 are made of;
//   - an identifier (ID, Id, id, xml:id) that two elements share;
//   - depth, breadth and number of elements past any honest message;
//   - text that would read differently when written again.
//
// Comments between elements are allowed and dropped.
func Parse(data []byte, limit int) (*etree.Element, error) {
	if len(data) > limit {
		return nil, &XMLError{Reason: ErrTooLarge}
	}
	if err := inspect(bytes.NewReader(data), shape{elements: maxElements}); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{CharsetReader: onlyUTF8, PreserveDuplicateAttrs: true, MaxDepth: maxDepth}
	if err := doc.ReadFromBytes(data); err != nil {
		return nil, &XMLError{Reason: ErrMalformed, Cause: err}
	}
	root := doc.Root()
	if root == nil {
		return nil, &XMLError{Reason: ErrMalformed, Cause: io.ErrUnexpectedEOF}
	}
	dropComments(root)
	return root.Copy(), nil
}

func onlyUTF8(charset string, in io.Reader) (io.Reader, error) {
	if strings.EqualFold(charset, "utf-8") {
		return in, nil
	}
	return nil, fmt.Errorf("the encoding is %.20q", charset)
}

// dropComments leaves the tree as canonicalisation sees it, so that what is read
// from an unsigned message is what would have been read from a signed one.
func dropComments(el *etree.Element) {
	for i := len(el.Child) - 1; i >= 0; i-- {
		switch t := el.Child[i].(type) {
		case *etree.Comment:
			el.RemoveChildAt(i)
		case *etree.Element:
			dropComments(t)
		}
	}
}

// shape says how much a document may hold.
type shape struct {
	elements int
	// relaxed lets processing instructions and comments be, which canonical XML
	// leaves out before anything is read, and wants no identifier to be unique but
	// the root's: an aggregate joins what many have written.
	relaxed bool
}

// open is an element whose end has not come yet.
type open struct {
	name      xml.Name
	declared  map[string]string
	commented bool
	text      bool
}

// inspector walks the tokens of a document once.
type inspector struct {
	shape    shape
	stack    []open
	ids      map[string]bool
	elements int
	roots    int
}

func inspect(in io.Reader, s shape) error {
	d := xml.NewDecoder(in)
	d.CharsetReader = onlyUTF8
	i := &inspector{shape: s, ids: map[string]bool{}}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &XMLError{Reason: malformedOrEntity(err), Cause: err}
		}
		if err := i.token(token); err != nil {
			return err
		}
	}
	return i.complete()
}

// complete refuses a document that ended too early.
func (i *inspector) complete() error {
	if len(i.stack) > 0 || i.roots != 1 {
		return &XMLError{Reason: ErrMalformed, Cause: io.ErrUnexpectedEOF}
	}
	return nil
}

// malformedOrEntity tells an entity that nobody may declare from other mistakes.
// encoding/xml has no error of its own for it.
func malformedOrEntity(err error) error {
	if strings.Contains(err.Error(), "entity") {
		return ErrDTD
	}
	return ErrMalformed
}

func (i *inspector) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return i.start(t)
	case xml.EndElement:
		if len(i.stack) == 0 || i.stack[len(i.stack)-1].name != t.Name {
			return &XMLError{Reason: ErrMalformed, Where: t.Name.Local}
		}
		i.stack = i.stack[:len(i.stack)-1]
	case xml.CharData:
		return i.text(t)
	case xml.Comment:
		return i.comment()
	case xml.Directive:
		return &XMLError{Reason: ErrDTD}
	case xml.ProcInst:
		// The declaration arrives as one, and only before the root.
		if t.Target != "xml" && !i.shape.relaxed || t.Target == "xml" && (i.roots > 0 || len(i.stack) > 0) {
			return &XMLError{Reason: ErrUnexpected, Where: "processing instruction"}
		}
	}
	return nil
}

func (i *inspector) start(t xml.StartElement) error {
	if len(i.stack) == 0 {
		if i.roots++; i.roots > 1 {
			return &XMLError{Reason: ErrMalformed, Where: t.Name.Local}
		}
	}
	if i.elements++; i.elements > i.shape.elements || len(i.stack) >= maxDepth || len(t.Attr) > maxAttributes {
		return &XMLError{Reason: ErrTooComplex, Where: short(t.Name.Local)}
	}
	declared, err := i.declare(t)
	if err != nil {
		return err
	}
	i.stack = append(i.stack, open{name: t.Name, declared: declared})
	if err := i.name(t.Name, false); err != nil {
		return err
	}
	return i.attributes(t)
}

// declare collects the prefixes that an element declares, and refuses to give
// the two reserved ones another meaning (xml-names, 3).
func (i *inspector) declare(t xml.StartElement) (map[string]string, error) {
	var declared map[string]string
	for _, a := range t.Attr {
		prefix := a.Name.Local
		switch {
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			prefix = ""
		case a.Name.Space != "xmlns":
			continue
		case a.Value == "": // xmlns:p="" is not allowed in Namespaces 1.0
			return nil, &XMLError{Reason: ErrMalformed, Where: "xmlns:" + short(prefix)}
		}
		if prefix == "xmlns" || a.Value == nsXMLNS || (prefix == "xml") != (a.Value == nsXML) {
			return nil, &XMLError{Reason: ErrMalformed, Where: "xmlns:" + short(prefix)}
		}
		if _, twice := declared[prefix]; twice {
			return nil, &XMLError{Reason: ErrMalformed, Where: "xmlns:" + short(prefix)}
		}
		if declared == nil {
			declared = map[string]string{}
		}
		declared[prefix] = a.Value
	}
	return declared, nil
}

// attributes refuses one that stands twice, under one prefix or two, and two
// identifiers on one element.
func (i *inspector) attributes(t xml.StartElement) error {
	seen := make(map[xml.Name]bool, len(t.Attr))
	identified := false
	for _, a := range t.Attr {
		if err := i.name(a.Name, true); err != nil {
			return err
		}
		if !writable(a.Value) {
			return &XMLError{Reason: ErrUnstable, Where: short(a.Name.Local)}
		}
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		full := xml.Name{Space: i.resolve(a.Name.Space), Local: a.Name.Local}
		if a.Name.Space == "" {
			full.Space = ""
		}
		if seen[full] {
			return &XMLError{Reason: ErrMalformed, Where: short(a.Name.Local)}
		}
		seen[full] = true
		if !strings.EqualFold(a.Name.Local, "id") {
			continue
		}
		// A second identifier under any prefix is how a reference could mean one
		// element to one reader and another to the next.
		if identified || i.ids[a.Value] {
			return &XMLError{Reason: ErrDuplicateID, Where: short(t.Name.Local)}
		}
		identified = true
		if !i.shape.relaxed || len(i.stack) == 1 {
			i.ids[a.Value] = true
		}
	}
	return nil
}

// name refuses what is no QName or has an undeclared prefix.
func (i *inspector) name(n xml.Name, attribute bool) error {
	if !ncName(n.Local) || n.Space != "" && !ncName(n.Space) {
		return &XMLError{Reason: ErrUnstable, Where: short(n.Local)}
	}
	if n.Space == "" || n.Space == "xml" || attribute && n.Space == "xmlns" {
		return nil
	}
	if i.resolve(n.Space) == "" {
		return &XMLError{Reason: ErrMalformed, Where: short(n.Space) + ":" + short(n.Local)}
	}
	return nil
}

func (i *inspector) resolve(prefix string) string {
	if prefix == "xml" {
		return nsXML
	}
	for level := len(i.stack) - 1; level >= 0; level-- {
		if uri, ok := i.stack[level].declared[prefix]; ok {
			return uri
		}
	}
	return ""
}

func (i *inspector) text(t xml.CharData) error {
	blank := len(bytes.TrimSpace(t)) == 0
	if len(i.stack) == 0 {
		if blank || bytes.Equal(t, []byte("\ufeff")) {
			return nil
		}
		return &XMLError{Reason: ErrMalformed, Where: "text outside of the root"}
	}
	if !writable(string(t)) {
		return &XMLError{Reason: ErrUnstable, Where: short(i.stack[len(i.stack)-1].name.Local)}
	}
	if blank {
		return nil
	}
	top := &i.stack[len(i.stack)-1]
	top.text = true
	return top.truncates(i.shape)
}

func (i *inspector) comment() error {
	if len(i.stack) == 0 {
		return nil
	}
	top := &i.stack[len(i.stack)-1]
	top.commented = true
	return top.truncates(i.shape)
}

func (o *open) truncates(s shape) error {
	if o.commented && o.text && !s.relaxed {
		return &XMLError{Reason: ErrComment, Where: short(o.name.Local)}
	}
	return nil
}

// ncName tells whether s is a name without a colon. Letters and digits of every
// script pass; the point is that no colon, space or bracket does.
func ncName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for at, c := range s {
		switch {
		case unicode.IsLetter(c) || c == '_':
		case at > 0 && (unicode.IsDigit(c) || unicode.IsMark(c) || c == '-' || c == '.' || c == '·'):
		default:
			return false
		}
	}
	return true
}

// writable tells whether text comes out of the writer as it came in: characters
// that XML cannot hold are replaced by etree, silently.
func writable(s string) bool {
	for _, c := range s {
		switch {
		case c == '\t' || c == '\n' || c == '\r':
		case c < 0x20, c == 0xFFFD, c == 0xFFFE, c == 0xFFFF:
			return false
		}
	}
	return true
}

// short keeps what a stranger wrote from filling our log.
func short(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
