package jobs_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// BenchmarkJobs enqueues empty jobs, one transaction each, from 64 callers
// while a runner works them off, until the last is done.
func BenchmarkJobs(b *testing.B) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		b.Run(engine, func(b *testing.B) {
			d, err := db.Open(b.Context(), db.Config{DSN: dsn(b), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			if err := d.Migrate(b.Context(), []db.Migrations{schema}); err != nil {
				b.Fatal(err)
			}
			benchmarkJobs(b, d)
		})
	}
}

// nothing is a job without facts.
type nothing struct{}

func (nothing) JobName() string { return "bench.nothing" }

func benchmarkJobs(b *testing.B, d *db.DB) {
	var worked atomic.Int64
	finished := make(chan struct{})
	reg := jobs.NewRegistry()
	jobs.Handle(reg, func(context.Context, nothing) error {
		if worked.Add(1) == int64(b.N) {
			close(finished)
		}
		return nil
	}, jobs.Policy{})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(d, reg, slog.New(slog.DiscardHandler), jobs.Options{}).Run(ctx)
	}()
	var next atomic.Int64
	b.ResetTimer()
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for next.Add(1) <= int64(b.N) {
				err := d.InTx(ctx, func(tx db.Tx) error { return jobs.Enqueue(ctx, tx, nothing{}) })
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	callers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "enqueued/s")
	<-finished
	b.StopTimer()
	cancel()
	<-ended
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// BenchmarkAJobAfterItsTransaction is the time from asking for one job on an
// idle server to its handler's start, the commit included.
func BenchmarkAJobAfterItsTransaction(b *testing.B) {
	d, err := db.Open(b.Context(), db.Config{DSN: dbtest.SQLiteDSN(b), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(b.Context(), []db.Migrations{schema}); err != nil {
		b.Fatal(err)
	}
	started := make(chan struct{})
	reg := jobs.NewRegistry()
	jobs.Handle(reg, func(context.Context, nothing) error {
		started <- struct{}{}
		return nil
	}, jobs.Policy{})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(d, reg, slog.New(slog.DiscardHandler), jobs.Options{}).Run(ctx)
	}()
	for b.Loop() {
		if err := d.InTx(ctx, func(tx db.Tx) error { return jobs.Enqueue(ctx, tx, nothing{}) }); err != nil {
			b.Fatal(err)
		}
		<-started
	}
	cancel()
	<-ended
}
