package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// together runs closures so that on SQLite they share one group: they queue
// up behind a transaction that waits for them.
func together(t *testing.T, d *db.DB, closures ...func(db.Tx) error) []error {
	t.Helper()
	errs := make([]error, len(closures))
	var wg sync.WaitGroup
	err := d.InTx(t.Context(), func(db.Tx) error {
		for i, fn := range closures {
			wg.Go(func() { errs[i] = d.InTx(t.Context(), fn) })
		}
		if d.Dialect() == db.SQLite {
			for deadline := time.Now().Add(time.Second); d.Stats().Queued < len(closures) && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			// The group of this transaction takes no more members after 10 ms.
			time.Sleep(15 * time.Millisecond)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	return errs
}

func insertUnit(t *testing.T, id string) func(db.Tx) error {
	return func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), "INSERT INTO units (id, capacity) VALUES ($1, 1)", id)
		return err
	}
}

func TestAFailedTransactionLeavesItsNeighboursAlone(t *testing.T) {
	errNo := errors.New("no")
	cases := []struct {
		name string
		fail func(t *testing.T, tx db.Tx) error
		want func(error) bool
	}{
		{"when its closure says no", func(t *testing.T, tx db.Tx) error {
			return errors.Join(insertUnit(t, "undone")(tx), errNo)
		}, func(err error) bool { return errors.Is(err, errNo) }},
		{"when a unique index refuses", func(t *testing.T, tx db.Tx) error {
			if err := insertUnit(t, "undone")(tx); err != nil {
				return err
			}
			return insertUnit(t, "there")(tx)
		}, db.IsUnique},
		{"when a foreign key refuses", func(t *testing.T, tx db.Tx) error {
			if err := insertUnit(t, "undone")(tx); err != nil {
				return err
			}
			_, err := tx.ExecContext(t.Context(), "INSERT INTO seats (unit_id, person, at) VALUES ('nowhere', 'ada', 0)")
			return err
		}, db.IsForeignKey},
		{"when it goes on after an error", func(t *testing.T, tx db.Tx) error {
			if err := insertUnit(t, "there")(tx); err == nil {
				t.Error("the duplicate was not refused")
			}
			if err := insertUnit(t, "undone")(tx); err == nil {
				t.Error("a statement ran after an error, which PostgreSQL does not allow")
			}
			return nil
		}, func(err error) bool { return errors.Is(err, db.ErrWentOn) && db.IsUnique(err) }},
		{"when a row's error is ignored", func(t *testing.T, tx db.Tx) error {
			tx.QueryRowContext(t.Context(), "INSERT INTO units (id, capacity) VALUES ('there', 1) RETURNING id")
			return nil
		}, func(err error) bool { return errors.Is(err, db.ErrWentOn) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				addUnit(t, d, "there", 1)
				closures := []func(db.Tx) error{func(tx db.Tx) error { return c.fail(t, tx) }}
				for i := range 10 {
					closures = append(closures, insertUnit(t, fmt.Sprint("n", i)))
				}
				errs := together(t, d, closures...)
				if got := d.Stats().LargestGroup; d.Dialect() == db.SQLite && got != len(closures) {
					t.Errorf("the largest group had %d members, so this proves nothing about %d", got, len(closures))
				}
				if !c.want(errs[0]) {
					t.Errorf("it got the error %v", errs[0])
				}
				for i, err := range errs[1:] {
					if err != nil {
						t.Errorf("neighbour %d failed: %v", i, err)
					}
				}
				if n := count(t, d.Read(), "SELECT COUNT(*) FROM units WHERE id LIKE 'n%'"); n != 10 {
					t.Errorf("%d neighbours are in the table, want 10", n)
				}
				if n := count(t, d.Read(), "SELECT COUNT(*) FROM units WHERE id = 'undone'"); n != 0 {
					t.Error("what was undone is in the table")
				}
			}, units)
		})
	}
}

func TestAGroupThatCannotCommitFailsOnlyTheOneAtFault(t *testing.T) {
	deferred := db.Migrations{Name: "deferred", FS: fstest.MapFS{"0001_a.sql": {Data: []byte(`
CREATE TABLE units (id TEXT PRIMARY KEY, capacity BIGINT NOT NULL,
	parent TEXT REFERENCES units (id) DEFERRABLE INITIALLY DEFERRED);`)}}}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		closures := []func(db.Tx) error{func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO units (id, capacity, parent) VALUES ('undone', 1, 'nobody')")
			return err
		}}
		for i := range 10 {
			closures = append(closures, insertUnit(t, fmt.Sprint("n", i)))
		}
		errs := together(t, d, closures...)
		if !db.IsForeignKey(errs[0]) {
			t.Errorf("the one at fault got %v", errs[0])
		}
		if err := errors.Join(errs[1:]...); err != nil {
			t.Errorf("neighbours failed: %v", err)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units"); n != 10 {
			t.Errorf("%d rows are in the table, want 10", n)
		}
	}, deferred)
}

func TestAPanicSurfacesAtItsCallerAndIsUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var caught any
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() { caught = recover() }()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				if err := insertUnit(t, "undone")(tx); err != nil {
					return err
				}
				panic("a bug")
			})
			t.Errorf("InTx returned %v", err)
		})
		errs := together(t, d, insertUnit(t, "n1"), insertUnit(t, "n2"))
		wg.Wait()
		if caught != "a bug" {
			t.Errorf("recovered %v at the caller", caught)
		}
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units"); n != 2 {
			t.Errorf("%d rows are in the table, want 2", n)
		}
	}, units)
}

func TestAClosureThatEndsItsGoroutineIsUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		wg.Go(func() {
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				if err := insertUnit(t, "undone")(tx); err != nil {
					return err
				}
				runtime.Goexit() // as t.Fatal does
				return nil
			})
			t.Errorf("InTx returned %v", err)
		})
		wg.Wait()
		addUnit(t, d, "n1", 1)
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units"); n != 1 {
			t.Errorf("%d rows are in the table, want 1", n)
		}
	}, units)
}

func TestAClosureThatHangsIsCutOffAndOthersGoOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		db.SetClosureLimit(d, 100*time.Millisecond)
		release := make(chan struct{})
		hung := make(chan error, 1)
		started := make(chan struct{})
		go func() {
			hung <- d.InTx(t.Context(), func(tx db.Tx) error {
				if err := insertUnit(t, "undone")(tx); err != nil {
					return err
				}
				close(started)
				<-release // as a call to a network that does not answer
				_, err := tx.ExecContext(t.Context(), "DELETE FROM units")
				return err
			})
		}()
		<-started
		addUnit(t, d, "n1", 1)
		time.Sleep(110 * time.Millisecond)
		close(release)
		if err := <-hung; !errors.Is(err, db.ErrTooSlow) {
			t.Errorf("the closure that hung got %v", err)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units"); n != 1 {
			t.Errorf("%d rows are in the table, want 1", n)
		}
		if s := d.Stats(); s.TooSlow != 1 {
			t.Errorf("Stats().TooSlow is %d", s.TooSlow)
		}
	}, units)
}

// endless keeps an engine busy for longer than any limit.
const endless = `INSERT INTO units (id, capacity)
WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000)
SELECT 'undone', COUNT(*) FROM n`

func TestAnEndlessStatementIsInterruptedAndOthersAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		db.SetClosureLimit(d, 200*time.Millisecond)
		errs := together(t, d,
			insertUnit(t, "n1"),
			func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), endless)
				return err
			},
			insertUnit(t, "n2"))
		if !errors.Is(errs[1], db.ErrTooSlow) {
			t.Errorf("the endless one got %v", errs[1])
		}
		if err := errors.Join(errs[0], errs[2]); err != nil {
			t.Errorf("neighbours failed: %v", err)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units WHERE id LIKE 'n%'"); n != 2 {
			t.Errorf("%d neighbours are in the table, want 2", n)
		}
	}, units)
}

func TestACancelledCallerDoesNotStart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		var inner error
		var wg sync.WaitGroup
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if d.Dialect() == db.SQLite { // only here does a second writer wait for the first
				wg.Go(func() {
					inner = d.InTx(ctx, func(db.Tx) error {
						t.Error("a closure ran for a caller who had gone")
						return nil
					})
				})
				time.Sleep(5 * time.Millisecond)
			}
			cancel()
			if err := insertUnit(t, "n1")(tx); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "DELETE FROM units")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a statement under a cancelled context got %v", err)
			}
			if err := tx.QueryRowContext(ctx, "SELECT 1").Scan(new(int)); !errors.Is(err, context.Canceled) {
				t.Errorf("a row under a cancelled context got %v", err)
			}
			return nil
		})
		wg.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if d.Dialect() == db.SQLite && !errors.Is(inner, context.Canceled) {
			t.Errorf("the waiting caller got %v", inner)
		}
		if err := d.InTx(ctx, func(db.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled caller got %v", err)
		}
	}, units)
}

func TestATransactionIsNotUsableAfterItsEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addUnit(t, d, "n1", 1)
		addUnit(t, d, "n2", 1)
		var kept db.Tx
		var rows *sql.Rows
		err := d.InTx(t.Context(), func(tx db.Tx) (err error) {
			kept = tx
			if d.Dialect() == db.SQLite { // pgx refuses to commit under open rows
				rows, err = tx.QueryContext(t.Context(), "SELECT id FROM units")
				rows.Next()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kept.ExecContext(t.Context(), "DELETE FROM units"); err == nil {
			t.Error("a statement ran after the end of its transaction")
		}
		if err := kept.QueryRowContext(t.Context(), "SELECT 1").Scan(new(int)); err == nil {
			t.Error("a row was read after the end of its transaction")
		}
		if rows != nil && rows.Next() {
			t.Error("rows left open went on after the end of their transaction")
		}
		// The same prepared statement serves the next transaction.
		err = d.InTx(t.Context(), func(tx db.Tx) error {
			if n := count(t, tx, "SELECT COUNT(*) FROM units"); n != 2 {
				t.Errorf("%d rows, want 2", n)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}, units)
}

func TestHooksRunOnlyAfterACommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		heard, stop := d.Listen("news")
		defer stop()
		ran := 0
		errNo := errors.New("no")
		for _, outcome := range []error{errNo, nil} {
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				tx.AfterCommit(func() {
					ran++
					if n := count(t, d.Read(), "SELECT COUNT(*) FROM units"); n != 1 {
						t.Errorf("the hook sees %d rows, want 1", n)
					}
				})
				tx.Announce("news")
				if err := insertUnit(t, "n1")(tx); err != nil {
					return err
				}
				return outcome
			})
			if !errors.Is(err, outcome) {
				t.Fatal(err)
			}
			select {
			case <-heard:
				if outcome != nil {
					t.Error("an undone transaction was announced")
				}
			default:
				if outcome == nil {
					t.Error("the commit was not announced")
				}
			}
		}
		if ran != 1 {
			t.Errorf("the hook ran %d times", ran)
		}
	}, units)
}

func TestCloseWaitsForTransactionsAndRefusesNewOnes(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{DSN: dbtest.SQLiteDSN(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.InTx(t.Context(), func(db.Tx) error { return nil }); !errors.Is(err, db.ErrClosed) {
		t.Errorf("InTx on a closed database returned %v", err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestReadersCannotWriteOnSQLite(t *testing.T) {
	d := dbtest.Open(t, units)
	_, err := d.Read().ExecContext(t.Context(), "DELETE FROM units")
	if err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("a write through Read() got %v", err)
	}
}

func TestASnapshotDoesNotMove(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addUnit(t, d, "n1", 1)
		err := d.InReadTx(t.Context(), func(q db.Querier) error {
			before := count(t, q, "SELECT COUNT(*) FROM units")
			addUnit(t, d, "n2", 1)
			if after := count(t, q, "SELECT COUNT(*) FROM units"); before != 1 || after != 1 {
				t.Errorf("the snapshot saw %d, then %d rows, want 1 both times", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units"); n != 2 {
			t.Errorf("%d rows after the snapshot, want 2", n)
		}
	}, units)
}
