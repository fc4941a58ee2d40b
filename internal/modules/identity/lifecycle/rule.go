package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Act is what a rule does to one account.
type Act string

// The acts of a rule.
const (
	Announce Act = "announce" // the account becomes an ending one, and its owner is told
	Close    Act = "close"    // it is closed: an account that nobody activated needs no notice
)

// Step is one act of a rule on one account.
type Step struct {
	Act    Act
	Person campus.PersonID
	Login  string
	Name   string
	Kind   campus.Kind
	Ended  time.Time // when the last registration ended
	Closes time.Time // when the account closes, or is closed
}

// Plan says what a rule does at an instant. The nightly run and its preview both
// use it, so the preview is what will happen.
func (l *Lifecycle) Plan(ctx context.Context, r RuleConfig, now time.Time) ([]Step, error) {
	var steps []Step
	q := sqlgen.New(l.DB.Read())
	for after := ""; ; {
		rows, err := q.Unregistered(ctx, sqlgen.UnregisteredParams{Now: db.At(now), After: after})
		if err != nil {
			return nil, fmt.Errorf("find who is no longer registered: %w", err)
		}
		if len(rows) == 0 {
			return steps, nil
		}
		for _, row := range rows {
			after = row.ID
			p := account.Person{GivenName: row.GivenName, FamilyName: row.FamilyName, State: account.State(row.State)}
			s := Step{Person: campus.PersonID(row.ID), Login: row.Login, Name: p.DisplayName(), Kind: campus.Kind(row.Kind), Ended: row.UntilAt.Time()}
			if slices.Contains(r.Kinds, s.Kind) && r.step(&s, p.State, now, l.Zone) {
				steps = append(steps, s)
			}
		}
	}
}

// step completes what the rule does to somebody whose registration ended, and
// reports whether it does anything yet. However late the rule comes, the grace
// is given whole.
func (r RuleConfig) step(s *Step, state account.State, now time.Time, zone *time.Location) bool {
	begins := s.Ended.AddDate(0, 0, r.WaitDays)
	if now.Before(begins) {
		return false
	}
	switch state {
	case account.Active:
		s.Act, s.Closes = Announce, endOfDay(now.AddDate(0, 0, r.GraceDays), zone)
		return true
	case account.Invited:
		s.Act, s.Closes = Close, now
		return !now.Before(begins.AddDate(0, 0, r.GraceDays))
	default:
		return false
	}
}

// rule finds a rule by its code.
func (l *Lifecycle) rule(code string) (RuleConfig, error) {
	list := l.config.rules()
	i := slices.IndexFunc(list, func(r RuleConfig) bool { return r.Code == code })
	if i < 0 {
		return RuleConfig{}, RuleMissing
	}
	return list[i], nil
}

// runRules does what the enabled rules say, and takes back what they announced to
// people who are registered again. It may run any number of times.
func (l *Lifecycle) runRules(ctx context.Context) error {
	problems := []error{l.welcomeBack(ctx)}
	for _, r := range l.config.rules() {
		if r.Enabled {
			problems = append(problems, l.run(ctx, r))
		}
	}
	return errors.Join(problems...)
}

// run does what one rule says tonight.
func (l *Lifecycle) run(ctx context.Context, r RuleConfig) error {
	steps, err := l.Plan(ctx, r, l.Clock.Now())
	if err != nil {
		return err
	}
	if len(steps) > r.atMost() {
		return jobs.GiveUp(RuleStopped.With(fault.Args{"rule": r.Code, "number": len(steps), "limit": r.atMost()}))
	}
	reason, ok := l.config.reason(r.Reason)
	if !ok {
		return jobs.GiveUp(fmt.Errorf("rule %s: %w", r.Code, ReasonMissing))
	}
	for _, s := range steps {
		if err := l.DB.InTx(ctx, func(tx db.Tx) error { return l.apply(ctx, tx, r, reason, s) }); err != nil {
			return fmt.Errorf("rule %s on %s: %w", r.Code, s.Person, err)
		}
	}
	return nil
}

// apply does one step, unless the account has changed since the plan.
func (l *Lifecycle) apply(ctx context.Context, tx db.Tx, r RuleConfig, reason ReasonConfig, s Step) error {
	state, err := hold(ctx, tx, s.Person)
	if err != nil {
		return err
	}
	o := Order{State: account.Expiring, Until: s.Closes}
	if s.Act == Close {
		o = Order{State: account.Closed}
	}
	if !r.step(&s, state, tx.Now().Time(), l.Zone) {
		return nil
	}
	_, err = l.decide(ctx, tx, s.Person, state, reason, o, r.Code, r.KeepDays)
	return err
}

// Return is somebody who is registered again although a rule has closed, or is
// closing, their account.
type Return struct {
	Person   campus.PersonID
	Login    string
	Name     string
	State    account.State
	Decision string
}

// Returned lists them. What a rule announced it takes back by itself; what is
// closed, the secretariat reopens.
func (l *Lifecycle) Returned(ctx context.Context, now time.Time) ([]Return, error) {
	var list []Return
	for after := ""; ; {
		rows, err := sqlgen.New(l.DB.Read()).BackAgain(ctx, sqlgen.BackAgainParams{Now: db.At(now), After: after})
		if err != nil {
			return nil, fmt.Errorf("find who is registered again: %w", err)
		}
		if len(rows) == 0 {
			return list, nil
		}
		for _, row := range rows {
			after = row.ID
			p := account.Person{GivenName: row.GivenName, FamilyName: row.FamilyName}
			list = append(list, Return{Person: campus.PersonID(row.ID), Login: row.Login, Name: p.DisplayName(), State: account.State(row.State), Decision: row.DecisionID})
		}
	}
}

// welcomeBack takes back the announced end of accounts whose owners are
// registered again. It lifts no block: those accounts are in use.
func (l *Lifecycle) welcomeBack(ctx context.Context) error {
	list, err := l.Returned(ctx, l.Clock.Now())
	if err != nil {
		return err
	}
	for _, b := range list {
		if b.State != account.Expiring {
			continue
		}
		err := l.DB.InTx(ctx, func(tx db.Tx) error {
			err := l.lift(ctx, tx, b.Person, b.Decision, "", journalByRule)
			if errors.Is(err, Lifted) {
				return nil // in the meantime
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("take back the end of %s: %w", b.Person, err)
		}
	}
	return nil
}
