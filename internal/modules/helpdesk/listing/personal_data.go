package listing

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
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

// Export writes the lists that an agent keeps, and the acts on several tickets that
// can still be undone.
func (l *Listing) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	type keptView struct {
		Name string `json:"name"`
		List string `json:"list"`
	}
	views := []keptView{}
	if err := db.Each(ctx, l.DB.Read(), "SELECT name, filter FROM helpdesk_views WHERE owner_id = $1 ORDER BY name, id", []any{string(who)}, func(rows *sql.Rows) error {
		var v keptView
		err := rows.Scan(&v.Name, &v.List)
		views = append(views, v)
		return err
	}); err != nil {
		return fmt.Errorf("export kept lists: %w", err)
	}
	if err := a.JSON("lists", views); err != nil {
		return err
	}
	type act struct {
		Act string    `json:"act"`
		At  time.Time `json:"at"`
	}
	done := []act{}
	if err := db.Each(ctx, l.DB.Read(), "SELECT act, acted_at FROM helpdesk_bulks WHERE agent_id = $1 ORDER BY acted_at", []any{string(who)}, func(rows *sql.Rows) error {
		var one act
		var at db.Time
		err := rows.Scan(&one.Act, &at)
		one.At = at.Time()
		done = append(done, one)
		return err
	}); err != nil {
		return fmt.Errorf("export acts on several tickets: %w", err)
	}
	return a.JSON("acts", done)
}

// Erase implements [contract.Eraser]: the words of somebody's tickets go before the
// tickets do. They are found by reading the tickets once more: the index has no way
// from a ticket to its words, which would double its size.
func (l *Listing) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	list, err := l.Tickets.Of(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	if who.Mail != "" { // what they asked without an account
		byMail, err := l.Tickets.OfMail(ctx, who.Mail)
		if err != nil {
			return nil, err
		}
		list = append(list, slices.DeleteFunc(byMail, func(t ticket.Ticket) bool { return t.Requester != "" })...)
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
