package db_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// childDSN turns this test binary into a server that writes until killed.
const childDSN = "AMPHI_TEST_CHILD_DSN"

// TestChildWritesUntilKilled is the child of the test below; by itself it does
// nothing.
func TestChildWritesUntilKilled(t *testing.T) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		t.Skip("this is the child of another test")
	}
	d, err := db.Open(t.Context(), db.Config{DSN: dsn})
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
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			dsn := dsn(t)
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

			kept := killAfter(t, dsn, 500)

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
}

// killAfter runs the child, kills it in full flight after it acknowledged n
// writes, and returns everything that it acknowledged.
func killAfter(t *testing.T, dsn string, n int) []string {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestChildWritesUntilKilled$")
	child.Env = append(os.Environ(), childDSN+"="+dsn)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var id string
		if _, err := fmt.Sscanf(lines.Text(), "kept %s", &id); err != nil {
			continue // the test framework's own words
		}
		if kept = append(kept, id); len(kept) == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	if len(kept) < n {
		t.Fatalf("the child acknowledged %d writes, want %d", len(kept), n)
	}
	return kept
}
