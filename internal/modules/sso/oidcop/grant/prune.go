package grant

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// pruneAtOnce is how many rows one transaction deletes: few enough that nobody
// who signs in waits for it.
const pruneAtOnce = 500

// grace is how long an expired token can be told from one that never was.
const grace = 24 * time.Hour

// Prune deletes what has run out. Grants of people stay for history, which is what
// they may ask about.
func (s *Store) Prune(ctx context.Context, history time.Duration) error {
	now := s.db.Now()
	late := now.Add(-grace)
	for _, piece := range []func(*sqlgen.Queries) (int64, error){
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneTokens(ctx, sqlgen.PruneTokensParams{ExpiresAt: late, Limit: pruneAtOnce})
		},
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneGrants(ctx, sqlgen.PruneGrantsParams{ExpiresAt: now.Add(-history), Limit: pruneAtOnce})
		},
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneDevices(ctx, sqlgen.PruneDevicesParams{ExpiresAt: late, Limit: pruneAtOnce})
		},
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneRequests(ctx, sqlgen.PruneRequestsParams{ExpiresAt: late, Limit: pruneAtOnce})
		},
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneSeen(ctx, sqlgen.PruneSeenParams{ExpiresAt: now, Limit: pruneAtOnce})
		},
	} {
		for n := int64(pruneAtOnce); n == pruneAtOnce; {
			err := s.db.InTx(ctx, func(tx db.Tx) (err error) {
				n, err = piece(sqlgen.New(tx))
				return err
			})
			if err != nil {
				return fmt.Errorf("forget what has run out: %w", err)
			}
		}
	}
	return nil
}
