package mapping

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An expression says what a field is made of. Its grammar:
//
//	expression = term { "|" term }            the first that has values
//	term       = "'" text "'"                 a text; {attribute} in it is the attribute's first value
//	           | name "(" expression ")"      a table of the configuration, or one of [functions]
//	           | attribute [ "[" part "]" ]   the values, or that part of composite values such as [etape=…]
//
// Names of attributes are what the source calls them, whatever the case.
type expression []term

type term struct {
	text      []piece // of a text
	function  func(string) string
	table     map[string]string
	tableName string
	inner     expression // of a function or table
	attribute string     // lower case
	part      string
}

// piece is a stretch of a text: as it stands, or the value of an attribute.
type piece struct {
	plain           string
	attribute, part string
}

// parser reads one expression.
type parser struct {
	text   string
	at     int
	tables map[string]map[string]string
	depth  int
}

// deepest bounds nested calls, which nobody can read anyway.
const deepest = 16

// parse reads an expression; the empty one has no values.
func parse(text string, tables map[string]map[string]string) (expression, error) {
	p := &parser{text: text, tables: tables}
	if p.space(); p.at == len(p.text) {
		return nil, nil
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.text) {
		return nil, fmt.Errorf("cannot read %q after %q", p.text[p.at:], strings.TrimSpace(p.text[:p.at]))
	}
	return e, nil
}

func (p *parser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// took takes a character when it is next.
func (p *parser) took(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) expression() (expression, error) {
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("is nested too deeply")
	}
	defer func() { p.depth-- }()
	var e expression
	for {
		p.space()
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		e = append(e, t)
		if p.space(); !p.took('|') {
			return e, nil
		}
	}
}

func (p *parser) term() (term, error) {
	if p.took('\'') {
		return p.literal()
	}
	name := p.name()
	if name == "" {
		return term{}, fmt.Errorf("wants the name of an attribute at %q", p.text[p.at:])
	}
	if !p.took('(') {
		t := term{attribute: strings.ToLower(name)}
		var err error
		t.part, err = p.brackets()
		return t, err
	}
	t := term{}
	if table, ok := p.tables[name]; ok {
		t.table, t.tableName = table, name
	} else if f, ok := functions[name]; ok {
		t.function = f
	} else {
		return term{}, fmt.Errorf("%s is neither a table nor a function", name)
	}
	var err error
	if t.inner, err = p.expression(); err != nil {
		return term{}, err
	}
	if !p.took(')') {
		return term{}, fmt.Errorf("lacks a ) after %s(", name)
	}
	return t, nil
}

// name takes the name of an attribute, a function or a table.
func (p *parser) name() string {
	start := p.at
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.;:", r) {
			break
		}
		p.at += size
	}
	return p.text[start:p.at]
}

// brackets takes the part of a composite value, if one is named.
func (p *parser) brackets() (string, error) {
	if !p.took('[') {
		return "", nil
	}
	part := p.name()
	if part == "" || !p.took(']') {
		return "", fmt.Errorf("wants the name of a part between [ and ]")
	}
	return strings.ToLower(part), nil
}

// literal takes a text up to its closing apostrophe.
func (p *parser) literal() (term, error) {
	var t term
	for {
		i := strings.IndexAny(p.text[p.at:], "'{")
		if i < 0 {
			return term{}, fmt.Errorf("lacks the apostrophe that ends a text")
		}
		if i > 0 {
			t.text = append(t.text, piece{plain: p.text[p.at : p.at+i]})
		}
		p.at += i
		if p.took('\'') {
			if t.text == nil {
				t.text = []piece{{}}
			}
			return t, nil
		}
		p.at++ // the brace
		name := p.name()
		part, err := p.brackets()
		if err != nil {
			return term{}, err
		}
		if name == "" || !p.took('}') {
			return term{}, fmt.Errorf("wants the name of an attribute between { and }")
		}
		t.text = append(t.text, piece{attribute: strings.ToLower(name), part: part})
	}
}

// attributes adds the names of the attributes that an expression looks at.
func (e expression) attributes(into map[string]bool) {
	for _, t := range e {
		if t.attribute != "" {
			into[t.attribute] = true
		}
		for _, p := range t.text {
			if p.attribute != "" {
				into[p.attribute] = true
			}
		}
		t.inner.attributes(into)
	}
}

// scope is what an expression is evaluated in.
type scope struct {
	// values of an attribute, cleaned
	values func(attribute string) []string
	// unknown is told of codes that a table does not have
	unknown func(table, code string)
}

// in are the values of an expression: those of its first term that has any.
func (e expression) in(s scope) []string {
	for _, t := range e {
		if values := t.in(s); len(values) > 0 {
			return values
		}
	}
	return nil
}

func (t term) in(s scope) []string {
	switch {
	case t.text != nil:
		return t.composed(s)
	case t.attribute != "":
		return parts(s.values(t.attribute), t.part)
	}
	var found []string
	for _, v := range t.inner.in(s) {
		out := ""
		if t.function != nil {
			out = t.function(v)
		} else {
			out = t.lookUp(v, s)
		}
		if out != "" {
			found = append(found, out)
		}
	}
	return found
}

// anyCode is the entry of a table for codes that it does not have; asItIs as its value
// means the code itself.
const anyCode, asItIs = "*", "="

func (t term) lookUp(code string, s scope) string {
	found, ok := t.table[code]
	if !ok {
		found, ok = t.table[anyCode]
	}
	switch {
	case !ok:
		s.unknown(t.tableName, code)
		return ""
	case found == asItIs:
		return code
	default:
		return found
	}
}

// composed is a text with its attributes filled in; none when one of them is empty.
func (t term) composed(s scope) []string {
	var b strings.Builder
	for _, p := range t.text {
		if p.attribute == "" {
			b.WriteString(p.plain)
			continue
		}
		values := parts(s.values(p.attribute), p.part)
		if len(values) == 0 {
			return nil
		}
		b.WriteString(values[0])
	}
	if b.Len() == 0 {
		return nil
	}
	return []string{b.String()}
}

// parts are the named parts of composite values; the values themselves without a name.
func parts(values []string, name string) []string {
	if name == "" {
		return values
	}
	var found []string
	for _, v := range values {
		if p := composite(v)[name]; p != "" {
			found = append(found, p)
		}
	}
	return found
}

// composite takes a SupAnn composite value apart: [key=value][key=value], keys in lower
// case. It is nil for other values.
func composite(value string) map[string]string {
	var found map[string]string
	for rest := value; ; {
		open := strings.IndexByte(rest, '[')
		if open < 0 {
			return found
		}
		end := strings.IndexByte(rest[open:], ']')
		if end < 0 {
			return found
		}
		key, inner, ok := strings.Cut(rest[open+1:open+end], "=")
		if ok {
			if found == nil {
				found = map[string]string{}
			}
			key = strings.ToLower(strings.TrimSpace(key))
			if found[key] == "" {
				found[key] = strings.TrimSpace(inner)
			}
		}
		rest = rest[open+end+1:]
	}
}
