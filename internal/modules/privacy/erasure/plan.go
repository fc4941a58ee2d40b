package erasure

import (
	"context"
	"maps"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Plan is what an erasure would do, or does, with one room.
type Plan struct {
	Room string
	// Kept says why the room keeps what it has, when it was decided so; Hold that a
	// legal hold says it.
	Kept string
	Hold bool
	// Register is the room of the accounts: it takes part only when the account is
	// closed.
	Register bool
	Lines    []Line
	// Elsewhere names the programs outside the house that would be asked to remove
	// what they have.
	Elsewhere []string
}

// Line is one table of a plan.
type Line struct {
	Table, What, Until string
	Fate               contract.Fate
	Rows               int64
	Why                string // of what stays
}

// Rows is how many rows of the room are erased or cleared.
func (p Plan) Rows() (n int64) {
	for _, l := range p.Lines {
		if l.Fate != contract.Kept {
			n += l.Rows
		}
	}
	return n
}

// add puts a line with those of the same table that meet the same fate: rows that
// name a person twice are then one line, whose number is the larger one.
func (p *Plan) add(l Line) {
	for i := range p.Lines {
		if same := &p.Lines[i]; same.Table == l.Table && same.Fate == l.Fate && same.Why == l.Why {
			same.Rows = max(same.Rows, l.Rows)
			return
		}
	}
	p.Lines = append(p.Lines, l)
}

// Preview counts what an erasure would do, room by room, and changes nothing.
func (e *Engine) Preview(ctx context.Context, who contract.Traced, known contract.Known, kept map[string]string) ([]Plan, error) {
	holds, err := e.HoldsOn(ctx, known)
	if err != nil {
		return nil, err
	}
	stays := map[string]string{} // what is kept anyway, by decision and by hold
	maps.Copy(stays, kept)
	for _, h := range holds {
		stays[h.Room] = h.Reason
	}
	who.Whole = e.whole(stays) && (known.State == closed || known.State == invited)
	var plans []Plan
	for _, room := range e.Rooms() {
		holder, ok := room.(contract.PersonalData)
		if !ok {
			continue
		}
		plan := Plan{Room: room.Name(), Kept: kept[room.Name()]}
		_, plan.Register = room.(contract.Register)
		for _, h := range holds {
			if h.Room == "" || h.Room == room.Name() {
				plan.Kept, plan.Hold = h.Reason, true
			}
		}
		for _, h := range holder.Holdings(ctx) {
			for _, t := range h.Traces {
				n, err := count(ctx, e.DB.Read(), h.Table, t, who)
				if err != nil {
					return nil, err
				}
				if n > 0 {
					plan.add(Line{Table: h.Table, What: h.What, Until: h.Until, Fate: t.Fate, Rows: n, Why: t.Why})
				}
			}
		}
		if remover, ok := room.(contract.Remover); ok && plan.Kept == "" {
			removals, err := remover.ToRemove(ctx, who)
			if err != nil {
				return nil, err
			}
			for _, r := range removals {
				plan.Elsewhere = append(plan.Elsewhere, r.Name)
			}
		}
		plans = append(plans, plan)
	}
	return plans, nil
}
