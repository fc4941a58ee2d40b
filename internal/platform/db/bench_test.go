package db_test

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// BenchmarkSeats takes seats durably, one transaction each: by one writer
// after the other, so that every transaction pays for its own commit, and by
// 64 at once, so that they share. ns/op is the inverse of the throughput.
func BenchmarkSeats(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		if engine == "postgres" && os.Getenv(dbtest.Env) == "" {
			continue
		}
		for _, writers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d writers", engine, writers), func(b *testing.B) {
				dsn := dbtest.SQLiteDSN(b)
				if engine == "postgres" {
					dsn = dbtest.PostgresDSN(b)
				}
				benchmarkSeats(b, dsn, writers)
			})
		}
	}
}

func benchmarkSeats(b *testing.B, dsn string, writers int) {
	ctx := b.Context()
	d, err := db.Open(ctx, db.Config{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(ctx, []db.Migrations{units}); err != nil {
		b.Fatal(err)
	}
	err = d.InTx(ctx, func(tx db.Tx) error {
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
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				err := d.InTx(ctx, func(tx db.Tx) error {
					return takeSeat(ctx, tx, fmt.Sprint("uv", i%200), fmt.Sprint("p", i))
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	s := d.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64(s.Committed)/float64(s.Commits), "tx/commit")
}
