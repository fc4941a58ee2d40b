package unit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func codes(units []unit.Unit) string {
	var all []string
	for _, u := range units {
		all = append(all, u.Code)
	}
	return strings.Join(all, " ")
}

func TestTheChartIsReadFromTheTop(t *testing.T) {
	tree := unit.Grow([]unit.Unit{
		{Code: "lab", Parent: "fac", Kind: unit.Laboratory, NameFrench: "Laboratoire", Head: "b"},
		{Code: "fac", Parent: "univ", Kind: unit.Faculty, NameFrench: "Faculté", Head: "b"},
		{Code: "dep", Parent: "fac", Kind: unit.Department, NameFrench: "Département"},
		{Code: "univ", Kind: unit.Institution, NameFrench: "Université", Head: "a"},
		{Code: "lost", Parent: "gone", Kind: unit.Service, NameFrench: "Perdu"},
		{Code: "x", Parent: "y", NameFrench: "X"}, {Code: "y", Parent: "x", NameFrench: "Y"},
	})
	for name, c := range map[string]struct{ got, want string }{
		"everything, each below its own": {codes(tree.Units()), "univ fac dep lab lost x y"},
		"what is above":                  {codes(tree.Above("lab")), "univ fac"},
		"what is directly below":         {codes(tree.Below("fac")), "dep lab"},
		"what is within":                 {strings.Join(tree.Within("fac"), " "), "fac dep lab"},
		"within what is not there":       {strings.Join(tree.Within("none"), " "), ""},
		"who leads, each once":           {codes(tree.Chain("lab")), "lab univ"},
		"who leads what is not there":    {codes(tree.Chain("none")), ""},
		"above a circle":                 {codes(tree.Above("y")), "x"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
}

func TestAUnitIsKeptUnlessItWouldStandBelowItself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		put := func(u unit.Unit) error {
			return d.InTx(t.Context(), func(tx db.Tx) error { return unit.Put(t.Context(), tx, u, "test") })
		}
		for _, u := range []unit.Unit{
			{Code: "b", Parent: "a", NameFrench: "  B\n", Keywords: []string{" clé ", ""}}, {Code: "a", NameEnglish: "A"}, {Code: "c", Parent: "b", NameFrench: "C"},
		} {
			if err := put(u); err != nil {
				t.Fatal(err)
			}
		}
		if err := put(unit.Unit{Code: "a", Parent: "c", NameFrench: "A"}); !errors.Is(err, unit.Circle) {
			t.Errorf("a circle of three: %v", err)
		}
		if err := put(unit.Unit{Code: "a", Parent: "a", NameFrench: "A"}); !errors.Is(err, unit.Circle) {
			t.Errorf("a unit below itself: %v", err)
		}
		for _, u := range []unit.Unit{{NameFrench: "sans code"}, {Code: "sans-nom"}} {
			if err := put(u); !errors.Is(err, unit.Nameless) {
				t.Errorf("%v: %v", u, err)
			}
		}
		if err := d.InTx(t.Context(), func(tx db.Tx) error { return unit.Remove(t.Context(), tx, "b") }); err != nil {
			t.Fatal(err)
		}
		tree, err := unit.All(t.Context(), d.Read())
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := tree.Of("c"); !ok || c.Parent != "a" || codes(tree.Units()) != "a c" {
			t.Errorf("what was below stands at %q of %s", c.Parent, codes(tree.Units()))
		}
	}, db.Migrations{Name: "directory", FS: new(directory.Module).Migrations()})
}
