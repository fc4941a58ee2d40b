package erasure

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// dueAtOnce is how many people one question to a room lists.
const dueAtOnce = 200

// ProposeDue proposes the erasure of everybody whose time is over by the rules of
// a room. With automatic, what no hold stops is ordered at once, unless there are
// more than most: a broken rule must not empty a university, so they are then only
// proposed. It returns how many are new.
func (e *Engine) ProposeDue(ctx context.Context, automatic bool, most int) (proposed, ordered int, err error) {
	words := i18n.With(ctx, e.Texts.For(campus.French))
	var fresh []string
	for _, room := range e.Rooms() {
		keeper, ok := room.(contract.Retention)
		if !ok {
			continue
		}
		for after := campus.PersonID(""); ; {
			due, err := keeper.DueForErasure(words, e.Clock.Now(), after, dueAtOnce)
			if err != nil {
				return proposed, 0, fmt.Errorf("ask the room %s whose time is over: %w", room.Name(), err)
			}
			for _, d := range due {
				after = d.Person
				erasure, err := e.propose(ctx, d)
				switch reason := fault.Of(err).Reason; {
				case err == nil:
					fresh = append(fresh, erasure)
				case reason == UnderWay || reason == PersonMissing: // proposed before, or erased since it was listed
				default:
					return proposed, 0, err
				}
			}
			if len(due) < dueAtOnce {
				break
			}
		}
	}
	proposed = len(fresh)
	if !automatic {
		return proposed, 0, nil
	}
	if proposed > most {
		e.Log.WarnContext(ctx, "more people are due for erasure than one night may erase: the officer has to let it", "due", proposed, "most", most)
		return proposed, 0, nil
	}
	for _, erasure := range fresh {
		switch err := e.Let(ctx, erasure, ""); {
		case err == nil:
			ordered++
		case fault.Of(err).Reason == Held || fault.Of(err).Reason == AccountOpen: // stays proposed, and its page says why
		default:
			return proposed, ordered, err
		}
	}
	return proposed, ordered, nil
}

// propose proposes one erasure. What the officer put away stays away.
func (e *Engine) propose(ctx context.Context, d contract.Due) (erasure string, err error) {
	before, err := sqlgen.New(e.DB.Read()).ErasuresOf(ctx, string(d.Person))
	if err != nil {
		return "", fmt.Errorf("read what was proposed before: %w", err)
	}
	for _, b := range before {
		if b.State == Dismissed && b.Cause == WhenDue {
			return "", UnderWay
		}
	}
	place, err := e.Prepare(ctx, Order{Person: d.Person, Cause: WhenDue, Rule: d.Rule, Propose: true})
	if err != nil {
		return "", err
	}
	err = e.DB.InTx(ctx, func(tx db.Tx) error {
		erasure, err = place(ctx, tx)
		return err
	})
	return erasure, err
}
