package dbtest

import (
	"testing"
	"testing/fstest"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestACopyHoldsNothingOfOtherTests(t *testing.T) {
	for _, who := range []string{"first", "second"} {
		t.Run(who, func(t *testing.T) {
			Each(t, func(t *testing.T, d *db.DB) {
				ctx := t.Context()
				err := d.InTx(ctx, func(tx db.Tx) error {
					_, err := tx.ExecContext(ctx, "INSERT INTO notes (id, body) VALUES ('1', $1)", who)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				var n int
				if err := d.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM notes").Scan(&n); err != nil || n != 1 {
					t.Errorf("%d notes, %v: another test wrote here", n, err)
				}
				if pending, err := d.Pending(ctx, []db.Migrations{notes}); err != nil || len(pending) != 0 {
					t.Errorf("these steps are still to take: %v, %v", pending, err)
				}
			}, notes)
		})
	}
}

func TestEveryChangeOfAStepMakesAnotherTemplate(t *testing.T) {
	step := func(name, text string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(text)}} }
	seen := map[string]string{}
	for name, rooms := range map[string][]db.Migrations{
		"a step":             {{Name: "a", FS: step("0001_a.sql", "x")}},
		"of another room":    {{Name: "b", FS: step("0001_a.sql", "x")}},
		"under another name": {{Name: "a", FS: step("0002_a.sql", "x")}},
		"with another text":  {{Name: "a", FS: step("0001_a.sql", "y")}},
		"two rooms":          {{Name: "a", FS: step("0001_a.sql", "x")}, {Name: "b", FS: step("0001_a.sql", "x")}},
		"the other way":      {{Name: "b", FS: step("0001_a.sql", "x")}, {Name: "a", FS: step("0001_a.sql", "x")}},
	} {
		mark, err := fingerprint(rooms)
		if err != nil || seen[mark] != "" {
			t.Errorf("%s: %v, as %q", name, err, seen[mark])
		}
		seen[mark] = name
	}
}
