package worker

import (
	"os"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// tables are the schema steps of the room, which imports this package.
var tables = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "provisioning", FS: os.DirFS("..")}}

// A worker that found nothing to do any more still has its target when another comes
// with new work, is turned away, and ends. The first one must not leave that work behind.
func TestWorkThatCameWhileTheTargetWasTakenIsDoneAtOnce(t *testing.T) {
	c := clock.At(time.Date(2026, time.September, 7, 8, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		ctx, l := t.Context(), ledger.New(d)
		w := New(Deps{DB: d, Clock: c, Ledger: l}, []Service{{ID: "moodle", Together: 1}})
		s := w.services["moodle"]
		if err := l.Furnish(ctx, s.ID, "setting"); err != nil {
			t.Fatal(err)
		}
		taken, err := l.TakeLease(ctx, s.ID, "first", leaseLast)
		if err != nil || !taken {
			t.Fatalf("the target is free, and is not given: %v", err)
		}
		// Here the first worker looked for the last time. Now somebody has to have an account.
		put(t, w, due.Due)
		if err := w.work(ctx, workJob{s.ID}); err != nil {
			t.Fatalf("the second worker: %v", err)
		}
		if n := waiting(t, d); n != 0 {
			t.Fatalf("the second worker was not turned away: %d jobs wait", n)
		}
		if err := w.leave(ctx, s, "first", drained); err != nil {
			t.Fatal(err)
		}
		if n := waiting(t, d); n != 1 {
			t.Errorf("%d jobs wait for the account that is due, want one", n)
		}
		if taken, err := l.TakeLease(ctx, s.ID, "third", leaseLast); err != nil || !taken {
			t.Errorf("the target was not given up: %v", err)
		}
	}, tables...)
}

func TestWhatIsLeftWhenATargetIsGivenUp(t *testing.T) {
	for _, c := range []struct {
		name string
		due  []due.Verdict // of one person, one after the other
		how  ending
		want int
	}{
		{"nothing is due", nil, drained, 0},
		{"an account is to be made", []due.Verdict{due.Due}, drained, 1},
		{"one is to be made while the brake holds others", []due.Verdict{due.Due}, braked, 1},
		{"one is to be closed", []due.Verdict{due.Due, due.Closed}, drained, 1},
		{"the brake holds it", []due.Verdict{due.Due, due.Closed}, braked, 0},
		{"the service wants to be left alone", []due.Verdict{due.Due}, aside, 0},
		{"it was time to make room", nil, more, 1},
	} {
		d := dbtest.Open(t, tables...)
		w := New(Deps{DB: d, Ledger: ledger.New(d)}, []Service{{ID: "moodle"}})
		for _, v := range c.due {
			put(t, w, v)
		}
		if err := w.leave(t.Context(), w.services["moodle"], "mine", c.how); err != nil {
			t.Fatal(err)
		}
		if n := waiting(t, d); n != c.want {
			t.Errorf("%s: %d jobs wait, want %d", c.name, n, c.want)
		}
	}
}

// put writes down what the rule says of Lina. What is no longer due had an account.
func put(t *testing.T, w *Worker, v due.Verdict) {
	t.Helper()
	ctx, s := t.Context(), w.services["moodle"]
	err := w.DB.InTx(ctx, func(tx db.Tx) error {
		line, there, err := w.Ledger.Of(ctx, tx, s.ID, "0198-lina")
		if err != nil {
			return err
		}
		line.TargetID, line.Person, line.Login = s.ID, "0198-lina", "lina"
		if there {
			line.Settle(ledger.Outcome{Work: line, Remote: "7"}, s.Terms, tx.Now())
		}
		line.Decide(v, "digest", s.Terms, false, tx.Now())
		return w.Ledger.Put(ctx, tx, line)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waiting counts the jobs that go on with a target.
func waiting(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	if err := d.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM jobs WHERE name = $1 AND state = 'waiting'", workJob{}.JobName()).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
