// Package unit is the org chart: faculties, departments, services, associations,
// each below another; and the functions that people ask for, which are units with
// keywords ("scholarships", "student union").
package unit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Kind says what a unit is.
type Kind string

// The kinds of units.
const (
	Institution Kind = "institution"
	Faculty     Kind = "faculty"     // faculties, schools, institutes
	Department  Kind = "department"  // teaching departments
	Laboratory  Kind = "laboratory"  // research
	Service     Kind = "service"     // what people ask something of: registrar, library
	Association Kind = "association" // of students or staff
	Other       Kind = "unit"
)

// Kinds lists them in the order of the chart.
var Kinds = []Kind{Institution, Faculty, Department, Laboratory, Service, Association, Other}

// Valid reports whether it is one of the kinds.
func (k Kind) Valid() bool { return slices.Contains(Kinds, k) }

// Unit is one box of the chart. Its code names it for ever.
type Unit struct {
	Code          string
	Parent        string // code; empty at the top
	Kind          Kind
	NameFrench    string
	NameEnglish   string // may be empty
	AboutFrench   string // what one comes for, in a sentence or two
	AboutEnglish  string
	Keywords      []string // other words that people look for
	Head          campus.PersonID
	Deputy        campus.PersonID // who answers while the head is away; by hand alone
	Phone, Mail   string
	Campus, Place string // code of the campus; building and room
	HoursFrench   string
	HoursEnglish  string
}

// Name is the name in a language, or in the other one where it has none, or the
// code.
func (u Unit) Name(l campus.Locale) string {
	return cmp.Or(pick(l, u.NameFrench, u.NameEnglish), u.Code)
}

// About says what one comes for.
func (u Unit) About(l campus.Locale) string { return pick(l, u.AboutFrench, u.AboutEnglish) }

// Hours are when it is open.
func (u Unit) Hours(l campus.Locale) string { return pick(l, u.HoursFrench, u.HoursEnglish) }

func pick(l campus.Locale, french, english string) string {
	if l == campus.English {
		return cmp.Or(english, french)
	}
	return cmp.Or(french, english)
}

// Tree is the whole chart, in the order in which it is read. The zero Tree is an
// institution without units.
type Tree struct {
	all    []Unit // those at the top first, each followed by those below it
	index  map[string]int
	depths []int
}

// Grow makes a tree of units. One whose parent is not there stands at the top, and
// so does one of each circle, so that nothing that is kept is ever hidden.
func Grow(units []Unit) Tree {
	known := make(map[string]Unit, len(units))
	for _, u := range units {
		known[u.Code] = u
	}
	below := map[string][]Unit{}
	for _, u := range units {
		if _, ok := known[u.Parent]; !ok {
			u.Parent = ""
		}
		below[u.Parent] = append(below[u.Parent], u)
	}
	for _, list := range below {
		slices.SortFunc(list, compare)
	}
	t := Tree{index: make(map[string]int, len(units))}
	var add func(u Unit, depth int)
	add = func(u Unit, depth int) {
		if _, seen := t.index[u.Code]; seen {
			return
		}
		t.index[u.Code] = len(t.all)
		t.all, t.depths = append(t.all, u), append(t.depths, depth)
		for _, child := range below[u.Code] {
			add(child, depth+1)
		}
	}
	for _, u := range below[""] {
		add(u, 0)
	}
	rest := slices.Clone(units)
	slices.SortFunc(rest, compare)
	for _, u := range rest { // circles, which Put refuses: told by nothing above them
		if _, seen := t.index[u.Code]; !seen {
			u.Parent = ""
			add(u, 0)
		}
	}
	return t
}

// compare orders the units of one level: by kind, then by name.
func compare(a, b Unit) int {
	return cmp.Or(
		cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)),
		strings.Compare(campus.Fold(a.Name(campus.French)), campus.Fold(b.Name(campus.French))),
		strings.Compare(a.Code, b.Code),
	)
}

// Units lists every unit, each followed by those below it.
func (t Tree) Units() []Unit { return t.all }

// Of is the unit with this code.
func (t Tree) Of(code string) (Unit, bool) {
	i, ok := t.index[code]
	if !ok {
		return Unit{}, false
	}
	return t.all[i], true
}

// Above are the units around one, the widest first.
func (t Tree) Above(code string) []Unit {
	var above []Unit
	for u, ok := t.Of(code); ok && u.Parent != ""; {
		if u, ok = t.Of(u.Parent); ok {
			above = append(above, u)
		}
	}
	slices.Reverse(above)
	return above
}

// Below are the units directly below one; those at the top for "".
func (t Tree) Below(code string) []Unit {
	var below []Unit
	for _, u := range t.all {
		if u.Parent == code {
			below = append(below, u)
		}
	}
	return below
}

// Within are the codes of a unit and of everything below it; none for a unit that
// is not there.
func (t Tree) Within(code string) []string {
	i, ok := t.index[code]
	if !ok {
		return nil
	}
	codes := []string{code}
	for j := i + 1; j < len(t.all) && t.depths[j] > t.depths[i]; j++ {
		codes = append(codes, t.all[j].Code)
	}
	return codes
}

// Chain is who leads, from the unit up to the top: the head of each unit that has
// one, each person once.
func (t Tree) Chain(code string) []Unit {
	var chain []Unit
	for u, ok := t.Of(code); ok; u, ok = t.Of(u.Parent) {
		if u.Head != "" && !slices.ContainsFunc(chain, func(c Unit) bool { return c.Head == u.Head }) {
			chain = append(chain, u)
		}
		if u.Parent == "" {
			break
		}
	}
	return chain
}
