package group_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// register is a register of people in memory.
type register struct {
	contract.Register
	people []contract.Known
}

func (r *register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, p := range r.people {
		for _, id := range ids {
			if p.ID == id {
				known[id] = p
			}
		}
	}
	return known, nil
}

func (r *register) PeopleAfter(_ context.Context, after campus.PersonID, most int) ([]contract.Known, error) {
	var next []contract.Known
	for _, p := range r.people {
		if p.ID > after && len(next) < most {
			next = append(next, p)
		}
	}
	return next, nil
}

// follower writes down who it was told about.
type follower struct{ told []campus.PersonID }

func (f *follower) PersonChanged(_ context.Context, _ db.Tx, who campus.PersonID) error {
	f.told = append(f.told, who)
	return nil
}

func (f *follower) take() string {
	told := fmt.Sprint(f.told)
	f.told = nil
	return told
}

func student(id campus.PersonID, programme string) contract.Known {
	return contract.Known{ID: id, State: "active", Subject: contract.Subject{Affiliations: []campus.Affiliation{{Kind: campus.Student, Programme: programme, Campus: "rives"}}}}
}

func schemas() []db.Migrations {
	return []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "directory", FS: new(directory.Module).Migrations()}}
}

// each runs a test with groups on both databases.
func each(t *testing.T, people []contract.Known, do func(t *testing.T, g *group.Groups, r *register, f *follower)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, f := &register{people: slices.Clone(people)}, &follower{}
		g := &group.Groups{DB: d, Register: r, Roll: r, Followers: func() []contract.PersonFollower { return []contract.PersonFollower{f} }}
		do(t, g, r, f)
	}, schemas()...)
}

func put(t *testing.T, g *group.Groups, groups ...group.Group) {
	t.Helper()
	for _, one := range groups {
		one.NameFrench = "Groupe " + one.Code
		if err := g.DB.InTx(t.Context(), func(tx db.Tx) error { return g.Put(t.Context(), tx, one, "admin") }); err != nil {
			t.Fatal(err)
		}
	}
}

func change(t *testing.T, g *group.Groups, code string, add, drop []campus.PersonID) {
	t.Helper()
	if err := g.DB.InTx(t.Context(), func(tx db.Tx) error { return g.Change(t.Context(), tx, code, add, drop) }); err != nil {
		t.Fatal(err)
	}
}

func nest(t *testing.T, g *group.Groups, code string, nested ...string) error {
	t.Helper()
	return g.DB.InTx(t.Context(), func(tx db.Tx) error { return g.Nest(t.Context(), tx, code, nested) })
}

func groupsOf(t *testing.T, g *group.Groups, who campus.PersonID) string {
	t.Helper()
	codes, err := g.GroupsOf(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(codes)
}

func TestAGroupHoldsPeopleAndOtherGroups(t *testing.T) {
	each(t, nil, func(t *testing.T, g *group.Groups, _ *register, f *follower) {
		put(t, g, group.Group{Code: "all", Kind: group.ByHand}, group.Group{Code: "l2", Kind: group.ByHand}, group.Group{Code: "td1", Kind: group.ByHand})
		change(t, g, "td1", []campus.PersonID{"lina", "karim"}, nil)
		if told := f.take(); told != "[lina karim]" {
			t.Errorf("the followers heard of %s", told)
		}
		change(t, g, "td1", []campus.PersonID{"lina"}, []campus.PersonID{"nobody"})
		if told := f.take(); told != "[]" {
			t.Errorf("nothing changed, and the followers heard of %s", told)
		}
		if err := errors.Join(nest(t, g, "l2", "td1"), nest(t, g, "all", "l2")); err != nil {
			t.Fatal(err)
		}
		if told := f.take(); told != "[karim lina karim lina]" {
			t.Errorf("two groups around theirs: the followers heard of %s", told)
		}
		if got := groupsOf(t, g, "lina"); got != "[all l2 td1]" {
			t.Errorf("lina is in %s", got)
		}
		if err := nest(t, g, "td1", "all"); !errors.Is(err, group.Circle) {
			t.Errorf("a circle of three: %v", err)
		}
		if err := nest(t, g, "td1", "td1"); !errors.Is(err, group.Circle) {
			t.Errorf("a group in itself: %v", err)
		}
		if err := nest(t, g, "td1", "none"); !errors.Is(err, group.Missing) {
			t.Errorf("a group that is not there: %v", err)
		}
		f.take()
		if err := g.DB.InTx(t.Context(), func(tx db.Tx) error { return g.Remove(t.Context(), tx, "l2") }); err != nil {
			t.Fatal(err)
		}
		if got := groupsOf(t, g, "lina"); got != "[td1]" || f.take() != "[karim lina]" {
			t.Errorf("the middle group is gone, and lina is in %s", got)
		}
	})
}

func TestARuleFollowsAffiliations(t *testing.T) {
	people := []contract.Known{student("1", "L-INFO"), student("2", "L-MATH"), student("3", "L-INFO")}
	people[2].State = "closed"
	each(t, people, func(t *testing.T, g *group.Groups, r *register, f *follower) {
		put(t, g, group.Group{Code: "info", Kind: group.ByRule, Rule: group.Rule{Kinds: []campus.Kind{campus.Student}, Programmes: []string{"L-INFO"}}})
		if err := g.Fill(t.Context(), "info"); err != nil {
			t.Fatal(err)
		}
		members := func() string {
			all, err := g.Members(t.Context(), "info")
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(all)
		}
		if got := members(); got != "[1]" || f.take() != "[1]" {
			t.Errorf("the rule finds %s", got)
		}
		r.people[0], r.people[1] = student("1", "L-MATH"), student("2", "L-INFO")
		err := g.DB.InTx(t.Context(), func(tx db.Tx) error {
			return errors.Join(g.PersonChanged(t.Context(), tx, "1"), g.PersonChanged(t.Context(), tx, "2"))
		})
		if err == nil {
			err = g.ApplyRules(t.Context())
		}
		if got := members(); err != nil || got != "[2]" {
			t.Errorf("after the change of programme the rule finds %s, %v", got, err)
		}
		f.take()
		if err := g.ApplyRules(t.Context()); err != nil || f.take() != "[]" {
			t.Errorf("nobody is due any more: %v", err)
		}
	})
}

func TestARuleThatSaysNothingAdmitsNobody(t *testing.T) {
	lina := []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "L-INFO", Unit: "INFO"}}
	both := append([]campus.Affiliation{{Kind: campus.Teacher, Campus: "port"}}, lina...)
	for name, c := range map[string]struct {
		rule group.Rule
		who  []campus.Affiliation
		want bool
	}{
		"nothing":                           {group.Rule{}, lina, false},
		"a kind":                            {group.Rule{Kinds: []campus.Kind{campus.Student}}, lina, true},
		"a unit":                            {group.Rule{Units: []string{"INFO"}}, lina, true},
		"another campus":                    {group.Rule{Campuses: []string{"port"}}, lina, false},
		"two halves of two affiliations":    {group.Rule{Kinds: []campus.Kind{campus.Student}, Campuses: []string{"port"}}, both, false},
		"one affiliation that has it whole": {group.Rule{Kinds: []campus.Kind{campus.Teacher}, Campuses: []string{"port"}}, both, true},
	} {
		if got := c.rule.Admits(c.who); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestASourceMovesManyMembersAndLeavesOtherGroupsAlone(t *testing.T) {
	each(t, nil, func(t *testing.T, g *group.Groups, _ *register, f *follower) {
		var many []campus.PersonID
		for i := range 700 {
			many = append(many, campus.PersonID(fmt.Sprintf("p%04d", i)))
		}
		sync := func(people []campus.PersonID) error {
			return g.Sync(t.Context(), "ldap", group.Group{Code: "cn=all", NameFrench: "Tous"}, people, nil)
		}
		if err := sync(many); !errors.Is(err, group.Malformed) {
			t.Errorf("a code with a sign that addresses use: %v", err)
		}
		sync = func(people []campus.PersonID) error {
			return g.Sync(t.Context(), "ldap", group.Group{Code: "all", NameFrench: "Tous"}, people, nil)
		}
		if err := sync(many); err != nil || len(f.told) != 700 {
			t.Fatalf("%d people were told of, %v", len(f.told), err)
		}
		f.take()
		if err := sync(many[1:]); err != nil || f.take() != "[p0000]" {
			t.Errorf("one left: %v", err)
		}
		put(t, g, group.Group{Code: "hand", Kind: group.ByHand})
		if err := g.Sync(t.Context(), "ldap", group.Group{Code: "hand", NameFrench: "x"}, nil, nil); !errors.Is(err, group.Owned) {
			t.Errorf("a group kept by hand: %v", err)
		}
	})
}

func TestACodeEndsNeitherAListNorAnAddress(t *testing.T) {
	for code, valid := range map[string]bool{
		"L-INFO:2026": true, "éq.α@valmont": true, strings.Repeat("é", 200): true, strings.Repeat("é", 201): false,
		"": false, "-L": false, "a,b": false, "a/b": false, "a b": false, "a\n": false,
	} {
		if group.ValidCode(code) != valid {
			t.Errorf("%q is valid: %t", code, !valid)
		}
	}
}
