package sso

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Jobs tells services that sessions ended, and forgets what is old.
func (m *Module) Jobs(r *jobs.Registry) {
	jobs.Handle(r, m.tellService, jobs.Policy{
		Attempts: m.config.LogoutAttempts, Timeout: m.config.LogoutTimeout + 5*time.Second,
		FirstPause: 10 * time.Second, LongestPause: 15 * time.Minute,
	})
	r.Every("sso.prune", time.Hour, m.prune)
}

const (
	// unusedKept is how long a ticket that opened nothing can be explained.
	unusedKept = 24 * time.Hour
	// lostKept bounds what no session ever claimed: longer than any session.
	lostKept = 400 * 24 * time.Hour
)

// prune deletes what nobody needs to read any more.
func (m *Module) prune(ctx context.Context) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		q, kept := sqlgen.New(tx), tx.Now().Add(-m.config.History)
		err := errors.Join(
			q.PruneTickets(ctx, sqlgen.PruneTicketsParams{
				UnusedBefore: tx.Now().Add(-unusedKept), EndedBefore: kept, LostBefore: tx.Now().Add(-lostKept),
			}),
			q.PruneLogouts(ctx, kept),
			q.PruneIncidents(ctx, kept),
			q.PruneContactMails(ctx, day(kept)),
		)
		if err != nil {
			return fmt.Errorf("forget what is old: %w", err)
		}
		return nil
	})
}
