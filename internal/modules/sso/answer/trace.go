package answer

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Health is how a service got on lately, from both sides.
type Health struct {
	Issued   int64 // answers that we gave
	Redeemed int64 // that it took
	Refused  int64 // that it showed wrongly
	Ignored  int64 // that it never came for, although it had [Patience]
	// LastAt is when it took one last; zero for never.
	LastAt time.Time
}

// Health counts the answers of a service since a moment.
func (s *Store) Health(ctx context.Context, service string, since time.Time) (Health, error) {
	row, err := sqlgen.New(s.db.Read()).ServiceHealth(ctx, sqlgen.ServiceHealthParams{
		ServiceID: service, Since: db.At(since), Patience: s.db.Now().Add(-Patience),
	})
	if err != nil {
		return Health{}, fmt.Errorf("count the answers of %s: %w", service, err)
	}
	return Health{Issued: row.Issued, Redeemed: row.Redeemed, Refused: row.Refused, Ignored: row.Ignored, LastAt: db.Time(row.LastUsed).Time()}, nil
}

// Walked lists what one session got for one service since a moment, the first
// first, at most twenty.
func (s *Store) Walked(ctx context.Context, session, service string, since time.Time) ([]Answer, error) {
	rows, err := sqlgen.New(s.db.Read()).WalkedAnswers(ctx, sqlgen.WalkedAnswersParams{SessionID: session, ServiceID: service, IssuedAt: db.At(since)})
	if err != nil {
		return nil, fmt.Errorf("list the answers of a session for %s: %w", service, err)
	}
	list := make([]Answer, len(rows))
	for i, row := range rows {
		list[i] = of(row)
	}
	return list, nil
}
