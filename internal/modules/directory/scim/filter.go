package scim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filter is a filter of resources or of the values of an attribute (RFC 7644 §3.4.2.2).
type filter interface {
	// admits reports whether something fits: a resource, or one value of an attribute.
	admits(thing map[string]any) bool
}

type (
	allOf     []filter
	anyOf     []filter
	noneOf    struct{ filter }
	valuePath struct {
		path  path
		inner filter
	}
	comparison struct {
		path  path
		op    string // in lower case
		value any    // string, float64, bool or nil
	}
)

func (f allOf) admits(t map[string]any) bool {
	return !slices.ContainsFunc(f, func(one filter) bool { return !one.admits(t) })
}

func (f anyOf) admits(t map[string]any) bool {
	return slices.ContainsFunc(f, func(one filter) bool { return one.admits(t) })
}

func (f noneOf) admits(t map[string]any) bool { return !f.filter.admits(t) }

func (f valuePath) admits(t map[string]any) bool {
	for _, v := range listOf(f.path.in(t)) {
		if element, ok := v.(map[string]any); ok && f.inner.admits(element) {
			return true
		}
	}
	return false
}

func (f comparison) admits(t map[string]any) bool {
	found := listOf(f.path.in(t))
	if f.op == "pr" {
		return slices.ContainsFunc(found, present)
	}
	if f.value == nil { // null: that there is none
		none := !slices.ContainsFunc(found, present)
		return none == (f.op == "eq")
	}
	fits := func(v any) bool { return compare(v, f.op, f.value, f.path.leaf()) }
	if f.op == "ne" { // no value of it is equal
		equal := func(v any) bool { return compare(v, "eq", f.value, f.path.leaf()) }
		return !slices.ContainsFunc(found, equal)
	}
	return slices.ContainsFunc(found, fits)
}

// present reports whether something has a value.
func present(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	default:
		return true
	}
}

// compare compares one value of a resource with that of a filter.
func compare(have any, op string, want any, a attribute) bool {
	if element, ok := have.(map[string]any); ok { // emails co "x" means emails.value
		have = element["value"]
	}
	switch h := have.(type) {
	case bool:
		w, ok := truth(want)
		return ok && op == "eq" && h == w
	case float64:
		w, ok := want.(float64)
		return ok && ordered(h, w, op)
	case string:
		w, ok := want.(string)
		if !ok {
			return false
		}
		if a.Type == date {
			if x, y, ok := moments(h, w); ok {
				return ordered(x.UnixMicro(), y.UnixMicro(), op)
			}
		}
		if !a.CaseExact {
			h, w = strings.ToLower(h), strings.ToLower(w)
		}
		switch op {
		case "co":
			return strings.Contains(h, w)
		case "sw":
			return strings.HasPrefix(h, w)
		case "ew":
			return strings.HasSuffix(h, w)
		default:
			return ordered(h, w, op)
		}
	default:
		return false
	}
}

func moments(a, b string) (x, y time.Time, ok bool) {
	x, err := time.Parse(time.RFC3339, a)
	if err != nil {
		return x, y, false
	}
	y, err = time.Parse(time.RFC3339, b)
	return x, y, err == nil
}

func ordered[T int64 | float64 | string](h, w T, op string) bool {
	switch op {
	case "eq":
		return h == w
	case "gt":
		return h > w
	case "ge":
		return h >= w
	case "lt":
		return h < w
	case "le":
		return h <= w
	default:
		return false
	}
}

// truth reads a boolean, also as the text that some clients send.
func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		b, err := strconv.ParseBool(strings.ToLower(v))
		return b, err == nil && len(v) > 1
	default:
		return false, false
	}
}

// longestFilter and deepest bound what a filter may cost.
const longestFilter, deepest = 4000, 20

// filterParser reads a filter.
type filterParser struct {
	text  string
	at    int
	depth int
	// resolve finds attributes: of a resource, or of the value of a value path.
	resolve func(string) (path, bool)
}

// parseFilter reads a filter over resources of a type.
func (t resourceType) parseFilter(raw string) (filter, error) {
	p := &filterParser{text: raw, resolve: t.resolve}
	f, err := p.whole()
	if err != nil {
		return nil, refuse(400, "invalidFilter", err.Error())
	}
	return f, nil
}

func (p *filterParser) whole() (filter, error) {
	if len(p.text) > longestFilter {
		return nil, fmt.Errorf("the filter is longer than %d characters", longestFilter)
	}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, fmt.Errorf("cannot read the filter at %q", p.text[p.at:])
	}
	return f, nil
}

func (p *filterParser) space() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// word takes a keyword when it is next.
func (p *filterParser) word(w string) bool {
	p.space()
	end := p.at + len(w)
	if end > len(p.text) || !strings.EqualFold(p.text[p.at:end], w) {
		return false
	}
	if end < len(p.text) && p.text[end] != ' ' && p.text[end] != '(' {
		return false
	}
	p.at = end
	return true
}

func (p *filterParser) took(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *filterParser) or() (filter, error) {
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("the filter is nested too deeply")
	}
	defer func() { p.depth-- }()
	var list anyOf
	for {
		f, err := p.and()
		if err != nil {
			return nil, err
		}
		list = append(list, f)
		if !p.word("or") {
			break
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

func (p *filterParser) and() (filter, error) {
	var list allOf
	for {
		f, err := p.one()
		if err != nil {
			return nil, err
		}
		list = append(list, f)
		if !p.word("and") {
			break
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

func (p *filterParser) one() (filter, error) {
	if start := p.at; p.word("not") {
		if !p.took('(') {
			p.at = start
			return nil, fmt.Errorf("not wants a ( behind it")
		}
		f, err := p.group()
		return noneOf{f}, err
	}
	if p.took('(') {
		return p.group()
	}
	return p.comparison()
}

// group is what stands between brackets, the first of which was taken.
func (p *filterParser) group() (filter, error) {
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.took(')') {
		return nil, fmt.Errorf("a ) is missing at %q", p.text[p.at:])
	}
	return f, nil
}

// name takes an attribute path. Dots and colons belong to it: URNs have both.
func (p *filterParser) name() string {
	p.space()
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(" ()[]\"", p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *filterParser) comparison() (filter, error) {
	raw := p.name()
	attr, ok := p.resolve(raw)
	if !ok {
		return nil, fmt.Errorf("there is no attribute %q", raw)
	}
	if p.at < len(p.text) && p.text[p.at] == '[' {
		p.at++
		inner, err := p.values(attr)
		if err != nil {
			return nil, err
		}
		return valuePath{attr, inner}, nil
	}
	op := strings.ToLower(p.name())
	switch op {
	case "pr":
		return comparison{path: attr, op: op}, nil
	case "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le":
	default:
		return nil, fmt.Errorf("%q is no operator", op)
	}
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	if attr.leaf().Type == boolean && (op == "gt" || op == "ge" || op == "lt" || op == "le") {
		return nil, fmt.Errorf("%s is no order of %s", op, raw)
	}
	return comparison{path: attr, op: op, value: value}, nil
}

// values reads the filter of a value path, up to its closing bracket.
func (p *filterParser) values(attr path) (filter, error) {
	outer := p.resolve
	p.resolve = func(name string) (path, bool) {
		a, ok := find(attr.attr.Sub, name)
		return path{name: a.Name, attr: a}, ok
	}
	defer func() { p.resolve = outer }()
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.took(']') {
		return nil, fmt.Errorf("a ] is missing at %q", p.text[p.at:])
	}
	return inner, nil
}

// value takes a JSON text, number, true, false or null.
func (p *filterParser) value() (any, error) {
	p.space()
	decoder := json.NewDecoder(strings.NewReader(p.text[p.at:]))
	if p.at < len(p.text) && p.text[p.at] != '"' {
		word := p.text[p.at:]
		if end := strings.IndexAny(word, " )]"); end >= 0 {
			word = word[:end]
		}
		decoder = json.NewDecoder(strings.NewReader(strings.ToLower(word)))
	}
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("wants a value at %q", p.text[p.at:])
	}
	switch v.(type) {
	case map[string]any, []any:
		return nil, fmt.Errorf("wants one value at %q", p.text[p.at:])
	}
	p.at += int(decoder.InputOffset())
	return v, nil
}

// in is the value at a path of a resource: nil for none, a list for several.
func (p path) in(t map[string]any) any {
	if p.schema != "" {
		extension, _ := t[p.schema].(map[string]any)
		if p.name == "" {
			return extension
		}
		t = extension
	}
	v := t[p.name]
	if p.sub == "" {
		return v
	}
	var found []any
	for _, one := range listOf(v) {
		if element, ok := one.(map[string]any); ok && element[p.sub] != nil {
			found = append(found, element[p.sub])
		}
	}
	return found
}

// listOf is a value as a list.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// key is a value that a filter demands of an attribute, whatever else it says: so an
// index can answer it.
func key(f filter, name string) (string, bool) {
	switch f := f.(type) {
	case comparison:
		s, ok := f.value.(string)
		return s, ok && f.op == "eq" && f.path.schema == "" && f.path.sub == "" && f.path.name == name
	case allOf:
		for _, one := range f {
			if s, ok := key(one, name); ok {
				return s, true
			}
		}
	}
	return "", false
}
