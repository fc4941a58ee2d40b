package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/bulk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func orderOf(r sqlgen.IdentityBulkOrder) Order {
	return Order{
		ID: r.ID, Act: r.Act, Reason: r.Reason, Note: r.Note, From: r.FromAt.Time(), Until: r.UntilAt.Time(), Kind: campus.Kind(r.Kind),
		Chosen: r.Chosen, Ticked: r.Ticked, State: State(r.State), Listed: int(r.Listed), Changes: int(r.Changes),
		AskedBy: campus.PersonID(r.AskedBy), AskedAt: r.AskedAt.Time(), StartedAt: r.StartedAt.Time(), EndedAt: r.EndedAt.Time(),
		UndoneBy: campus.PersonID(r.UndoneBy), UndoneAt: r.UndoneAt.Time(), Event: journal.Event{Address: r.Address, Agent: r.Agent},
	}
}

func linesOf(rows []sqlgen.IdentityBulkPerson) []Line {
	list := make([]Line, len(rows))
	for i, r := range rows {
		list[i] = Line{
			Place: int(r.Place), Person: campus.PersonID(r.PersonID), WasState: account.State(r.WasState), WasUntil: r.WasUntilAt.Time(),
			Decision: r.DecisionID, Outcome: Outcome(r.Outcome), Why: r.Why,
		}
	}
	return list
}

// byID reads an order, or Missing.
func (x *Bulk) byID(ctx context.Context, id string) (Order, error) {
	row, err := sqlgen.New(x.DB.Read()).OrderByID(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Order{}, Missing
	}
	if err != nil {
		return Order{}, fmt.Errorf("read an order: %w", err)
	}
	return orderOf(row), nil
}

// Order reads an order that somebody may open, or Missing. One whose list is not
// whole does not exist yet.
func (x *Bulk) Order(ctx context.Context, by campus.Viewer, id string) (Order, error) {
	o, err := x.byID(ctx, id)
	if err != nil {
		return Order{}, err
	}
	if !o.Readable(by) || o.State == Preparing {
		return Order{}, Missing
	}
	return o, nil
}

// tally is how many people of an order share an outcome, its reason and the state
// that the preview showed.
type tally struct {
	Outcome  Outcome
	Why      string
	WasState account.State
	People   int
}

func (x *Bulk) tallies(ctx context.Context, id string) ([]tally, error) {
	rows, err := sqlgen.New(x.DB.Read()).Tally(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("count the people of an order: %w", err)
	}
	list := make([]tally, len(rows))
	for i, r := range rows {
		list[i] = tally{Outcome(r.Outcome), r.Why, account.State(r.WasState), int(r.People)}
	}
	return list, nil
}

// add writes an order and its list. The list comes in several transactions; the
// order is not to be seen before the last.
func (x *Bulk) add(ctx context.Context, o Order, lines []Line) error {
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).AddOrder(ctx, sqlgen.AddOrderParams{
			ID: o.ID, Act: o.Act, Reason: o.Reason, Note: o.Note, FromAt: db.At(o.From), UntilAt: db.At(o.Until), Kind: string(o.Kind),
			Chosen: o.Chosen, Ticked: o.Ticked, Listed: int64(len(lines)), Changes: int64(o.Changes), AskedBy: string(o.AskedBy), AskedAt: tx.Now(),
			Address: o.Event.Address, Agent: o.Event.Agent,
		})
	})
	if err != nil {
		return fmt.Errorf("write an order: %w", err)
	}
	for start := 0; start < len(lines); start += atOnce {
		err := x.DB.InTx(ctx, func(tx db.Tx) error {
			for i, l := range lines[start:min(start+atOnce, len(lines))] {
				err := sqlgen.New(tx).AddPerson(ctx, sqlgen.AddPersonParams{
					OrderID: o.ID, Place: int64(start + i), PersonID: string(l.Person), WasState: string(l.WasState), WasUntilAt: db.At(l.WasUntil),
					DecisionID: l.Decision, Outcome: string(l.Outcome), Why: l.Why,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("list the people of an order: %w", err)
		}
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error { return one(sqlgen.New(tx).Prepared(ctx, o.ID)) })
	if err != nil {
		return fmt.Errorf("finish the list of an order: %w", err)
	}
	return nil
}

// atOnce is how many people of a list are written in one transaction.
const atOnce = 250

// one turns a guarded update that found nothing into Settled.
func one(n int64, err error) error {
	if err == nil && n == 0 {
		return Settled
	}
	return err
}
