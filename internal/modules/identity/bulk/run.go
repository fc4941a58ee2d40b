package bulk

import (
	"context"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/bulk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// carryOut does what an order says, or takes it back: its state says which.
type carryOut struct {
	Order string `json:"order"`
}

// JobName is the job's name.
func (carryOut) JobName() string { return "identity.bulk" }

// Start begins what a preview showed. Only who asked for it does.
func (x *Bulk) Start(ctx context.Context, by campus.Viewer, o Order) error {
	if o.AskedBy != by.Person {
		return Missing
	}
	now := x.Clock.Now()
	if o.State == Preview && now.Sub(o.AskedAt) >= freshFor {
		return Stale
	}
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		err := one(sqlgen.New(tx).Start(ctx, sqlgen.StartParams{ID: o.ID, Now: tx.Now(), Oldest: tx.Now().Add(-freshFor)}))
		if err != nil {
			return err
		}
		return jobs.Enqueue(ctx, tx, carryOut{o.ID})
	})
	if err != nil {
		return fmt.Errorf("start an order: %w", err)
	}
	return nil
}

// Drop gives a preview up.
func (x *Bulk) Drop(ctx context.Context, by campus.Viewer, o Order) error {
	if o.AskedBy != by.Person {
		return Missing
	}
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		return one(sqlgen.New(tx).Drop(ctx, sqlgen.DropParams{ID: o.ID, EndedAt: tx.Now()}))
	})
	if err != nil {
		return fmt.Errorf("give an order up: %w", err)
	}
	return nil
}

// Undo takes an act back, in the name of whoever asks: each person whom they look
// after, and who is still as the act left them.
func (x *Bulk) Undo(ctx context.Context, by campus.Viewer, o Order, e journal.Event) error {
	if !o.Readable(by) || !by.CanSomewhere(campus.RightSecretariat) {
		return Missing
	}
	if o.State == Done && !o.Undoable(x.Clock.Now()) {
		return TooLate
	}
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		err := one(sqlgen.New(tx).Undo(ctx, sqlgen.UndoParams{
			ID: o.ID, UndoneBy: string(by.Person), Now: tx.Now(), Address: e.Address, Agent: e.Agent, Oldest: tx.Now().Add(-undoFor),
		}))
		if err != nil {
			return err
		}
		return jobs.Enqueue(ctx, tx, carryOut{o.ID})
	})
	if err != nil {
		return fmt.Errorf("take an order back: %w", err)
	}
	return nil
}

// carryOut goes through the list of an order. It goes on where it stopped: a
// person is marked in the transaction that changes them.
func (x *Bulk) carryOut(ctx context.Context, a carryOut) error {
	o, err := x.byID(ctx, a.Order)
	if errors.Is(err, Missing) {
		return jobs.GiveUp(err)
	}
	if err != nil {
		return err
	}
	step, author := x.forward, o.AskedBy
	from := Planned
	switch o.State {
	case Running:
	case Undoing:
		step, author, from = x.back, o.UndoneBy, Changed
	default:
		return nil // another run of this job was faster
	}
	by, err := x.officer(ctx, author)
	if err != nil {
		return err
	}
	for after := int64(-1); ; {
		rows, err := sqlgen.New(x.DB.Read()).Waiting(ctx, sqlgen.WaitingParams{OrderID: o.ID, Outcome: string(from), Place: after})
		if err != nil {
			return fmt.Errorf("read the list of an order: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		for _, l := range linesOf(rows) {
			after = int64(l.Place)
			if err := step(ctx, by, o, l); err != nil {
				return fmt.Errorf("order %s, place %d: %w", o.ID, l.Place, err)
			}
		}
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).Finish(ctx, sqlgen.FinishParams{ID: o.ID, Now: tx.Now()})
		return err
	})
}

// officer is somebody with the rights that they hold now: who lost them since
// changes nobody any more.
func (x *Bulk) officer(ctx context.Context, who campus.PersonID) (campus.Viewer, error) {
	p, err := x.People.PersonByID(ctx, who)
	if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
		return campus.Viewer{}, err
	}
	if err != nil || !p.State.Usable() {
		return campus.Viewer{Person: who}, nil
	}
	return p.Viewer(), nil
}

// forward changes one person.
func (x *Bulk) forward(ctx context.Context, by campus.Viewer, o Order, l Line) error {
	return x.settle(ctx, o, l, Changed, Refused, func(tx db.Tx) error {
		switch o.Act {
		case actReopen:
			return x.Accounts.LiftIn(ctx, tx, by, l.Person, l.Decision, o.Note, o.Event)
		case actExtend:
			return x.Accounts.ExtendIn(ctx, tx, by, l.Person, o.Kind, l.WasUntil, o.Until, o.Event)
		}
		taken, err := x.Accounts.DecideIn(ctx, tx, by, l.Person, lifecycle.Order{
			State: lifecycle.Becomes(o.Act), Reason: o.Reason, Note: o.Note, From: o.From, Until: o.Until, Was: l.WasState, Event: o.Event,
		})
		if err != nil {
			return err
		}
		return sqlgen.New(tx).Decided(ctx, sqlgen.DecidedParams{OrderID: o.ID, Place: int64(l.Place), DecisionID: taken.ID})
	})
}

// back takes back what was done to one person.
func (x *Bulk) back(ctx context.Context, by campus.Viewer, o Order, l Line) error {
	return x.settle(ctx, o, l, TakenOff, Kept, func(tx db.Tx) error {
		switch o.Act {
		case actReopen:
			_, err := x.Accounts.RenewIn(ctx, tx, by, l.Person, l.Decision, o.Event)
			return err
		case actExtend:
			return x.Accounts.ShortenIn(ctx, tx, by, l.Person, o.Kind, l.WasUntil, o.Until, o.Event)
		}
		return x.Accounts.LiftIn(ctx, tx, by, l.Person, l.Decision, "", o.Event)
	})
}

// settle marks one person and changes them in one transaction. Who cannot be
// changed is marked with the reason; any other failure stops the run, which a
// later attempt goes on with.
func (x *Bulk) settle(ctx context.Context, o Order, l Line, well, badly Outcome, change func(db.Tx) error) error {
	mark := func(tx db.Tx, to Outcome, why string) (bool, error) {
		n, err := sqlgen.New(tx).Mark(ctx, sqlgen.MarkParams{NewOutcome: string(to), Why: why, OrderID: o.ID, Place: int64(l.Place), OldOutcome: string(l.Outcome)})
		return n > 0, err
	}
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		if ours, err := mark(tx, well, ""); err != nil || !ours { // another run of this job was faster
			return err
		}
		return change(tx)
	})
	if err == nil {
		return nil
	}
	why := fault.Of(err).Reason
	switch why.Kind() {
	case fault.Forbidden, fault.NotFound, fault.Conflict, fault.Invalid:
	default:
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error { _, err := mark(tx, badly, why.Code()); return err })
}

// prune forgets previews that nobody acted on and reports that are old.
func (x *Bulk) prune(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).PruneOrders(ctx, sqlgen.PruneOrdersParams{Unconfirmed: tx.Now().Add(-7 * freshFor), Reported: tx.Now().Add(-keepFor)})
		if err != nil {
			return fmt.Errorf("forget old orders: %w", err)
		}
		return nil
	})
}
