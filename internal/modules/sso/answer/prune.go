package answer

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

const (
	// unusedKept is how long an answer that opened nothing can be explained.
	unusedKept = 24 * time.Hour
	// endsKept is longer than any request takes: after that nobody issues an answer
	// for a session that has ended.
	endsKept = 24 * time.Hour
	// lostKept bounds what no session ever claimed: longer than any session.
	lostKept = 400 * 24 * time.Hour
	// pruneAtOnce is how many rows one transaction deletes: few enough that nobody
	// who signs in waits for it.
	pruneAtOnce = 500
)

// Prune deletes what nobody needs to read any more: answers that opened nothing
// after a day, the rest once it is older than history.
func (s *Store) Prune(ctx context.Context, history time.Duration) error {
	now := s.db.Now()
	kept := now.Add(-history)
	for _, piece := range []func(*sqlgen.Queries) (int64, error){
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneAnswers(ctx, sqlgen.PruneAnswersParams{
				UnusedBefore: now.Add(-unusedKept), EndedBefore: kept, LostBefore: now.Add(-lostKept), Most: pruneAtOnce,
			})
		},
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneSessions(ctx, sqlgen.PruneSessionsParams{SeenAt: now.Add(-endsKept), Limit: pruneAtOnce})
		},
		func(q *sqlgen.Queries) (int64, error) {
			return q.PruneLogouts(ctx, sqlgen.PruneLogoutsParams{CreatedAt: kept, Limit: pruneAtOnce})
		},
	} {
		for n := int64(pruneAtOnce); n == pruneAtOnce; {
			err := s.db.InTx(ctx, func(tx db.Tx) (err error) {
				n, err = piece(sqlgen.New(tx))
				return err
			})
			if err != nil {
				return fmt.Errorf("forget old answers and sign-outs: %w", err)
			}
		}
	}
	return nil
}
