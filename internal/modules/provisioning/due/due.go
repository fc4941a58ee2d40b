// Package due decides who has an account in a service: by what people belong to,
// and by how their own account stands.
package due

import (
	"path"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Rule says for whom a service is.
type Rule struct {
	Kinds      []campus.Kind `toml:"kinds" help:"student, teacher, staff, guest: who gets an account; none named: everybody"`
	Campuses   []string      `toml:"campuses" help:"codes of campuses; none named: all"`
	Programmes []string      `toml:"programmes" help:"codes of programmes; none named: all"`
	Groups     []string      `toml:"groups" help:"codes of groups, * stands for anything; none named: whatever group"`
}

// Person is what a rule looks at.
type Person struct {
	State        string // of the account, as contract.Known has it
	Affiliations []campus.Affiliation
	Groups       []string
}

// Verdict is what a rule says of somebody.
type Verdict string

// The verdicts.
const (
	Due       Verdict = "due"
	Outside   Verdict = "outside"   // the service is for others
	Suspended Verdict = "suspended" // the person's own account is barred for a while
	Closed    Verdict = "closed"    // the person has left
)

// Judge says whether somebody is to have an account.
func (r Rule) Judge(p Person) Verdict {
	switch p.State {
	case "closed", "":
		return Closed
	case "suspended":
		return Suspended
	}
	if r.admits(p) {
		return Due
	}
	return Outside
}

func (r Rule) admits(p Person) bool {
	audience := campus.Audience{Kinds: r.Kinds, Campuses: r.Campuses, Programmes: r.Programmes}
	if !audience.Admits(campus.Viewer{Person: "somebody", Affiliations: p.Affiliations}) {
		return false
	}
	return len(r.Groups) == 0 || slices.ContainsFunc(p.Groups, func(code string) bool { return Matches(r.Groups, code) })
}

// Matches reports whether a code is among patterns, in which * stands for
// anything but a slash.
func Matches(patterns []string, code string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, code)
		return err == nil && ok // the configuration was checked
	})
}
