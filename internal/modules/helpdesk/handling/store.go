package handling

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// mergedInto lists the tickets that were merged into one.
func (h *Handling) mergedInto(ctx context.Context, ticket string) ([]string, error) {
	ids, err := sqlgen.New(h.DB.Read()).MergedInto(ctx, ticket)
	if err != nil {
		return nil, fmt.Errorf("list merged tickets: %w", err)
	}
	return ids, nil
}

// linked lists the tickets that belong with one.
func (h *Handling) linked(ctx context.Context, ticket string) ([]string, error) {
	ids, err := sqlgen.New(h.DB.Read()).Linked(ctx, ticket)
	if err != nil {
		return nil, fmt.Errorf("list linked tickets: %w", err)
	}
	return ids, nil
}

// watchers lists who hears of every change of a ticket.
func (h *Handling) watchers(ctx context.Context, q sqlgen.DBTX, ticket string) ([]campus.PersonID, error) {
	ids, err := sqlgen.New(q).Watchers(ctx, ticket)
	if err != nil {
		return nil, fmt.Errorf("list who watches a ticket: %w", err)
	}
	people := make([]campus.PersonID, len(ids))
	for i, id := range ids {
		people[i] = campus.PersonID(id)
	}
	return people, nil
}

// takes reports whether an agent's answer takes a request that nobody has: as they
// chose the last time, and at first it does.
func (h *Handling) takes(ctx context.Context, who campus.PersonID) (bool, error) {
	chosen, err := sqlgen.New(h.DB.Read()).HabitOf(ctx, string(who))
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what an agent chose: %w", err)
	}
	return chosen == 1, nil
}

// keepTakes remembers what an agent chose.
func keepTakes(ctx context.Context, tx db.Tx, who campus.PersonID, takes bool) error {
	var chosen int64
	if takes {
		chosen = 1
	}
	return sqlgen.New(tx).KeepHabit(ctx, sqlgen.KeepHabitParams{AgentID: string(who), AnswerTakes: chosen})
}

// callback is a call that somebody asked for.
type callback struct {
	Phone  string
	Wished string    // when, in words
	Due    time.Time // zero for no time
	Done   time.Time // zero for not yet
}

// callbackOf is the call that was asked for with a ticket; nil for none.
func (h *Handling) callbackOf(ctx context.Context, ticket string) (*callback, error) {
	row, err := sqlgen.New(h.DB.Read()).CallbackOf(ctx, ticket)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // a ticket without a call is the usual one
	}
	if err != nil {
		return nil, fmt.Errorf("read a call: %w", err)
	}
	return &callback{Phone: row.Phone, Wished: row.Wished, Due: row.DueAt.Time(), Done: row.DoneAt.Time()}, nil
}

// askCallback notes a call to be made.
func askCallback(ctx context.Context, tx db.Tx, ticket string, c callback) error {
	if err := sqlgen.New(tx).AskCallback(ctx, sqlgen.AskCallbackParams{TicketID: ticket, Phone: c.Phone, Wished: c.Wished, DueAt: db.At(c.Due)}); err != nil {
		return fmt.Errorf("note a call: %w", err)
	}
	return nil
}
