package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// units is a room with seats to take, parents and children.
var units = db.Migrations{Name: "units", FS: fstest.MapFS{"0001_units.sql": {Data: []byte(`
CREATE TABLE units (
	id       TEXT PRIMARY KEY,
	capacity BIGINT NOT NULL,
	taken    BIGINT NOT NULL DEFAULT 0,
	open     BOOLEAN NOT NULL DEFAULT TRUE,
	title    TEXT COLLATE "C" NOT NULL DEFAULT '',
	picture  BYTEA
);
CREATE TABLE seats (
	unit_id TEXT NOT NULL REFERENCES units (id),
	person  TEXT NOT NULL,
	at      BIGINT NOT NULL,
	PRIMARY KEY (unit_id, person)
);
`)}}}

func addUnit(t *testing.T, d *db.DB, id string, capacity int) {
	t.Helper()
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), "INSERT INTO units (id, capacity) VALUES ($1, $2)", id, capacity)
		return err
	})
	if err != nil {
		t.Fatalf("add unit %s: %v", id, err)
	}
}

var errFull = errors.New("no seat left")

// takeSeat is the way every seat, quota and counter is taken: the guarded
// update first, then the row.
func takeSeat(ctx context.Context, tx db.Tx, unit, person string) error {
	res, err := tx.ExecContext(ctx, "UPDATE units SET taken = taken + 1 WHERE id = $1 AND taken < capacity", unit)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errFull)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO seats (unit_id, person, at) VALUES ($1, $2, $3)", unit, person, tx.Now())
	return err
}

func count(t *testing.T, q db.Querier, query string, args ...any) int {
	t.Helper()
	var n int
	if err := q.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestNoSeatIsSoldTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addUnit(t, d, "uv1", 100)
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken, refused := 0, 0
		for g := range 64 {
			wg.Go(func() {
				for i := range 5 {
					err := d.InTx(t.Context(), func(tx db.Tx) error {
						return takeSeat(t.Context(), tx, "uv1", fmt.Sprintf("p%d-%d", g, i))
					})
					mu.Lock()
					switch {
					case err == nil:
						taken++
					case errors.Is(err, errFull):
						refused++
					default:
						t.Errorf("take a seat: %v", err)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if taken != 100 || refused != 220 {
			t.Errorf("%d seats taken and %d refused, want 100 and 220", taken, refused)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM seats"); n != 100 {
			t.Errorf("%d seats are in the table, want 100", n)
		}
		if n := count(t, d.Read(), "SELECT taken FROM units WHERE id = $1", "uv1"); n != 100 {
			t.Errorf("the counter says %d, want 100", n)
		}
	}, units)
}

func TestATransactionHasOneInstant(t *testing.T) {
	noon := time.Date(2026, 9, 1, 12, 0, 0, 123456789, time.FixedZone("CEST", 7200))
	c := clock.At(noon)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(noon)
		addUnit(t, d, "uv1", 1)
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			before := tx.Now()
			c.Advance(time.Hour)
			if tx.Now() != before {
				t.Errorf("the instant moved from %v to %v", before.Time(), tx.Now().Time())
			}
			return takeSeat(t.Context(), tx, "uv1", "ada")
		})
		if err != nil {
			t.Fatal(err)
		}
		var at db.Time
		if err := d.Read().QueryRowContext(t.Context(), "SELECT at FROM seats WHERE at = $1", db.At(noon)).Scan(&at); err != nil {
			t.Fatal(err)
		}
		if want := noon.Truncate(time.Microsecond).UTC(); !at.Time().Equal(want) || at.Time().Location() != time.UTC {
			t.Errorf("read back %v, want %v", at.Time(), want)
		}
	}, units)
}
