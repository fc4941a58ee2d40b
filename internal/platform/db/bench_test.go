package db_test

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// BenchmarkSeats takes seats durably, one transaction each: a guarded update
// and an insert. ns/op is the inverse of the throughput.
func BenchmarkSeats(b *testing.B) {
	cases := []struct {
		name     string
		dsn      func(testing.TB) string
		writers  int
		oneByOne bool
	}{
		{"sqlite, a lone writer", dbtest.SQLiteDSN, 1, false},
		{"sqlite, 64 writers one by one", dbtest.SQLiteDSN, 64, true},
		{"sqlite, 64 writers in groups", dbtest.SQLiteDSN, 64, false},
		{"postgres, a lone writer", dbtest.PostgresDSN, 1, false},
		{"postgres, 64 writers", dbtest.PostgresDSN, 64, false},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			d, err := db.Open(b.Context(), db.Config{DSN: c.dsn(b), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			if c.oneByOne {
				db.CommitOneByOne(d)
			}
			benchmarkSeats(b, d, c.writers)
		})
	}
}

func benchmarkSeats(b *testing.B, d *db.DB, writers int) {
	ctx := b.Context()
	if err := d.Migrate(ctx, []db.Migrations{units}); err != nil {
		b.Fatal(err)
	}
	err := d.InTx(ctx, func(tx db.Tx) error {
		for i := range 200 {
			if _, err := tx.ExecContext(ctx, "INSERT INTO units (id, capacity) VALUES ($1, $2)", fmt.Sprint("uv", i), b.N+1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	before := d.Stats()
	var next atomic.Int64
	var wg sync.WaitGroup
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				started := time.Now()
				err := d.InTx(ctx, func(tx db.Tx) error {
					return takeSeat(ctx, tx, fmt.Sprint("uv", i%200), fmt.Sprint("p", i))
				})
				if err != nil {
					b.Error(err)
					return
				}
				took[i-1] = time.Since(started)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	after := d.Stats()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64(after.Committed-before.Committed)/float64(after.Commits-before.Commits), "tx/commit")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}
