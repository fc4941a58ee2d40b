package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

func TestManyServersRunEveryJobOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var done seen
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(_ context.Context, a receipt) error {
			done.add(a.Ticket)
			return nil
		}, jobs.Policy{})
		const n = 300
		var wg sync.WaitGroup
		for g := range 4 {
			start(t, d, reg, jobs.Options{})
			wg.Go(func() {
				for i := range n / 4 {
					enqueue(t, d, receipt{fmt.Sprintf("%d-%d", g, i)})
				}
			})
		}
		wg.Wait()
		eventually(t, "every job has run", func() bool { return tally(t, d, jobs.Filter{}) == 0 })
		calls := done.all()
		slices.Sort(calls)
		if len(calls) != n || len(slices.Compact(calls)) != n {
			t.Errorf("%d runs of %d different jobs, want %d of each", len(calls), len(slices.Compact(calls)), n)
		}
	}, schema)
}

func TestJobsWaitForTheirTimeAndRunByPriority(t *testing.T) {
	morning := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	c := clock.At(morning)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(morning)
		var done seen
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(_ context.Context, a receipt) error {
			done.add(a.Ticket)
			return nil
		}, jobs.Policy{})
		enqueue(t, d, receipt{"usual"})
		enqueue(t, d, receipt{"urgent"}, jobs.Priority(-1))
		enqueue(t, d, receipt{"noon"}, jobs.At(morning.Add(4*time.Hour)))
		enqueue(t, d, receipt{"in a minute"}, jobs.After(time.Minute))
		enqueue(t, d, receipt{"past"}, jobs.At(morning.Add(-time.Hour)), jobs.Priority(1))
		start(t, d, reg, jobs.Options{Workers: 1})
		eventually(t, "three jobs have run", func() bool { return len(done.all()) == 3 })
		c.Advance(2 * time.Minute)
		eventually(t, "the delayed job has run", func() bool { return len(done.all()) == 4 })
		c.Advance(4 * time.Hour)
		eventually(t, "all have run", func() bool { return len(done.all()) == 5 })
		if got, want := strings.Join(done.all(), ", "), "urgent, usual, past, in a minute, noon"; got != want {
			t.Errorf("they ran as %s; want %s", got, want)
		}
	}, schema)
}

func TestAUniqueKeyMergesWaitingJobsOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		begun, release := make(chan struct{}, 10), make(chan struct{})
		var runs atomic.Int64
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(context.Context, receipt) error {
			runs.Add(1)
			begun <- struct{}{}
			<-release
			return nil
		}, jobs.Policy{})
		for range 3 {
			enqueue(t, d, receipt{"a"}, jobs.UniqueKey("a"))
		}
		enqueue(t, d, receipt{"b"}, jobs.UniqueKey("b"))
		if n := tally(t, d, jobs.Filter{}); n != 2 {
			t.Errorf("%d jobs wait, want one per key", n)
		}
		start(t, d, reg, jobs.Options{})
		<-begun
		<-begun
		enqueue(t, d, receipt{"a"}, jobs.UniqueKey("a")) // the facts changed meanwhile
		<-begun
		close(release)
		eventually(t, "all are done", func() bool { return tally(t, d, jobs.Filter{}) == 0 })
		if runs.Load() != 3 {
			t.Errorf("%d runs, want 3", runs.Load())
		}
	}, schema)
}

func TestARetryGivesWayToANewerJobOfItsKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		begun, release := make(chan struct{}), make(chan struct{})
		var done seen
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(_ context.Context, a receipt) error {
			if a.Ticket == "old" {
				close(begun)
				<-release
				return errors.New("try later")
			}
			done.add(a.Ticket)
			return nil
		}, jobs.Policy{})
		enqueue(t, d, receipt{"old"}, jobs.UniqueKey("k"))
		start(t, d, reg, jobs.Options{Workers: 1})
		<-begun
		enqueue(t, d, receipt{"new"}, jobs.UniqueKey("k"))
		close(release)
		eventually(t, "the newer one is done and the older one gone", func() bool { return tally(t, d, jobs.Filter{}) == 0 })
		if got := done.all(); len(got) != 1 || got[0] != "new" {
			t.Errorf("ran %v", got)
		}
	}, schema)
}

var closed = fault.Declare(fault.Upstream, "jobstest.post_office_closed")

func TestAJobThatGivesUpKeepsItsReasonAndIsLoggedAsAnError(t *testing.T) {
	cases := []struct {
		name   string
		fail   func() error
		policy jobs.Policy
		reason string
		text   string
	}{
		{"a declared reason after the last attempt", func() error { return closed.From(errors.New("hours")) }, jobs.Policy{Attempts: 1}, "jobstest.post_office_closed", "hours"},
		{"an error that nothing cures", func() error { return jobs.GiveUp(errors.New("no such address")) }, jobs.Policy{}, "platform.unexpected", "no such address"},
		{"a declared reason that nothing cures", func() error { return jobs.GiveUp(closed) }, jobs.Policy{}, "jobstest.post_office_closed", "closed"},
		{"a panic", func() error { panic("a bug") }, jobs.Policy{Attempts: 1}, "platform.unexpected", "panic: a bug"},
		{"a timeout", nil, jobs.Policy{Attempts: 1, Timeout: 5 * time.Millisecond}, "platform.timed_out", "deadline"},
		{"a very long error with bytes that are no text", func() error { return errors.New("\x00\xff" + strings.Repeat("é", 10_000)) }, jobs.Policy{Attempts: 1}, "platform.unexpected", "é"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				reg := jobs.NewRegistry()
				jobs.Handle(reg, func(ctx context.Context, _ receipt) error {
					if c.fail == nil {
						<-ctx.Done()
						return ctx.Err()
					}
					return c.fail()
				}, c.policy)
				enqueue(t, d, receipt{"T-1"})
				var lines syncBuffer
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				r := jobs.NewRunner(d, reg, slog.New(slog.NewTextHandler(&lines, nil)), jobs.Options{Poll: 10 * time.Millisecond})
				go func() { defer close(ended); r.Run(ctx) }()
				eventually(t, "it gives up", func() bool { return tally(t, d, jobs.Filter{State: jobs.Dead}) == 1 })
				cancel()
				<-ended
				list, err := jobs.NewBoard(d).List(t.Context(), jobs.Filter{Name: "helpdesk.receipt"})
				if err != nil || len(list) != 1 {
					t.Fatalf("the board lists %v, %v", list, err)
				}
				if list[0].Reason != c.reason || !strings.Contains(list[0].Error, c.text) {
					t.Errorf("the board shows %s %.200s", list[0].Reason, list[0].Error)
				}
				if !strings.Contains(lines.String(), "level=ERROR msg=job.gave_up job=helpdesk.receipt") {
					t.Errorf("the log says %.300s", lines.String())
				}
				if s := r.Stats(); s.GaveUp != 1 || s.Done != 0 {
					t.Errorf("the counters say %+v", s)
				}
			}, schema)
		})
	}
}

// syncBuffer is a buffer that a logger and a test may share.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAStoppingServerLetsItsJobsFinish(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		begun := make(chan struct{})
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(ctx context.Context, _ receipt) error {
			close(begun)
			time.Sleep(50 * time.Millisecond)
			return ctx.Err()
		}, jobs.Policy{})
		r, stop := start(t, d, reg, jobs.Options{})
		enqueue(t, d, receipt{"T-1"})
		<-begun
		stop()
		if n := tally(t, d, jobs.Filter{}); n != 0 || r.Stats().Done != 1 {
			t.Errorf("%d jobs are left, %d done", n, r.Stats().Done)
		}
	}, schema)
}

func TestAJobCutShortByAStopGoesBackUncounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		begun := make(chan struct{})
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(ctx context.Context, _ receipt) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		}, jobs.Policy{})
		_, stop := start(t, d, reg, jobs.Options{Grace: 10 * time.Millisecond})
		enqueue(t, d, receipt{"T-1"})
		<-begun
		stop()
		list, err := jobs.NewBoard(d).List(t.Context(), jobs.Filter{})
		if err != nil || len(list) != 1 || list[0].State != jobs.Waiting || list[0].Attempts != 0 {
			t.Errorf("the board lists %+v, %v", list, err)
		}
	}, schema)
}

func TestALongJobKeepsItsLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var runs atomic.Int64
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(context.Context, receipt) error {
			runs.Add(1)
			time.Sleep(3 * time.Second) // twice the lease, which leaves a busy machine time to renew it
			return nil
		}, jobs.Policy{})
		for range 2 {
			start(t, d, reg, jobs.Options{Lease: 1500 * time.Millisecond})
		}
		enqueue(t, d, receipt{"T-1"})
		eventually(t, "it is done", func() bool { return tally(t, d, jobs.Filter{}) == 0 })
		if runs.Load() != 1 {
			t.Errorf("it ran %d times at once", runs.Load())
		}
	}, schema)
}

func TestASchedulesTickIsTakenByOneServer(t *testing.T) {
	c := clock.At(time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC))
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		var runs atomic.Int64
		reg := jobs.NewRegistry()
		reg.Every("identity.prune", time.Hour, func(context.Context) error {
			runs.Add(1)
			return nil
		})
		for range 3 {
			start(t, d, reg, jobs.Options{})
		}
		for hour := int64(1); hour <= 3; hour++ {
			eventually(t, "the hour's run", func() bool { return runs.Load() >= hour })
			time.Sleep(60 * time.Millisecond) // time enough for the other servers to double it
			if runs.Load() != hour {
				t.Fatalf("%d runs in hour %d", runs.Load(), hour)
			}
			c.Advance(time.Hour)
		}
	}, schema)
}

func TestAScheduleDoesNotPileUp(t *testing.T) {
	c := clock.At(time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC))
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		begun, release := make(chan struct{}, 10), make(chan struct{})
		reg := jobs.NewRegistry()
		reg.Every("identity.prune", time.Hour, func(context.Context) error {
			begun <- struct{}{}
			<-release
			return nil
		})
		start(t, d, reg, jobs.Options{Lease: 1000 * time.Hour})
		<-begun
		for range 3 {
			c.Advance(time.Hour)
			time.Sleep(30 * time.Millisecond)
		}
		if n := tally(t, d, jobs.Filter{}); n != 1 {
			t.Errorf("%d jobs, want the one that is running", n)
		}
		close(release)
	}, schema)
}

func TestAJobOfAnotherVersionIsLeftForAServerThatKnowsIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		enqueue(t, d, receipt{"T-1"})
		_, stop := start(t, d, jobs.NewRegistry(), jobs.Options{})
		time.Sleep(40 * time.Millisecond)
		stop()
		if n := tally(t, d, jobs.Filter{State: jobs.Waiting}); n != 1 {
			t.Errorf("%d jobs wait, want 1", n)
		}
	}, schema)
}

func TestTheBoardPagesAndDiscards(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		reg := jobs.NewRegistry()
		jobs.Handle(reg, func(context.Context, receipt) error { return jobs.GiveUp(errors.New("no")) }, jobs.Policy{})
		for i := range 5 {
			enqueue(t, d, receipt{fmt.Sprint(i)})
		}
		start(t, d, reg, jobs.Options{})
		dead := jobs.Filter{State: jobs.Dead}
		eventually(t, "all give up", func() bool { return tally(t, d, dead) == 5 })
		board := jobs.NewBoard(d)
		var args []string
		for offset := 0; offset < 6; offset += 2 {
			page, err := board.List(t.Context(), jobs.Filter{State: jobs.Dead, Limit: 2, Offset: offset})
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range page {
				args = append(args, j.Args)
			}
		}
		if got, want := strings.Join(args, ""), `{"Ticket":"4"}{"Ticket":"3"}{"Ticket":"2"}{"Ticket":"1"}{"Ticket":"0"}`; got != want {
			t.Errorf("the pages show %s", got)
		}
		page, err := board.List(t.Context(), jobs.Filter{})
		if err != nil || len(page) != 5 {
			t.Fatalf("%d jobs, %v", len(page), err)
		}
		if err := board.Discard(t.Context(), page[0].ID); err != nil {
			t.Error(err)
		}
		for what, do := range map[string]func(context.Context, string) error{"discard": board.Discard, "run again": board.RunAgain} {
			if err := do(t.Context(), page[0].ID); !errors.Is(err, jobs.ErrGone) {
				t.Errorf("%s a job that is gone: %v", what, err)
			}
		}
		if n := tally(t, d, dead); n != 4 {
			t.Errorf("%d are left, want 4", n)
		}
	}, schema)
}

func TestMistakesInTheWiringStopTheProgram(t *testing.T) {
	do := func(context.Context) error { return nil }
	cases := []struct {
		name string
		wire func(*jobs.Registry)
	}{
		{"a name taken twice", func(r *jobs.Registry) {
			r.Every("a.b", time.Hour, do)
			r.Every("a.b", time.Hour, do)
		}},
		{"a name without a room", func(r *jobs.Registry) { r.Every("prune", time.Hour, do) }},
		{"a schedule that is too quick", func(r *jobs.Registry) { r.Every("a.b", time.Millisecond, do) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not panic")
				}
			}()
			c.wire(jobs.NewRegistry())
		})
	}
}
