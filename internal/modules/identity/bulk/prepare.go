package bulk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Choice is whom an order is for: those who are ticked, or everybody whom a
// filter lets through.
type Choice struct {
	Ticked []campus.PersonID // nil for the filter
	Filter lifecycle.Filter
}

// Prepare lists what an order would do to whom, and returns the order's
// identifier. Nobody is touched.
func (x *Bulk) Prepare(ctx context.Context, by campus.Viewer, o Order, c Choice) (string, error) {
	if !by.CanSomewhere(campus.RightSecretariat) {
		return "", lifecycle.Reserved
	}
	people, err := x.people(ctx, c)
	if err != nil {
		return "", err
	}
	lines, err := x.foresee(ctx, by, o, people)
	if err != nil {
		return "", err
	}
	o.ID, o.AskedBy, o.Ticked = id.New(), by.Person, c.Ticked != nil
	if !o.Ticked {
		o.Chosen = c.Filter.Query().Encode()
	}
	for _, l := range lines {
		if l.Outcome == Planned {
			o.Changes++
		}
	}
	return o.ID, x.add(ctx, o, lines)
}

// people are those of a choice, by name. Who was ticked and is no more is left
// out.
func (x *Bulk) people(ctx context.Context, c Choice) (list []account.Person, err error) {
	if c.Ticked != nil {
		if len(c.Ticked) > Most {
			return nil, TooMany
		}
		list, err = x.Accounts.PeopleOf(ctx, c.Ticked)
	} else {
		list, err = x.Accounts.Search(ctx, c.Filter, Most+1, 0)
	}
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, Nobody
	case len(list) > Most:
		return nil, TooMany
	}
	return list, nil
}

// foresee is the list of an order.
func (x *Bulk) foresee(ctx context.Context, by campus.Viewer, o Order, people []account.Person) ([]Line, error) {
	known := map[campus.PersonID]facts{}
	switch o.Act {
	case actReopen:
		held, err := x.Accounts.HeldBy(ctx, people)
		if err != nil {
			return nil, err
		}
		for who, decision := range held {
			known[who] = facts{held: decision}
		}
	case actExtend:
		ids := make([]campus.PersonID, len(people))
		for i, p := range people {
			ids[i] = p.ID
		}
		ends, err := x.Accounts.Ends(ctx, ids, o.Kind)
		if err != nil {
			return nil, err
		}
		for who, at := range ends {
			known[who] = facts{registered: true, ends: at}
		}
	}
	lines := make([]Line, len(people))
	for i, p := range people {
		lines[i] = o.foresee(by, p, known[p.ID])
	}
	return lines, nil
}
