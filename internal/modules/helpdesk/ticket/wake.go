package ticket

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// solvedFor is how long a solved ticket waits for a "no" before it is closed.
const solvedFor = 14 * 24 * time.Hour

// wakeAtOnce is how many tickets one look takes up; the next ones come a moment later.
const wakeAtOnce = 200

// Jobs registers what happens to tickets by themselves.
func (x *Tickets) Jobs(r *jobs.Registry) {
	r.Every("helpdesk.wake", time.Minute, x.Wake)
	r.Every("helpdesk.close_solved", time.Hour, x.CloseSolved)
}

// Wake takes up the tickets that were put off until now. It is harmless when it runs
// twice.
func (x *Tickets) Wake(ctx context.Context) error {
	return x.each(ctx, "SELECT id FROM helpdesk_tickets WHERE postponed_at > 0 AND postponed_at <= $1 AND state = 'postponed' ORDER BY postponed_at LIMIT $2", x.DB.Now(), func(w *Work) error {
		if w.Ticket.State != Postponed || w.Ticket.PostponedUntil.After(w.Now()) {
			return nil // somebody was faster
		}
		return w.Take()
	})
}

// CloseSolved closes the tickets that were solved, and of which nobody said otherwise.
// It is harmless when it runs twice.
func (x *Tickets) CloseSolved(ctx context.Context) error {
	return x.each(ctx, "SELECT id FROM helpdesk_tickets WHERE state = 'solved' AND changed_at < $1 ORDER BY changed_at LIMIT $2", x.DB.Now().Add(-solvedFor), func(w *Work) error {
		if w.Ticket.State != Solved || w.Now().Sub(w.Ticket.ChangedAt) < solvedFor {
			return nil
		}
		return w.Close()
	})
}

// each changes the tickets of a query, each in a transaction of its own.
func (x *Tickets) each(ctx context.Context, query string, until db.Time, do func(*Work) error) error {
	var ids []string
	if err := db.Each(ctx, x.DB.Read(), query, []any{until, wakeAtOnce}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}); err != nil {
		return fmt.Errorf("list tickets whose time has come: %w", err)
	}
	var failed error
	for _, id := range ids {
		err := x.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := x.Change(ctx, tx, id, ByHouse, do)
			return err
		})
		if err != nil && !errors.Is(err, Missing) {
			failed = errors.Join(failed, fmt.Errorf("ticket %s: %w", id, err))
		}
	}
	return failed
}
