package addressbook

import (
	"slices"
	"strings"

	"github.com/emersion/go-vcard"
	"github.com/emersion/go-webdav/carddav"

	"github.com/amphi-campus/amphi/internal/campus"
)

// mostComparisons bounds a filter: each comparison is made for every card.
const mostComparisons = 40

// comparisons is how many a filter makes.
func comparisons(q *carddav.AddressBookQuery) int {
	n := len(q.PropFilters)
	for _, f := range q.PropFilters {
		n += len(f.TextMatches)
	}
	return n
}

// matches reports whether a card passes the filter of a query (RFC 6352 §10.5). The
// library compares letter by letter; people who type a name on a telephone expect
// capitals and accents to be forgiven, which the standard's default asks for as well
// (§8.3: i;unicode-casemap). An empty filter lets everybody through.
func matches(q *carddav.AddressBookQuery, card vcard.Card) bool {
	if len(q.PropFilters) == 0 {
		return true
	}
	passes := func(f carddav.PropFilter) bool { return matchesProperty(f, card) }
	if q.FilterTest == carddav.FilterAllOf {
		return !slices.ContainsFunc(q.PropFilters, func(f carddav.PropFilter) bool { return !passes(f) })
	}
	return slices.ContainsFunc(q.PropFilters, passes)
}

// matchesProperty reports whether one of the values of a property passes (§10.5.1).
func matchesProperty(f carddav.PropFilter, card vcard.Card) bool {
	fields := card[strings.ToUpper(f.Name)]
	if f.IsNotDefined || len(fields) == 0 {
		return f.IsNotDefined == (len(fields) == 0)
	}
	if len(f.TextMatches) == 0 {
		return true
	}
	return slices.ContainsFunc(fields, func(field *vcard.Field) bool {
		passes := func(m carddav.TextMatch) bool { return matchesText(m, field.Value) }
		if f.Test == carddav.FilterAllOf {
			return !slices.ContainsFunc(f.TextMatches, func(m carddav.TextMatch) bool { return !passes(m) })
		}
		return slices.ContainsFunc(f.TextMatches, passes)
	})
}

// matchesText compares a value with a text (§10.5.4).
func matchesText(m carddav.TextMatch, value string) bool {
	have, wanted := campus.Fold(value), campus.Fold(m.Text)
	var ok bool
	switch m.MatchType {
	case carddav.MatchEquals:
		ok = have == wanted
	case carddav.MatchStartsWith:
		ok = strings.HasPrefix(have, wanted)
	case carddav.MatchEndsWith:
		ok = strings.HasSuffix(have, wanted)
	default:
		ok = strings.Contains(have, wanted)
	}
	return ok != m.NegateCondition
}
