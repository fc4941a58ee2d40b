package erasure

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// HoldMissing: there is no such hold, or it was lifted.
var HoldMissing = fault.Declare(fault.NotFound, "privacy.hold_missing")

// Hold is a reason of law for which nothing may be erased: of one person or of all
// who are affiliated in some way, in one room or everywhere.
type Hold struct {
	ID       string
	Person   campus.PersonID // empty for a category
	Kind     campus.Kind     // empty for one person
	Room     string          // empty for every room
	Reason   string
	Until    time.Time // zero: until it is lifted
	PlacedBy campus.PersonID
	PlacedAt time.Time
	LiftedBy campus.PersonID
	LiftedAt time.Time
}

// Stands reports whether the hold stops anything at an instant.
func (h Hold) Stands(at time.Time) bool {
	return h.LiftedAt.IsZero() && (h.Until.IsZero() || h.Until.After(at))
}

func holdOf(r sqlgen.PrivacyHold) Hold {
	return Hold{
		ID: r.ID, Person: campus.PersonID(r.PersonID), Kind: campus.Kind(r.Kind), Room: r.Room, Reason: r.Reason, Until: r.UntilAt.Time(),
		PlacedBy: campus.PersonID(r.PlacedBy), PlacedAt: r.PlacedAt.Time(), LiftedBy: campus.PersonID(r.LiftedBy), LiftedAt: r.LiftedAt.Time(),
	}
}

// kinds are what somebody is and was affiliated as: who has left has no affiliation,
// but the register remembers until when each tie lasted. all is set for somebody who
// has left and of whom nothing is known any more: no category can be ruled out then.
func (e *Engine) kinds(ctx context.Context, known contract.Known) (kinds map[campus.Kind]bool, all bool, err error) {
	kinds = map[campus.Kind]bool{}
	for _, a := range known.Subject.Affiliations {
		kinds[a.Kind] = true
	}
	until, err := e.Register.RegisteredUntil(ctx, []campus.PersonID{known.ID})
	if err != nil {
		return nil, false, err
	}
	for kind := range until[known.ID] {
		kinds[kind] = true
	}
	return kinds, known.State == closed && len(kinds) == 0, nil
}

// HoldsOn are the holds that stand and cover a person, also one who has left what a
// hold is about.
func (e *Engine) HoldsOn(ctx context.Context, known contract.Known) ([]Hold, error) {
	rows, err := sqlgen.New(e.DB.Read()).HoldsOn(ctx, sqlgen.HoldsOnParams{Now: e.DB.Now(), Who: string(known.ID)})
	if err != nil {
		return nil, fmt.Errorf("list the holds on a person: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	kinds, all, err := e.kinds(ctx, known)
	if err != nil {
		return nil, err
	}
	var holds []Hold
	for _, r := range rows {
		if h := holdOf(r); h.Person == known.ID || h.Person == "" && (all || kinds[h.Kind]) {
			holds = append(holds, h)
		}
	}
	return holds, nil
}

// Holds are all holds, those that stand first, and how many there are.
func (e *Engine) Holds(ctx context.Context, size, skip int) ([]Hold, int, error) {
	q := sqlgen.New(e.DB.Read())
	n, err := q.CountHolds(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("count the holds: %w", err)
	}
	rows, err := q.Holds(ctx, sqlgen.HoldsParams{Size: int32(size), Skip: int32(skip)})
	if err != nil {
		return nil, 0, fmt.Errorf("list the holds: %w", err)
	}
	holds := make([]Hold, len(rows))
	for i, r := range rows {
		holds[i] = holdOf(r)
	}
	return holds, int(n), nil
}

// PlaceHold adds a hold.
func (e *Engine) PlaceHold(ctx context.Context, h Hold) error {
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		row := sqlgen.AddHoldParams{
			ID: id.New(), PersonID: string(h.Person), Kind: string(h.Kind), Room: h.Room, Reason: h.Reason, PlacedBy: string(h.PlacedBy), PlacedAt: tx.Now(),
		}
		if !h.Until.IsZero() {
			row.UntilAt = db.At(h.Until)
		}
		if err := sqlgen.New(tx).AddHold(ctx, row); err != nil {
			return fmt.Errorf("place a hold: %w", err)
		}
		return nil
	})
}

// LiftHold ends a hold.
func (e *Engine) LiftHold(ctx context.Context, hold string, by campus.PersonID) error {
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).LiftHold(ctx, sqlgen.LiftHoldParams{ID: hold, LiftedBy: string(by), LiftedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("lift a hold: %w", err)
		}
		if n == 0 {
			return HoldMissing
		}
		return nil
	})
}
