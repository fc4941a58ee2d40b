package register

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// diesMidway is the child of the test below.
func TestARunThatIsKilledInTheMiddle(t *testing.T) {
	dsn := dbtest.ChildDSN(t)
	now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, d, now)
	h.papers["hr"].records = some(3000)
	go func() {
		for {
			var n int
			if err := d.Read().QueryRowContext(context.Background(), "SELECT COUNT(*) FROM people_test").Scan(&n); err == nil && n > 500 {
				fmt.Println("half way")
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	if _, err := h.Run(t.Context(), Order{Source: "hr"}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // to be killed anyway
}

func TestARunThatWasKilledInTheMiddleGoesOn(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
		open := func() *db.DB {
			d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: now})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		d := open()
		if err := errors.Join(d.Migrate(t.Context(), testSchema()), d.Close()); err != nil {
			t.Fatal(err)
		}
		dbtest.KillChild(t, "TestARunThatIsKilledInTheMiddle", dsn, func(line string) bool { return strings.Contains(line, "half way") })
		d = open()
		defer func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}()
		h := newHouse(t, d, now)
		done := h.count("SELECT COUNT(*) FROM people_test")
		runs, _, err := h.Runs(t.Context(), "hr", 1, 10)
		if err != nil || len(runs) != 1 || runs[0].State != Applying || done >= 3000 || done < 500 {
			t.Fatalf("it was killed too late: %d people, %+v, %v", done, runs, err)
		}
		if _, err := h.Resume(t.Context(), runs[0].ID); !errors.Is(err, RunUnderWay) {
			t.Errorf("resumed while the other may live: %v", err)
		}
		now.Advance(leaseTime + time.Second)
		r, err := h.Resume(t.Context(), runs[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, Done, 3000, 0, 0, 0, 0)
		if n := h.count("SELECT COUNT(*) FROM people_test"); n != 3000 || r.Counts.Applied != 3000 {
			t.Errorf("%d people, %d applied", n, r.Counts.Applied)
		}
		want(t, h.read("hr", some(3000)...), Done, 0, 0, 0, 0, 0)
	})
}
