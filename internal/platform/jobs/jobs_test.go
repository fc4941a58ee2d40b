package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

var schema = db.Migrations{Name: jobs.Name, FS: jobs.Migrations()}

// receipt is a job with one fact.
type receipt struct{ Ticket string }

func (receipt) JobName() string { return "helpdesk.receipt" }

// seen collects what handlers were called with.
type seen struct {
	mu    sync.Mutex
	calls []string
}

func (s *seen) add(call string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func enqueue(t *testing.T, d *db.DB, args jobs.Args, options ...jobs.Option) {
	t.Helper()
	err := d.InTx(t.Context(), func(tx db.Tx) error { return jobs.Enqueue(t.Context(), tx, args, options...) })
	if err != nil {
		t.Fatal(err)
	}
}

// start runs a runner until the test ends or stop is called.
func start(t *testing.T, d *db.DB, reg *jobs.Registry, options jobs.Options) (r *jobs.Runner, stop func()) {
	t.Helper()
	if options.Poll == 0 {
		options.Poll = 10 * time.Millisecond
	}
	r = jobs.NewRunner(d, reg, slog.New(slog.NewTextHandler(t.Output(), nil)), options)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return r, stop
}

// eventually waits for something that happens on another goroutine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func tally(t *testing.T, d *db.DB, f jobs.Filter) int {
	t.Helper()
	n, err := jobs.NewBoard(d).Count(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAJobRunsRightAfterItsTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var done seen
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(_ context.Context, a receipt) error {
			done.add(a.Ticket)
			return nil
		}, jobs.Policy{})
		// Nothing but the announcement can wake the runner in time.
		start(t, d, reg, jobs.Options{Poll: time.Hour})
		time.Sleep(20 * time.Millisecond)
		enqueue(t, d, receipt{"T-1"})
		eventually(t, "the job runs without polling", func() bool { return len(done.all()) == 1 })
		eventually(t, "the finished job is gone", func() bool { return tally(t, d, jobs.Filter{}) == 0 })
	}, schema)
}

func TestAJobOfAnUndoneTransactionDoesNotExist(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		errNo := errors.New("no")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if err := jobs.Enqueue(t.Context(), tx, receipt{"T-1"}); err != nil {
				return err
			}
			return errNo
		})
		if !errors.Is(err, errNo) {
			t.Fatalf("InTx returned %v", err)
		}
		if n := tally(t, d, jobs.Filter{}); n != 0 {
			t.Errorf("%d jobs are in the table, want none", n)
		}
	}, schema)
}

func TestAFailedJobIsTriedAgainAndThenGivesUpLoudly(t *testing.T) {
	c := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		var done seen
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(_ context.Context, a receipt) error {
			done.add(a.Ticket)
			return errors.New("the post office is closed")
		}, jobs.Policy{Attempts: 3, FirstPause: time.Hour})
		enqueue(t, d, receipt{"T-1"})
		start(t, d, reg, jobs.Options{})
		for attempt := 1; attempt <= 3; attempt++ {
			eventually(t, "an attempt is made", func() bool { return len(done.all()) == attempt })
			eventually(t, "its outcome is written", func() bool { return tally(t, d, jobs.Filter{State: jobs.Running}) == 0 })
			c.Advance(5 * time.Hour)
		}
		eventually(t, "the job gives up", func() bool { return tally(t, d, jobs.Filter{State: jobs.Dead}) == 1 })
		board := jobs.NewBoard(d)
		list, err := board.List(t.Context(), jobs.Filter{State: jobs.Dead})
		if err != nil || len(list) != 1 {
			t.Fatalf("the board lists %v, %v", list, err)
		}
		if j := list[0]; j.Error != "the post office is closed" || j.Reason != "platform.unexpected" || j.Attempts != 3 || j.Failed.IsZero() {
			t.Errorf("the board shows %+v", j)
		}
		if err := board.RunAgain(t.Context(), list[0].ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "an administrator's word makes it run again", func() bool { return len(done.all()) == 4 })
	}, schema)
}
