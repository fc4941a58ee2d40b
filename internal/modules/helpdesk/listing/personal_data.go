package listing

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var _ contract.Eraser = (*Listing)(nil)

// Holdings declares what the alcove keeps about people.
func (l *Listing) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_views", "helpdesk.holding.view").On(contract.PublicTask, contract.DataUse).Of(contract.PeopleAgents).
			Erased(contract.Delete("owner_id")),
		contract.Held(ctx, "helpdesk_bulks", "helpdesk.holding.bulk").On(contract.PublicTask, contract.DataUse).Of(contract.PeopleAgents).
			Erased(contract.Delete("agent_id")),
		contract.Held(ctx, "helpdesk_words", "helpdesk.holding.word").On(contract.PublicTask, contract.DataWritings),
	}
}

// Erase implements [contract.Eraser]: the words of somebody's tickets go before the
// tickets do. They are found by reading the tickets once more: the index has no way
// from a ticket to its words, which would double its size.
func (l *Listing) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	list, err := l.Tickets.Of(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	var gone int64
	for _, t := range list {
		thread, err := l.Tickets.Thread(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		known := words.In(t, thread)
		if err := l.DB.InTx(ctx, func(tx db.Tx) error { return words.Forget(ctx, tx, t.ID, known) }); err != nil {
			return nil, err
		}
		gone += int64(len(known))
	}
	if gone == 0 {
		return nil, nil
	}
	return []contract.Erased{{Table: "helpdesk_words", Fate: contract.Deleted, Rows: gone}}, nil
}
