package sso

import (
	"context"
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

// pruneAtOnce is how many rows one transaction deletes: few enough that nobody
// who signs in waits for it.
const pruneAtOnce = 500

// prune deletes what nobody needs to read any more.
func (m *Module) prune(ctx context.Context) error {
	now := m.DB.Now()
	kept := now.Add(-m.config.History)
	for what, piece := range map[string]func(*sqlgen.Queries) (int64, error){
		"tickets": func(q *sqlgen.Queries) (int64, error) {
			return q.PruneTickets(ctx, sqlgen.PruneTicketsParams{
				UnusedBefore: now.Add(-unusedKept), EndedBefore: kept, LostBefore: now.Add(-lostKept), Most: pruneAtOnce,
			})
		},
		"sign-outs": func(q *sqlgen.Queries) (int64, error) {
			return q.PruneLogouts(ctx, sqlgen.PruneLogoutsParams{CreatedAt: kept, Limit: pruneAtOnce})
		},
		"incidents": func(q *sqlgen.Queries) (int64, error) {
			return q.PruneIncidents(ctx, sqlgen.PruneIncidentsParams{LastAt: kept, Limit: pruneAtOnce})
		},
		"mails": func(q *sqlgen.Queries) (int64, error) { return q.PruneContactMails(ctx, day(kept)) },
	} {
		for n := int64(pruneAtOnce); n == pruneAtOnce; {
			err := m.DB.InTx(ctx, func(tx db.Tx) (err error) {
				n, err = piece(sqlgen.New(tx))
				return err
			})
			if err != nil {
				return fmt.Errorf("forget old %s: %w", what, err)
			}
		}
	}
	return nil
}
