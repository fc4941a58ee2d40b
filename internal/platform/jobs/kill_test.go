package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// killLease is how long the killed server's job stays with it.
const killLease = 500 * time.Millisecond

// TestChildHangsInAJob is the child of the test below; by itself it does
// nothing. It does one job, begins another, and says so.
func TestChildHangsInAJob(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{DSN: dbtest.ChildDSN(t)})
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
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		d, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.Migrate(t.Context(), []db.Migrations{schema}); err != nil {
			t.Fatal(err)
		}
		dbtest.KillChild(t, "TestChildHangsInAJob", dsn, func(line string) bool { return strings.TrimSpace(line) == "begun" })

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
