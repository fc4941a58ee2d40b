package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// journalByRule stands for no person and no browser.
var journalByRule journal.Event

// TellDecision writes to somebody what was decided, unless it was undone.
type TellDecision struct {
	Decision string          `json:"decision"`
	Person   campus.PersonID `json:"person"`
}

// JobName is the job's name.
func (TellDecision) JobName() string { return "identity.tell_decision" }

// TellLifted writes to somebody that a decision was taken back, or has ended.
type TellLifted struct {
	Decision string          `json:"decision"`
	Person   campus.PersonID `json:"person"`
}

// JobName is the job's name.
func (TellLifted) JobName() string { return "identity.tell_lifted" }

// Jobs registers the alcove's jobs.
func (l *Lifecycle) Jobs(reg *jobs.Registry) {
	jobs.Handle(reg, l.tellDecision, jobs.Policy{})
	jobs.Handle(reg, l.tellLifted, jobs.Policy{})
	reg.Every("identity.decisions", time.Minute, l.applyDue)
	reg.EveryWith("identity.lifecycle_rules", 24*time.Hour, l.runRules, jobs.Policy{Timeout: 30 * time.Minute})
	reg.EveryWith("identity.lifecycle_notices", 24*time.Hour, l.remind, jobs.Policy{Timeout: 30 * time.Minute})
}

// applyDue brings about what was decided for a date that has come: a suspension
// begins or ends, an announced end arrives.
func (l *Lifecycle) applyDue(ctx context.Context) error {
	for {
		ids, err := sqlgen.New(l.DB.Read()).DueDecisions(ctx, db.At(l.Clock.Now()))
		if err != nil {
			return fmt.Errorf("find decisions that are due: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		for _, row := range ids {
			err := l.DB.InTx(ctx, func(tx db.Tx) error { return l.arrive(ctx, tx, campus.PersonID(row.PersonID), row.ID) })
			if err != nil && !errors.Is(err, Lifted) {
				return fmt.Errorf("bring about decision %s: %w", row.ID, err)
			}
		}
	}
}

// arrive brings about one decision whose date has come.
func (l *Lifecycle) arrive(ctx context.Context, tx db.Tx, who campus.PersonID, id string) error {
	state, err := hold(ctx, tx, who)
	if err != nil {
		return err
	}
	d, err := decision(ctx, tx, who, id)
	if err != nil {
		return err
	}
	e := journal.Event{Actor: d.DecidedBy}
	if d.Until.IsZero() || d.Until.After(tx.Now().Time()) {
		return l.settle(ctx, tx, who, state, d.Base, e)
	}
	if err := liftRow(ctx, tx, d.ID, "", ""); err != nil {
		return err
	}
	if d.State == account.Expiring {
		if state == account.Closed {
			return nil
		}
		// The suspension of an ending account goes on after its closing, as a
		// decision of its own.
		_, err := l.decide(ctx, tx, who, state, d.Reason, Order{State: account.Closed, Event: e}, d.Rule, l.keepOf(d.Rule))
		return err
	}
	if err := l.settle(ctx, tx, who, state, d.Base, e); err != nil {
		return err
	}
	return jobs.Enqueue(ctx, tx, TellLifted{Decision: d.ID, Person: who})
}

// keepOf is how many days a rule keeps data; 0 for the general figure.
func (l *Lifecycle) keepOf(rule string) int {
	r, err := l.rule(rule)
	if err != nil { // a person's decision, or a rule that is no more
		return 0
	}
	return r.KeepDays
}

// ordinaryNotices remind of an end that a person decided, in days before it.
var ordinaryNotices = []int{60, 30, 7}

// remind writes to the owners of ending accounts, on the days that the rule
// names. Each notice goes once; when nights were missed, only the latest goes.
func (l *Lifecycle) remind(ctx context.Context) error {
	now := l.Clock.Now()
	for after := ""; ; {
		list, err := decisionsOf(sqlgen.New(l.DB.Read()).EndingDecisions(ctx, sqlgen.EndingDecisionsParams{
			Now: db.At(now), Horizon: db.At(now.AddDate(2, 0, 0)), After: after}))
		if err != nil || len(list) == 0 {
			return err
		}
		for _, d := range list {
			after = d.ID
			notices := ordinaryNotices
			if r, err := l.rule(d.Rule); err == nil {
				notices = r.notices()
			}
			if due := dueNotices(notices, daysLeft(now, d.Until, l.Zone)); len(due) > 0 && !d.ToldAt.IsZero() {
				if err := l.DB.InTx(ctx, func(tx db.Tx) error { return l.remindOf(ctx, tx, d, due) }); err != nil {
					return fmt.Errorf("remind of decision %s: %w", d.ID, err)
				}
			}
		}
	}
}

// dueNotices are the notices whose day has come.
func dueNotices(notices []int, left int) []int {
	var due []int
	for _, n := range notices {
		if left <= n {
			due = append(due, n)
		}
	}
	return due
}

// remindOf sends one letter unless the latest of the due notices was sent.
func (l *Lifecycle) remindOf(ctx context.Context, tx db.Tx, d Decision, due []int) error {
	var latest int64
	for _, days := range due { // from the earliest to the latest
		n, err := sqlgen.New(tx).AddNotice(ctx, sqlgen.AddNoticeParams{DecisionID: d.ID, Days: int32(days), SentAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("note a notice: %w", err)
		}
		latest = n
	}
	if latest == 0 {
		return nil
	}
	return l.tell(ctx, tx, d, "account_ending_soon")
}
