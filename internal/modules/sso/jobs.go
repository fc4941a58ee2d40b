package sso

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Jobs tells services that sessions ended, and forgets what is old.
func (m *Module) Jobs(r *jobs.Registry) {
	m.answers.Jobs(r, answer.Teller{
		Registry: m.services, Closers: m.closers(),
		Attempts: m.config.LogoutAttempts, Timeout: m.config.LogoutTimeout, Missed: m.missed,
	})
	r.Every("sso.prune", time.Hour, m.prune)
	m.keys.Jobs(r)
	for _, owner := range those[jobOwner](m.alcoves()) {
		owner.Jobs(r)
	}
}

// pruneAtOnce is how many rows one transaction deletes: few enough that nobody
// who signs in waits for it.
const pruneAtOnce = 500

// prune deletes what nobody needs to read any more.
func (m *Module) prune(ctx context.Context) error {
	if err := m.answers.Prune(ctx, m.config.History); err != nil {
		return err
	}
	kept := m.DB.Now().Add(-m.config.History)
	for what, piece := range map[string]func(*sqlgen.Queries) (int64, error){
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
