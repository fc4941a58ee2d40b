package due_test

import (
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
)

func TestWhoIsDueAnAccount(t *testing.T) {
	student := []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "L-INFO"}}
	both := append([]campus.Affiliation{{Kind: campus.Teacher, Campus: "hauts"}}, student...)
	for name, c := range map[string]struct {
		rule   due.Rule
		person due.Person
		want   due.Verdict
	}{
		"an empty rule is for everybody":                           {due.Rule{}, due.Person{State: "active"}, due.Due},
		"who is invited is due before they come":                   {due.Rule{}, due.Person{State: "invited"}, due.Due},
		"who is about to leave still is":                           {due.Rule{}, due.Person{State: "expiring"}, due.Due},
		"who has left is not":                                      {due.Rule{}, due.Person{State: "closed"}, due.Closed},
		"who is unknown is not":                                    {due.Rule{}, due.Person{}, due.Closed},
		"who is suspended is not for a while":                      {due.Rule{}, due.Person{State: "suspended"}, due.Suspended},
		"another kind is outside":                                  {due.Rule{Kinds: []campus.Kind{campus.Staff}}, due.Person{State: "active", Affiliations: student}, due.Outside},
		"campus and kind must be of one affiliation":               {due.Rule{Kinds: []campus.Kind{campus.Student}, Campuses: []string{"hauts"}}, due.Person{State: "active", Affiliations: both}, due.Outside},
		"one of two affiliations is enough":                        {due.Rule{Kinds: []campus.Kind{campus.Student}, Campuses: []string{"rives"}}, due.Person{State: "active", Affiliations: both}, due.Due},
		"a group is asked for besides":                             {due.Rule{Groups: []string{"uv-*"}}, due.Person{State: "active", Affiliations: student}, due.Outside},
		"a group that a pattern names":                             {due.Rule{Groups: []string{"uv-*"}}, due.Person{State: "active", Groups: []string{"promo", "uv-nf16"}}, due.Due},
		"a group is not enough for who is of the wrong kind":       {due.Rule{Kinds: []campus.Kind{campus.Staff}, Groups: []string{"uv-*"}}, due.Person{State: "active", Affiliations: student, Groups: []string{"uv-nf16"}}, due.Outside},
		"the programme narrows":                                    {due.Rule{Programmes: []string{"M-BIO"}}, due.Person{State: "active", Affiliations: student}, due.Outside},
		"a pattern does not begin in the middle of a group's code": {due.Rule{Groups: []string{"nf*"}}, due.Person{State: "active", Groups: []string{"uv-nf16"}}, due.Outside},
	} {
		if got := c.rule.Judge(c.person); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
