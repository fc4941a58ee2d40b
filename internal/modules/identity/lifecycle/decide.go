package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// UndoTime is how long a decision can be undone by whoever took it. The letter
// to the person leaves after it, so that a slip frightens nobody; sessions end
// at once all the same.
const UndoTime = 5 * time.Minute

// Order is a decision to take.
type Order struct {
	State  account.State // Suspended, Closed or Expiring
	Reason string        // code of the institution's list
	Note   string        // for the secretariat alone
	From   time.Time     // when it begins; the zero time means at once
	Until  time.Time     // end of a suspension, or of an ending account; zero for none
	Was    account.State // the state that the page showed; empty to skip the check
	Event  journal.Event // address and browser of whoever decides
}

// may says which states an order can start from.
var may = map[account.State][]account.State{
	account.Suspended: {account.Invited, account.Active, account.Expiring},
	account.Closed:    {account.Invited, account.Active, account.Expiring, account.Suspended},
	account.Expiring:  {account.Active},
}

// Possible reports whether an account in one state can be brought into another.
func Possible(from, to account.State) bool {
	for _, s := range may[to] {
		if s == from {
			return true
		}
	}
	return false
}

// Held reports whether a decision keeps an account in this state, so that it can
// be reopened.
func Held(s account.State) bool { return weight(s) > 0 }

// lookedAfter is somebody whom the viewer looks after, and who is not themselves.
func (l *Lifecycle) lookedAfter(ctx context.Context, by campus.Viewer, who campus.PersonID) (account.Person, error) {
	if !by.CanSomewhere(campus.RightSecretariat) {
		return account.Person{}, Reserved
	}
	if by.Person == who {
		return account.Person{}, Oneself
	}
	p, err := l.People.PersonByID(ctx, who)
	if err == nil && !by.CanFor(campus.RightSecretariat, p.Affiliations) {
		err = Elsewhere
	}
	return p, err
}

// guard lets only the secretariat decide, each about those whom they look after, and
// nobody about themselves. Administrators lose their rights before their account, and
// who looks after some people only does not shut those out who hold rights over others.
func (l *Lifecycle) guard(ctx context.Context, by campus.Viewer, who campus.PersonID) error {
	p, err := l.lookedAfter(ctx, by, who)
	if err != nil {
		return err
	}
	if slices.Contains(p.Rights, campus.RightAdmin) || !by.Can(campus.RightSecretariat) && len(p.Rights)+len(p.Mandates) > 0 {
		return HoldsRights
	}
	return nil
}

// Decide takes a decision in the name of the secretariat: it ends the sessions
// of an account that can no longer be used, writes the journal, and writes to
// the person when [UndoTime] has passed.
func (l *Lifecycle) Decide(ctx context.Context, by campus.Viewer, who campus.PersonID, o Order) (taken Decision, err error) {
	err = l.DB.InTx(ctx, func(tx db.Tx) error {
		taken, err = l.DecideIn(ctx, tx, by, who, o)
		return err
	})
	if err != nil {
		return Decision{}, fmt.Errorf("decide about an account: %w", err)
	}
	return taken, nil
}

// DecideIn is [Lifecycle.Decide] in the caller's transaction.
func (l *Lifecycle) DecideIn(ctx context.Context, tx db.Tx, by campus.Viewer, who campus.PersonID, o Order) (Decision, error) {
	if err := l.guard(ctx, by, who); err != nil {
		return Decision{}, err
	}
	reason, ok := l.config.reason(o.Reason)
	if !ok {
		return Decision{}, ReasonMissing
	}
	state, err := hold(ctx, tx, who)
	if err != nil {
		return Decision{}, err
	}
	if o.Was != "" && o.Was != state {
		return Decision{}, Changed.With(fault.Args{"state": string(state)})
	}
	if !Possible(state, o.State) {
		return Decision{}, Impossible.With(fault.Args{"state": string(state)})
	}
	o.Event.Actor = by.Person
	return l.decide(ctx, tx, who, state, reason, o, "", 0)
}

// decide writes a decision about an account that [hold] holds and makes the
// account what its decisions say. A rule's decision has no actor. The reason's
// code in the order is not looked up here: an announced end keeps its words when
// it comes, whatever has become of the list.
func (l *Lifecycle) decide(ctx context.Context, tx db.Tx, who campus.PersonID, state account.State, reason ReasonConfig, o Order, rule string, keepDays int) (Decision, error) {
	now := tx.Now().Time()
	d := Decision{
		ID: id.New(), Person: who, State: o.State, Base: state, Reason: reason, Note: o.Note, Rule: rule,
		DecidedBy: o.Event.Actor, DecidedAt: now, From: o.From, Until: o.Until,
	}
	if d.From.Before(now) {
		d.From = now
	}
	if !d.Until.IsZero() && !d.Until.After(d.From) || d.State == account.Expiring && d.Until.IsZero() {
		return Decision{}, DateForm
	}
	switch state {
	case account.Invited, account.Active:
	default:
		d.Base = account.Active
		open, err := decisionsOf(sqlgen.New(tx).StandingDecisions(ctx, string(who)))
		if err != nil {
			return Decision{}, err
		}
		for _, earlier := range open {
			d.Base = earlier.Base
		}
	}
	if d.State == account.Closed {
		d.Until = time.Time{} // a closing has no end of its own
		d.DeletedAt = d.From.AddDate(0, 0, l.config.keep(keepDays))
	}
	if err := addDecision(ctx, tx, d); err != nil {
		return Decision{}, err
	}
	if err := l.settle(ctx, tx, who, state, d.Base, o.Event); err != nil {
		return Decision{}, err
	}
	if d.From.After(now) {
		if err := l.write(ctx, tx, o.Event, who, "account_planned", map[string]string{"state": string(d.State), "reason": reason.Code}); err != nil {
			return Decision{}, err
		}
	}
	return d, jobs.Enqueue(ctx, tx, TellDecision{Decision: d.ID, Person: who}, jobs.After(UndoTime))
}

// settle makes the account what its standing decisions say, ends the sessions of
// one that can no longer be used, and writes the change into the journal.
func (l *Lifecycle) settle(ctx context.Context, tx db.Tx, who campus.PersonID, was, base account.State, e journal.Event) error {
	open, err := decisionsOf(sqlgen.New(tx).StandingDecisions(ctx, string(who)))
	if err != nil {
		return err
	}
	is, facts := base, map[string]string{}
	if strong, ok := strongest(open, tx.Now().Time()); ok {
		is, facts["reason"] = strong.State, strong.Reason.Code
	}
	if is == was {
		return nil
	}
	n, err := sqlgen.New(tx).MoveState(ctx, sqlgen.MoveStateParams{ID: string(who), NewState: string(is), ChangedAt: tx.Now(), OldState: string(was)})
	if err != nil {
		return fmt.Errorf("move the account: %w", err)
	}
	if n == 0 {
		return Changed.With(fault.Args{"state": string(was)})
	}
	if !is.Usable() {
		if _, err := l.Sessions.EndSessionsOf(ctx, tx, who, ""); err != nil {
			return fmt.Errorf("end the sessions: %w", err)
		}
	}
	if err := l.Changed(ctx, tx, who); err != nil {
		return err
	}
	return l.write(ctx, tx, e, who, kindOf(is), facts)
}

// kindOf is the journal's word for what an account has become.
func kindOf(s account.State) string {
	switch s {
	case account.Suspended, account.Closed, account.Expiring:
		return "account_" + string(s)
	default:
		return "account_reopened"
	}
}

func (l *Lifecycle) write(ctx context.Context, tx db.Tx, e journal.Event, who campus.PersonID, kind string, facts map[string]string) error {
	e.Person, e.Kind, e.Facts = who, "identity."+kind, facts
	return l.Journal.Write(ctx, tx, e)
}

// Lift takes a decision back: the secretariat's right alone. The account becomes
// what the decisions that remain say. An empty decision reopens an account that
// was closed without one, by the command line of an earlier version.
func (l *Lifecycle) Lift(ctx context.Context, by campus.Viewer, who campus.PersonID, decisionID, note string, e journal.Event) error {
	err := l.DB.InTx(ctx, func(tx db.Tx) error { return l.LiftIn(ctx, tx, by, who, decisionID, note, e) })
	if err != nil {
		return fmt.Errorf("lift a decision: %w", err)
	}
	return nil
}

// LiftIn is [Lifecycle.Lift] in the caller's transaction.
func (l *Lifecycle) LiftIn(ctx context.Context, tx db.Tx, by campus.Viewer, who campus.PersonID, decisionID, note string, e journal.Event) error {
	if err := l.guard(ctx, by, who); err != nil {
		return err
	}
	e.Actor = by.Person
	return l.lift(ctx, tx, who, decisionID, note, e)
}

// RenewIn takes a decision that was lifted anew, in its own words, from now, in
// the caller's transaction. The account must be in a state from which it can be
// taken, and its end still to come.
func (l *Lifecycle) RenewIn(ctx context.Context, tx db.Tx, by campus.Viewer, who campus.PersonID, decisionID string, e journal.Event) (Decision, error) {
	if err := l.guard(ctx, by, who); err != nil {
		return Decision{}, err
	}
	state, err := hold(ctx, tx, who)
	if err != nil {
		return Decision{}, err
	}
	old, err := decision(ctx, tx, who, decisionID)
	if err != nil {
		return Decision{}, err
	}
	if old.Open() {
		return Decision{}, Changed.With(fault.Args{"state": string(state)})
	}
	if !Possible(state, old.State) {
		return Decision{}, Impossible.With(fault.Args{"state": string(state)})
	}
	e.Actor = by.Person
	o := Order{State: old.State, Note: old.Note, Until: old.Until, Event: e}
	return l.decide(ctx, tx, who, state, old.Reason, o, "", l.keepOf(old.Rule))
}

func (l *Lifecycle) lift(ctx context.Context, tx db.Tx, who campus.PersonID, decisionID, note string, e journal.Event) error {
	state, err := hold(ctx, tx, who)
	if err != nil {
		return err
	}
	if decisionID == "" {
		return l.reopenUndecided(ctx, tx, who, state, note, e)
	}
	d, err := decision(ctx, tx, who, decisionID)
	if err != nil {
		return err
	}
	if err := liftRow(ctx, tx, d.ID, e.Actor, note); err != nil {
		return err
	}
	if err := l.settle(ctx, tx, who, state, d.Base, e); err != nil {
		return err
	}
	return jobs.Enqueue(ctx, tx, TellLifted{Decision: d.ID, Person: who})
}

// reopenUndecided opens an account that no decision holds, and keeps a record of
// who did it.
func (l *Lifecycle) reopenUndecided(ctx context.Context, tx db.Tx, who campus.PersonID, state account.State, note string, e journal.Event) error {
	open, err := decisionsOf(sqlgen.New(tx).StandingDecisions(ctx, string(who)))
	if err != nil {
		return err
	}
	if len(open) > 0 || weight(state) == 0 {
		return Changed.With(fault.Args{"state": string(state)})
	}
	d := Decision{ID: id.New(), Person: who, State: account.Active, Base: account.Active, Note: note, DecidedBy: e.Actor, DecidedAt: tx.Now().Time(), From: tx.Now().Time()}
	if err := addDecision(ctx, tx, d); err != nil {
		return err
	}
	if err := liftRow(ctx, tx, d.ID, e.Actor, ""); err != nil { // it holds nothing: a record only
		return err
	}
	return l.settle(ctx, tx, who, state, account.Active, e)
}

// Holding is the identifier of the decision that makes somebody's account what it
// is, for [Lifecycle.Lift]; empty when there is none.
func (l *Lifecycle) Holding(ctx context.Context, p account.Person) (decisionID string, err error) {
	list, err := l.Decisions(ctx, p.ID)
	if err != nil {
		return "", err
	}
	if d := holding(list, p.State); d != nil {
		return d.ID, nil
	}
	return "", nil
}

// Undo takes back a decision within [UndoTime], by whoever took it.
func (l *Lifecycle) Undo(ctx context.Context, by campus.Viewer, who campus.PersonID, decisionID string, e journal.Event) error {
	if err := l.guard(ctx, by, who); err != nil {
		return err
	}
	e.Actor = by.Person
	err := l.DB.InTx(ctx, func(tx db.Tx) error {
		d, err := decision(ctx, tx, who, decisionID)
		if err != nil {
			return err
		}
		if d.DecidedBy != by.Person || !d.Undoable(tx.Now().Time()) {
			return UndoTooLate
		}
		return l.lift(ctx, tx, who, decisionID, "", e)
	})
	if err != nil {
		return fmt.Errorf("undo a decision: %w", err)
	}
	return nil
}

// Undoable reports whether the decision can still be undone.
func (d Decision) Undoable(now time.Time) bool {
	return d.LiftedAt.IsZero() && d.ToldAt.IsZero() && now.Sub(d.DecidedAt) < UndoTime
}

// Standing tells how somebody's account stands, in the language of ctx. Say it
// only to those who have proved who they are, and to the secretariat.
func (l *Lifecycle) Standing(ctx context.Context, who campus.PersonID) (Standing, error) {
	p, err := l.People.PersonByID(ctx, who)
	if err != nil {
		return Standing{}, err
	}
	open, err := decisionsOf(sqlgen.New(l.DB.Read()).StandingDecisions(ctx, string(who)))
	if err != nil {
		return Standing{}, err
	}
	s := Standing{State: p.State}
	for _, d := range open {
		if d.State == p.State { // newest first
			return l.standing(ctx, d), nil
		}
	}
	return s, nil
}

// standing words a decision for the person whom it concerns.
func (l *Lifecycle) standing(ctx context.Context, d Decision) Standing {
	s := Standing{
		State: d.State, Reason: d.Reason.Code, ByRule: d.Rule != "",
		Office:  i18n.Pick(ctx, d.Reason.OfficeFrench, d.Reason.OfficeEnglish),
		Contact: d.Reason.Contact, Appeal: i18n.Pick(ctx, l.config.AppealFrench, l.config.AppealEnglish),
		Since: d.From, Until: LastDay(d.Until), DeletedAt: d.DeletedAt,
	}
	if d.Reason.Shown {
		s.ReasonText = i18n.Pick(ctx, d.Reason.TextFrench, d.Reason.TextEnglish)
	}
	return s
}
