package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// TestChildWritesUntilKilled is the child of the test below; by itself it does
// nothing.
func TestChildWritesUntilKilled(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{DSN: dbtest.ChildDSN(t)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d", g, i)
				if err := d.InTx(t.Context(), insertUnit(t, id)); err != nil {
					t.Error(err)
					return
				}
				fmt.Println("kept", id) // one write to the pipe: whole or not at all
			}
		})
	}
	wg.Wait()
}

func TestEveryAcknowledgedWriteSurvivesAKill(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		d, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(t.Context(), []db.Migrations{units}); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}

		var kept []string
		dbtest.KillChild(t, "TestChildWritesUntilKilled", dsn, func(line string) bool {
			if id, ok := strings.CutPrefix(line, "kept "); ok { // the rest is the test framework's own words
				kept = append(kept, id)
			}
			return len(kept) >= 500
		})

		d, err = db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, id := range kept {
			if n := count(t, d.Read(), "SELECT COUNT(*) FROM units WHERE id = $1", id); n != 1 {
				t.Errorf("%s was acknowledged and is lost", id)
			}
		}
		if d.Dialect() == db.SQLite {
			var verdict string
			if err := d.Read().QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
				t.Errorf("the file is %q, %v", verdict, err)
			}
		}
		t.Logf("%d acknowledged writes were all there", len(kept))
	})
}
