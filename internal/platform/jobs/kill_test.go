package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// childDSN turns this test binary into a server that is killed at its work.
const childDSN = "AMPHI_TEST_CHILD_DSN"

// killLease is how long the killed server's job stays with it.
const killLease = 500 * time.Millisecond

// TestChildHangsInAJob is the child of the test below; by itself it does
// nothing. It does one job, begins another, and says so.
func TestChildHangsInAJob(t *testing.T) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		t.Skip("this is the child of another test")
	}
	d, err := db.Open(t.Context(), db.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	reg := jobs.NewRegistry()
	jobs.Handle(reg, func(_ context.Context, a receipt) error {
		if a.Ticket == "hangs" {
			fmt.Println("begun")
			select {}
		}
		return nil
	}, jobs.Policy{})
	enqueue(t, d, receipt{"done"}, jobs.Priority(-1))
	enqueue(t, d, receipt{"hangs"})
	jobs.NewRunner(d, reg, slog.New(slog.DiscardHandler), jobs.Options{Workers: 1, Lease: killLease}).Run(t.Context())
}

func TestAKilledServersJobRunsAgain(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			dsn := dsn(t)
			d, err := db.Open(t.Context(), db.Config{DSN: dsn})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := d.Migrate(t.Context(), []db.Migrations{schema}); err != nil {
				t.Fatal(err)
			}
			killInAJob(t, dsn)

			list, err := jobs.NewBoard(d).List(t.Context(), jobs.Filter{})
			if err != nil || len(list) != 1 || list[0].State != jobs.Running {
				t.Fatalf("after the kill the board lists %+v, %v", list, err)
			}
			var done seen
			reg := jobs.NewRegistry()
			jobs.Handle(reg, func(_ context.Context, a receipt) error {
				done.add(a.Ticket)
				return nil
			}, jobs.Policy{})
			start(t, d, reg, jobs.Options{Lease: killLease})
			eventually(t, "the job is done by another server", func() bool { return tally(t, d, jobs.Filter{}) == 0 })
			if got := done.all(); len(got) != 1 || got[0] != "hangs" {
				t.Errorf("ran %v", got)
			}
		})
	}
}

// killInAJob runs the child and kills it once it hangs in its second job.
func killInAJob(t *testing.T, dsn string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestChildHangsInAJob$")
	child.Env = append(os.Environ(), childDSN+"="+dsn)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	begun := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "begun" {
			begun = true
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || !begun {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// TestAJobThatKillsItsServerEachTimeGivesUp plays the killed servers by
// claiming without ever finishing.
func TestAJobThatKillsItsServerEachTimeGivesUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		enqueue(t, d, receipt{"T-1"})
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE jobs SET state = 'running', worker = 'gone', attempts = 3, due_at = $1", tx.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(context.Context, receipt) error {
			t.Error("it was tried beyond its attempts")
			return nil
		}, jobs.Policy{Attempts: 3})
		start(t, d, reg, jobs.Options{})
		eventually(t, "it gives up", func() bool { return tally(t, d, jobs.Filter{State: jobs.Dead}) == 1 })
	}, schema)
}
