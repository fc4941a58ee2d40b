package bulk

import (
	"fmt"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// reopen opens the office of a database that a process before may have left in the
// middle of an order.
func reopen(t *testing.T, dsn string) *office {
	t.Helper()
	now := sunday()
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(t.Context(), schemas); err != nil {
		t.Fatal(err)
	}
	return open(t, now, d)
}

func (o *office) count(query string) (n int) {
	o.t.Helper()
	o.must(o.DB.Read().QueryRowContext(o.t.Context(), query).Scan(&n))
	return n
}

// TestChildCarriesOut is the child of the test below; by itself it does nothing. It
// goes on with the order that waits, and tells how far it is.
func TestChildCarriesOut(t *testing.T) {
	o := reopen(t, dbtest.ChildDSN(t))
	var order string
	o.must(o.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM identity_bulk_orders").Scan(&order))
	go func() {
		for {
			fmt.Println("done", o.count("SELECT COUNT(*) FROM identity_bulk_people WHERE outcome IN ('done', 'undone')"))
			time.Sleep(time.Millisecond)
		}
	}()
	o.must(o.carryOut(t.Context(), carryOut{order}))
	select {}
}

func TestAKillInTheMiddleOfAnActReachesEverybodyOnce(t *testing.T) {
	const many = 300
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		o := reopen(t, dsn)
		var logins []string
		for i := range many {
			logins = append(logins, fmt.Sprintf("s%03d", i))
		}
		o.law(account.Active, logins...)
		order := o.prepared(o.viewer, suspend, inLaw)
		o.must(o.Start(t.Context(), o.viewer, order))
		// Each person is marked, changed and noted in one transaction.
		whole := func(marked, state string) {
			t.Helper()
			n := o.count(`SELECT COUNT(*) FROM identity_bulk_people b JOIN identity_people p ON p.id = b.person_id WHERE (b.outcome = '` + marked + `') <> (p.state = '` + state + `')`)
			if n != 0 {
				t.Errorf("%d people are marked without being %s, or the other way round", n, state)
			}
		}
		killed := func(at int) {
			t.Helper()
			dbtest.KillChild(t, "TestChildCarriesOut", dsn, func(line string) bool {
				var done int
				_, err := fmt.Sscanf(line, "done %d", &done)
				return err == nil && done >= at
			})
		}
		killed(many / 3)
		whole("done", "suspended")
		killed(2 * many / 3) // and once more
		whole("done", "suspended")
		if made := o.run(order.ID); made.State != Done {
			t.Fatalf("the order is %s", made.State)
		}
		whole("done", "suspended")
		for what, query := range map[string]string{
			"people of the order":          "SELECT COUNT(*) FROM identity_bulk_people WHERE outcome = 'done'",
			"decisions":                    "SELECT COUNT(*) FROM identity_decisions WHERE state = 'suspended'",
			"people with just one of them": "SELECT COUNT(DISTINCT person_id) FROM identity_decisions WHERE state = 'suspended' AND lifted_at = 0",
		} {
			if n := o.count(query); n != many {
				t.Errorf("%d %s, want %d", n, what, many)
			}
		}

		order = o.run(order.ID)
		o.must(o.Undo(t.Context(), o.viewer, order, journal.Event{}))
		undone := o.count("SELECT COUNT(*) FROM identity_bulk_people WHERE outcome = 'undone'")
		if undone != 0 {
			t.Fatalf("%d people are taken back before the job", undone)
		}
		killed(many) // "done" and "undone" together: at once, while it takes people back
		if o.run(order.ID).State != Undone {
			t.Error("the order was not taken back")
		}
		if n := o.count("SELECT COUNT(*) FROM identity_people WHERE state = 'active'"); n != many+1 {
			t.Errorf("%d accounts are open again", n)
		}
		if n := o.count("SELECT COUNT(*) FROM identity_decisions WHERE lifted_at = 0"); n != 0 {
			t.Errorf("%d decisions still hold", n)
		}
	})
}
