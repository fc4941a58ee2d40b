package directory

import (
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

func TestASourceSaysWhoIsInItsOwnGroupsOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		groups := &group.Groups{DB: d, Followers: func() []contract.PersonFollower { return nil }}
		both := bridge{groups, []source.Config{{ID: "hr"}, {ID: "guests"}}}
		staff := mapping.Values{mapping.FieldName: {"Staff"}}
		if err := both.PutGroup(t.Context(), "staff", staff, true, []campus.PersonID{"p-ada"}, nil, "hr"); err != nil {
			t.Fatal(err)
		}
		members := func(want ...campus.PersonID) {
			t.Helper()
			if got, err := groups.Members(t.Context(), "staff"); err != nil || !slices.Equal(got, want) {
				t.Errorf("the group has %q, want %q: %v", got, want, err)
			}
		}
		join := func(b bridge, join, leave []string) {
			t.Helper()
			if err := d.InTx(t.Context(), func(tx db.Tx) error { return b.Move(t.Context(), tx, "p-evil", join, leave, "guests") }); err != nil {
				t.Fatal(err)
			}
		}
		if err := both.PutGroup(t.Context(), "staff", staff, true, []campus.PersonID{"p-evil"}, nil, "guests"); fault.Of(err).Reason != group.Owned {
			t.Errorf("another source takes the group: %v", err)
		}
		join(both, []string{"staff"}, nil)
		members("p-ada")
		// A source that is no more leaves its groups to whoever speaks of them.
		alone := bridge{groups, []source.Config{{ID: "hr", Off: true}, {ID: "guests"}}}
		join(alone, []string{"staff"}, nil)
		members("p-ada", "p-evil")
		if err := alone.PutGroup(t.Context(), "staff", staff, true, []campus.PersonID{"p-evil"}, nil, "guests"); err != nil {
			t.Error(err)
		}
		members("p-evil")
	}, db.Migrations{Name: jobs.Name, FS: jobs.Migrations()}, db.Migrations{Name: "directory", FS: new(Module).Migrations()})
}

func TestASourceSpeaksOfItsOwnUnitsOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := bridge{&group.Groups{DB: d}, []source.Config{{ID: "hr"}, {ID: "guests"}}}
		put := func(src, name string) error {
			return d.InTx(t.Context(), func(tx db.Tx) error {
				return b.PutUnit(t.Context(), tx, "IT", mapping.Values{mapping.FieldName: {name}}, src)
			})
		}
		if err := put("hr", "Informatique"); err != nil {
			t.Fatal(err)
		}
		if err := put("guests", "Evil"); fault.Of(err).Reason != unit.Owned {
			t.Errorf("another source renames the unit: %v", err)
		}
		if err := d.InTx(t.Context(), func(tx db.Tx) error { return b.UnitGone(t.Context(), tx, "IT", "guests") }); err != nil {
			t.Fatal(err)
		}
		chart, err := unit.All(t.Context(), d.Read())
		if u, ok := chart.Of("IT"); err != nil || !ok || u.NameFrench != "Informatique" {
			t.Errorf("the unit is %+v, %v", u, err)
		}
	}, db.Migrations{Name: jobs.Name, FS: jobs.Migrations()}, db.Migrations{Name: "directory", FS: new(Module).Migrations()})
}
