// Package group keeps the groups of the institution: those of a source, those that a
// rule makes of people's affiliations, and those kept by hand. A group may hold other
// groups; a circle is refused.
package group

import (
	"cmp"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Kind says where the members of a group come from.
type Kind string

// The kinds of groups.
const (
	FromSource Kind = "source"
	ByRule     Kind = "rule"
	ByHand     Kind = "hand"
)

// Group is a set of people with a name. Its code names it for ever, for services as
// well.
type Group struct {
	Code        string
	Kind        Kind
	NameFrench  string
	NameEnglish string // may be empty
	About       string
	Rule        Rule // of a group by rule
	// Open lets members see one another; otherwise only staff see who is in it.
	Open   bool
	Source string // of a group from a source
}

// Name is the name in a language, or in the other one where it has none, or the
// code.
func (g Group) Name(l campus.Locale) string {
	if l == campus.English {
		return cmp.Or(g.NameEnglish, g.NameFrench, g.Code)
	}
	return cmp.Or(g.NameFrench, g.NameEnglish, g.Code)
}

// Rule admits people by their affiliations. The lists narrow one another, and one
// affiliation has to satisfy all of them; an empty list admits all. A rule without
// any list admits nobody: it is a mistake, not everybody.
type Rule struct {
	Kinds      []campus.Kind `json:"kinds,omitempty"`
	Campuses   []string      `json:"campuses,omitempty"`
	Programmes []string      `json:"programmes,omitempty"`
	Units      []string      `json:"units,omitempty"`
}

// Empty reports whether the rule says nothing.
func (r Rule) Empty() bool {
	return len(r.Kinds)+len(r.Campuses)+len(r.Programmes)+len(r.Units) == 0
}

// Admits reports whether somebody with these affiliations is in the group.
func (r Rule) Admits(affiliations []campus.Affiliation) bool {
	in := func(list []string, code string) bool { return len(list) == 0 || slices.Contains(list, code) }
	return !r.Empty() && slices.ContainsFunc(affiliations, func(a campus.Affiliation) bool {
		return (len(r.Kinds) == 0 || slices.Contains(r.Kinds, a.Kind)) && in(r.Campuses, a.Campus) && in(r.Programmes, a.Programme) && in(r.Units, a.Unit)
	})
}

var (
	// Missing: no group has this code.
	Missing = fault.Declare(fault.NotFound, "directory.group_missing")
	// Circle: a group was put into one that it holds itself.
	Circle = fault.Declare(fault.Conflict, "directory.group_circle")
	// Malformed: the code or the name of a group cannot be kept.
	Malformed = fault.Declare(fault.Invalid, "directory.group_malformed")
	// Owned: the members come from a source or a rule, so that a change by hand
	// would be undone.
	Owned = fault.Declare(fault.Conflict, "directory.group_owned")
)

// Groups keeps them.
type Groups struct {
	DB *db.DB
	// Register knows people's affiliations, for the rules.
	Register contract.Register
	Roll     Roll
	// Followers learn whose groups changed, in the same transaction.
	Followers func() []contract.PersonFollower
}
