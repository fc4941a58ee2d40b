package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var suspend = Order{Act: "suspend", Reason: "unpaid_fees", Note: "autumn", Event: journal.Event{Address: "192.0.2.7"}}

func TestWhatRunsIsWhatThePreviewShowed(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ids := o.law(account.Active, "ada", "bo", "cy")
		o.law(account.Closed, "old")
		order := o.prepared(o.viewer, suspend, inLaw)
		if got := o.outcomes(order.ID); got != "ada:planned bo:planned cy:planned old:left(impossible)" || order.Changes != 3 || order.Listed != 4 {
			t.Fatalf("the preview lists %s, %+v", got, order)
		}
		if o.run(order.ID).State != Preview || o.state(ids[0]) != account.Active {
			t.Error("a preview was carried out without being confirmed")
		}
		o.law(account.Active, "late") // after the preview
		_, err := o.Accounts.Decide(t.Context(), o.viewer, ids[1], lifecycle.Order{State: account.Closed, Reason: "left"})
		o.must(err)
		o.events, o.ended = nil, nil
		o.must(o.Start(t.Context(), o.viewer, order))
		order = o.run(order.ID)
		if got := o.outcomes(order.ID); got != "ada:done bo:refused(changed) cy:done old:left(impossible)" || order.State != Done {
			t.Errorf("the report says %s, %s", got, order.State)
		}
		if o.state(ids[0]) != account.Suspended || o.state("p-late") != account.Active || o.state(ids[1]) != account.Closed {
			t.Errorf("accounts are %s, %s, %s", o.state(ids[0]), o.state("p-late"), o.state(ids[1]))
		}
		if len(o.events) != 2 || o.events[0].Kind != "identity.account_suspended" || o.events[0].Actor != o.viewer.Person || o.events[0].Address != "192.0.2.7" || len(o.ended) != 2 {
			t.Errorf("the journal says %+v, sessions ended for %v", o.events, o.ended)
		}
		if list, err := o.Accounts.Decisions(t.Context(), ids[0]); err != nil || len(list) != 1 || list[0].Note != "autumn" {
			t.Errorf("decisions: %+v, %v", list, err)
		}
	})
}

func TestAnActIsTakenBackAsOne(t *testing.T) {
	soon := time.Date(2026, 12, 25, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		order              Order
		before, after, end account.State
		report             string
	}{
		"a suspension":     {suspend, account.Active, account.Suspended, account.Active, "ada:undone bo:undone"},
		"an announced end": {Order{Act: "expire", Reason: "left", Until: soon}, account.Active, account.Expiring, account.Active, "ada:undone bo:undone"},
		"a closing":        {Order{Act: "close", Reason: "left"}, account.Invited, account.Closed, account.Invited, "ada:undone bo:undone"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, o *office) {
				ids := o.law(c.before, "ada", "bo")
				order := o.prepared(o.viewer, c.order, inLaw)
				o.must(o.Start(t.Context(), o.viewer, order))
				order = o.run(order.ID)
				if got := o.state(ids[0]); got != c.after {
					t.Fatalf("the account is %s", got)
				}
				o.now.Advance(24 * time.Hour)
				o.must(o.Undo(t.Context(), o.viewer, order, journal.Event{}))
				order = o.run(order.ID)
				if got := o.outcomes(order.ID); got != c.report || order.State != Undone || o.state(ids[1]) != c.end {
					t.Errorf("the report says %s; the order is %s, the account %s", got, order.State, o.state(ids[1]))
				}
				if err := o.Undo(t.Context(), o.viewer, order, journal.Event{}); !errors.Is(err, Settled) {
					t.Errorf("taken back twice: %v", err)
				}
			})
		})
	}
}

func TestAReopeningIsTakenBackInTheWordsOfBefore(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ids := o.law(account.Active, "ada", "bo")
		_, err := o.Accounts.Decide(t.Context(), o.viewer, ids[0], lifecycle.Order{State: account.Suspended, Reason: "discipline"})
		o.must(err)
		order := o.prepared(o.viewer, Order{Act: actReopen}, inLaw)
		if got := o.outcomes(order.ID); got != "ada:planned bo:left(impossible)" {
			t.Fatalf("the preview lists %s", got)
		}
		o.must(o.Start(t.Context(), o.viewer, order))
		order = o.run(order.ID)
		if got := o.state(ids[0]); got != account.Active {
			t.Fatalf("the account is %s", got)
		}
		o.must(o.Undo(t.Context(), o.viewer, order, journal.Event{}))
		o.run(order.ID)
		s, err := o.Accounts.Standing(t.Context(), ids[0])
		if err != nil || s.State != account.Suspended || s.Reason != "discipline" {
			t.Errorf("the account stands as %+v, %v", s, err)
		}
	})
}

func TestARegistrationIsExtendedAndEndsAgainWhenItDid(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ids := o.law(account.Active, "ada", "bo", "cy", "di")
		march, july := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 8, 1, 0, 0, 0, 0, time.UTC)
		o.must(o.DB.InTx(t.Context(), func(tx db.Tx) error {
			return errors.Join(
				lifecycle.Register(t.Context(), tx, ids[0], campus.Student, march, "import"),
				lifecycle.Register(t.Context(), tx, ids[1], campus.Student, time.Time{}, "import"),
				lifecycle.Register(t.Context(), tx, ids[2], campus.Student, march, "import"),
			)
		}))
		order := o.prepared(o.viewer, Order{Act: actExtend, Kind: campus.Student, Until: july}, inLaw)
		if got := o.outcomes(order.ID); got != "ada:planned bo:left(registered_longer) cy:planned di:left(unregistered)" {
			t.Fatalf("the preview lists %s", got)
		}
		o.must(o.DB.InTx(t.Context(), func(tx db.Tx) error { // the source is read meanwhile
			return lifecycle.Register(t.Context(), tx, ids[2], campus.Student, march.AddDate(0, 1, 0), "import")
		}))
		o.must(o.Start(t.Context(), o.viewer, order))
		order = o.run(order.ID)
		if got := o.outcomes(order.ID); !strings.HasPrefix(got, "ada:done bo:left(registered_longer) cy:refused(registration_changed)") {
			t.Errorf("the report says %s", got)
		}
		ends, err := o.Accounts.Ends(t.Context(), ids, campus.Student)
		if err != nil || !ends[ids[0]].Equal(july) || !ends[ids[1]].IsZero() || len(ends) != 3 {
			t.Errorf("registrations end %v, %v", ends, err)
		}
		if last := o.events[len(o.events)-1]; last.Kind != "identity.registration_extended" || last.Facts["until"] != "2027-07-31" || last.Actor != o.viewer.Person {
			t.Errorf("the journal says %+v", last)
		}
		o.must(o.Undo(t.Context(), o.viewer, order, journal.Event{}))
		o.run(order.ID)
		if ends, err = o.Accounts.Ends(t.Context(), ids, campus.Student); err != nil || !ends[ids[0]].Equal(march) {
			t.Errorf("after taking it back: %v, %v", ends, err)
		}
	})
}

func TestARunThatWasCutOffGoesOnWhereItStopped(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ids := o.law(account.Active, "ada", "bo", "cy")
		order := o.prepared(o.viewer, suspend, inLaw)
		o.must(o.Start(t.Context(), o.viewer, order))
		o.broken = ids[1]
		if err := o.carryOut(t.Context(), carryOut{order.ID}); err == nil {
			t.Fatal("a failure of the house passed for an outcome")
		}
		if got := o.outcomes(order.ID); got != "ada:done bo:planned cy:planned" || o.state(ids[1]) != account.Active {
			t.Fatalf("cut off: %s, %s", got, o.state(ids[1]))
		}
		o.broken = ""
		if order = o.run(order.ID); o.outcomes(order.ID) != "ada:done bo:done cy:done" || order.State != Done {
			t.Errorf("resumed: %s", o.outcomes(order.ID))
		}
		list, err := o.Accounts.Decisions(t.Context(), ids[0])
		if err != nil || len(list) != 1 {
			t.Errorf("somebody was decided about %d times, %v", len(list), err)
		}
	})
}

func TestAClerkOfOneProgrammeReachesNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ids := o.law(account.Active, "ada")
		maths := o.add("max", account.Active, campus.Affiliation{Kind: campus.Student, Programme: "L3-MATH"})
		clerk := o.officer("clerk", []campus.Mandate{{Right: campus.RightSecretariat, Programme: "L1-DROIT"}})
		order := o.prepared(clerk, suspend, Choice{Ticked: []campus.PersonID{ids[0], maths, "p-unknown"}})
		if got := o.outcomes(order.ID); got != "ada:planned max:left(elsewhere)" {
			t.Fatalf("the preview lists %s", got)
		}
		lines, err := o.lines(t.Context(), clerk, order.ID, "", Most, 0)
		if err != nil || lines[0].Login != "ada" || lines[1].Name+lines[1].Login != "" {
			t.Errorf("the clerk reads %+v, %v", lines, err)
		}
		o.must(o.Start(t.Context(), clerk, order))
		// The mandate is taken away between the confirmation and the run.
		o.people[clerk.Person] = account.Person{}
		o.run(order.ID)
		if got := o.outcomes(order.ID); got != "ada:refused(reserved) max:left(elsewhere)" || o.state(ids[0]) != account.Active {
			t.Errorf("without the mandate: %s", got)
		}
		other := o.officer("other", []campus.Mandate{{Right: campus.RightSecretariat, Programme: "L1-DROIT"}})
		if _, err := o.Order(t.Context(), other, order.ID); !errors.Is(err, Missing) {
			t.Errorf("a clerk opens a colleague's order: %v", err)
		}
		if _, err := o.Prepare(t.Context(), campus.Viewer{Person: "p-max"}, suspend, inLaw); !errors.Is(err, lifecycle.Reserved) {
			t.Errorf("a student prepares an order: %v", err)
		}
	})
}

func TestNobodyIsReachedByTheirOwnAct(t *testing.T) {
	o := single(t)
	order := o.prepared(o.viewer, suspend, Choice{})
	if got := o.outcomes(order.ID); got != "sec:left(oneself)" {
		t.Errorf("the preview lists %s", got)
	}
}

func TestPreviewsAndReportsCountForATime(t *testing.T) {
	o := single(t)
	o.law(account.Active, "ada")
	order := o.prepared(o.viewer, suspend, inLaw)
	colleague := o.officer("colleague", nil, campus.RightSecretariat)
	if err := o.Start(t.Context(), colleague, order); !errors.Is(err, Missing) {
		t.Errorf("a colleague starts it: %v", err)
	}
	if err := o.Undo(t.Context(), o.viewer, order, journal.Event{}); !errors.Is(err, Settled) {
		t.Errorf("a preview is taken back: %v", err)
	}
	o.now.Advance(freshFor)
	if err := o.Start(t.Context(), o.viewer, order); !errors.Is(err, Stale) {
		t.Errorf("an old preview starts: %v", err)
	}
	order.AskedAt = o.now.Now() // the page's word does not count, the row's does
	if err := o.Start(t.Context(), o.viewer, order); !errors.Is(err, Settled) {
		t.Errorf("an old preview starts: %v", err)
	}
	order = o.prepared(o.viewer, suspend, inLaw)
	o.must(o.Start(t.Context(), o.viewer, order))
	if err := o.Start(t.Context(), o.viewer, order); !errors.Is(err, Settled) {
		t.Errorf("started twice: %v", err)
	}
	order = o.run(order.ID)
	o.now.Advance(undoFor)
	if err := o.Undo(t.Context(), o.viewer, order, journal.Event{}); !errors.Is(err, TooLate) {
		t.Errorf("taken back after the time: %v", err)
	}
	o.must(o.prune(t.Context()))
	var left int
	o.must(o.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM identity_bulk_orders").Scan(&left))
	if left != 1 {
		t.Errorf("%d orders are left, and one report was to stay", left)
	}
	o.now.Advance(keepFor)
	o.must(o.prune(t.Context()))
	o.must(o.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM identity_bulk_people").Scan(&left))
	if left != 0 {
		t.Errorf("%d people are left of old orders", left)
	}
}

func TestAnOrderIsBounded(t *testing.T) {
	o := single(t)
	var many []campus.PersonID
	for i := range Most + 1 {
		many = append(many, campus.PersonID(fmt.Sprint("p-", i)))
	}
	if _, err := o.Prepare(t.Context(), o.viewer, suspend, Choice{Ticked: many}); !errors.Is(err, TooMany) {
		t.Errorf("more than may be ticked: %v", err)
	}
	if _, err := o.Prepare(t.Context(), o.viewer, suspend, inLaw); !errors.Is(err, Nobody) {
		t.Errorf("nobody: %v", err)
	}
	o.must(o.DB.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
SELECT 'n-' || i, 'n' || i, 'n' || i || '@valmont.example', '', '', '', '', 'n', 'invited', 'en', 'system', 1, 1 FROM n`, Most)
		return err
	}))
	if _, err := o.Prepare(t.Context(), o.viewer, suspend, Choice{}); !errors.Is(err, TooMany) { // and the officer
		t.Errorf("more than may be found: %v", err)
	}
	if order := o.prepared(o.viewer, suspend, Choice{Filter: lifecycle.Filter{State: account.Invited}}); order.Changes != Most {
		t.Errorf("the whole of an order has %d people", order.Changes)
	}
}

func TestAnExportTellsWhatReachedSomebodyAndWhatTheyAskedFor(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ids := o.law(account.Active, "ada")
		o.prepared(o.viewer, Order{Act: "close", Reason: "left"}, inLaw) // a preview reaches nobody
		order := o.prepared(o.viewer, suspend, inLaw)
		o.must(o.Start(t.Context(), o.viewer, order))
		o.run(order.ID)
		for who, want := range map[campus.PersonID][2]string{ids[0]: {`"suspend"`, "null"}, o.viewer.Person: {"null", `"close"`}} {
			files := map[string]*bytes.Buffer{}
			o.must(o.Export(t.Context(), who, &contract.Archive{Create: func(name string) (io.Writer, error) {
				files[name] = &bytes.Buffer{}
				return files[name], nil
			}}))
			reached, asked := files["bulk_acts.json"].String(), files["bulk_acts_asked_for.json"].String()
			if !strings.Contains(reached, want[0]) || !strings.Contains(asked, want[1]) || strings.Contains(reached, `"close"`) || strings.Contains(reached+asked, "autumn") {
				t.Errorf("%s gets %s and %s", who, reached, asked)
			}
		}
	})
}
