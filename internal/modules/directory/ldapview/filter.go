package ldapview

import (
	"fmt"
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/campus"
)

// truth is the outcome of a filter (RFC 4511 §4.5.1.7): what is said about an
// attribute that we do not know is undefined, and stays so when it is negated.
type truth int

const (
	no truth = iota
	undefined
	yes
)

func truthOf(ok bool) truth {
	if ok {
		return yes
	}
	return no
}

// filter decides about an entry, whose values it asks for by attribute.
type filter func(values func(attribute string) (values []string, known bool)) truth

// deepest bounds how far filters may be nested, widest how many comparisons they hold:
// each is made for everybody.
const deepest, widest = 16, 40

// parse reads a filter (RFC 4515).
func parse(text string) (filter, error) {
	packet, err := ldap.CompileFilter(text)
	if err != nil {
		return nil, fmt.Errorf("read the filter: %w", err)
	}
	if n := comparisons(packet); n > widest {
		return nil, fmt.Errorf("the filter makes %d comparisons; %d is the most", n, widest)
	}
	return compile(packet, 0)
}

// comparisons is how many comparisons a filter makes; each part of a text is one.
func comparisons(p *ber.Packet) (n int) {
	switch p.Tag {
	case ldap.FilterAnd, ldap.FilterOr, ldap.FilterNot:
		for _, child := range p.Children {
			n += comparisons(child)
		}
		return n
	case ldap.FilterSubstrings:
		for _, child := range p.Children {
			n += len(child.Children)
		}
		return n
	default:
		return 1
	}
}

func compile(p *ber.Packet, depth int) (filter, error) {
	if depth > deepest {
		return nil, fmt.Errorf("the filter is nested deeper than %d", deepest)
	}
	switch p.Tag {
	case ldap.FilterAnd, ldap.FilterOr:
		parts := make([]filter, len(p.Children))
		for i, child := range p.Children {
			var err error
			if parts[i], err = compile(child, depth+1); err != nil {
				return nil, err
			}
		}
		return joined(parts, p.Tag == ldap.FilterAnd), nil
	case ldap.FilterNot:
		if len(p.Children) != 1 {
			return nil, fmt.Errorf("a negation holds one filter")
		}
		of, err := compile(p.Children[0], depth+1)
		if err != nil {
			return nil, err
		}
		return func(values func(string) ([]string, bool)) truth { return yes - of(values) }, nil
	case ldap.FilterPresent:
		name := strings.ToLower(string(p.Data.Bytes()))
		return func(values func(string) ([]string, bool)) truth {
			list, known := values(name)
			if !known {
				return undefined
			}
			return truthOf(len(list) > 0)
		}, nil
	case ldap.FilterEqualityMatch, ldap.FilterApproxMatch, ldap.FilterGreaterOrEqual, ldap.FilterLessOrEqual:
		if len(p.Children) != 2 {
			return nil, fmt.Errorf("a comparison has an attribute and a value")
		}
		name, wanted := textOf(p.Children[0]), textOf(p.Children[1])
		tag := p.Tag
		wanted = folded(name, wanted)
		return compared(name, func(have string) bool {
			have = folded(name, have)
			switch tag {
			case ldap.FilterGreaterOrEqual:
				return have >= wanted
			case ldap.FilterLessOrEqual:
				return have <= wanted
			default:
				return have == wanted
			}
		}), nil
	case ldap.FilterSubstrings:
		if len(p.Children) != 2 {
			return nil, fmt.Errorf("a comparison of parts has an attribute and parts")
		}
		name := textOf(p.Children[0])
		return compared(name, partly(name, p.Children[1].Children)), nil
	default:
		return nil, fmt.Errorf("filters of this kind are not answered here")
	}
}

// joined is the conjunction or the disjunction of filters.
func joined(parts []filter, all bool) filter {
	return func(values func(string) ([]string, bool)) truth {
		result := no
		if all {
			result = yes
		}
		for _, part := range parts {
			if t := part(values); all {
				result = min(result, t)
			} else {
				result = max(result, t)
			}
		}
		return result
	}
}

// compared holds when one of the values of an attribute does.
func compared(name string, holds func(string) bool) filter {
	key := strings.ToLower(name)
	return func(values func(string) ([]string, bool)) truth {
		list, known := values(key)
		if !known {
			return undefined
		}
		return truthOf(slices.ContainsFunc(list, holds))
	}
}

// partly compares the beginning, the middle and the end of a value.
func partly(name string, parts []*ber.Packet) func(string) bool {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = folded(name, part.Data.String())
	}
	return func(have string) bool {
		rest := folded(name, have)
		for i, part := range parts {
			wanted := texts[i]
			switch part.Tag {
			case ldap.FilterSubstringsInitial:
				if !strings.HasPrefix(rest, wanted) {
					return false
				}
				rest = rest[len(wanted):]
			case ldap.FilterSubstringsFinal:
				if !strings.HasSuffix(rest, wanted) {
					return false
				}
				rest = ""
			default:
				i := strings.Index(rest, wanted)
				if i < 0 {
					return false
				}
				rest = rest[i+len(wanted):]
			}
		}
		return true
	}
}

// folded is a value as it is compared: telephone numbers by their digits, addresses
// without regard to case, all else without accents as well.
func folded(attribute, value string) string {
	switch strings.ToLower(attribute) {
	case "telephonenumber", "mobile", "facsimiletelephonenumber":
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == '+' {
				return r
			}
			return -1
		}, value)
	case "mail", "uid", "objectclass":
		return strings.ToLower(value)
	default:
		return campus.Fold(value)
	}
}

func textOf(p *ber.Packet) string {
	if s, ok := p.Value.(string); ok {
		return s
	}
	return p.Data.String()
}
