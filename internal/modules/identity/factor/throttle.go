package factor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Wrong codes slow down the next one, for each person and not for each browser:
// six digits would not hold long otherwise. People mistype, so the first few cost
// nothing; then the delay doubles. It is stored, so that a restart forgives
// nobody. Keys are not slowed down: nobody guesses a signature.
const (
	freeTries  = 5
	firstDelay = 15 * time.Second
	longest    = time.Hour
	forgiven   = 24 * time.Hour // without a wrong code
)

// delayAfter is how long the next code waits after so many wrong ones.
func delayAfter(failures int64) time.Duration {
	over := failures - freeTries
	switch {
	case over < 0:
		return 0
	case over >= 8: // 15 s · 2⁸ is past the hour
		return longest
	default:
		return min(firstDelay<<over, longest)
	}
}

// try counts a code as wrong before it is looked at: of many guesses that are
// sent at once, only as many are looked at as could be sent one by one. A right
// one is forgiven by [Factors.forgive]. Its fault is [Slowed].
func (f *Factors) try(ctx context.Context, who campus.PersonID) error {
	// Somebody who keeps guessing is refused without a write.
	before, err := sqlgen.New(f.DB.Read()).TriesOf(ctx, string(who))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("count codes: %w", err)
	}
	if now := f.DB.Now(); before.NextAt > now {
		return slowed(before.NextAt, now)
	}
	return f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.BeginTries(ctx, string(who)); err != nil {
			return fmt.Errorf("begin to count codes: %w", err)
		}
		row, err := q.TriesOf(ctx, string(who))
		if err != nil {
			return fmt.Errorf("count codes: %w", err)
		}
		now := tx.Now()
		failures := row.Failures + 1
		if now.Sub(row.LastAt) >= forgiven {
			failures = 1
		}
		n, err := q.CountTry(ctx, sqlgen.CountTryParams{
			PersonID: string(who), Before: row.Failures, Failures: failures, NowAt: now, NextAt: now.Add(delayAfter(failures)),
		})
		if err != nil {
			return fmt.Errorf("count a code: %w", err)
		}
		if n == 0 {
			// Either it is too early, or another code of the same moment was counted.
			return slowed(row.NextAt, now)
		}
		return nil
	})
}

func slowed(next, now db.Time) error {
	return Slowed.With(fault.Args{"wait": max(next.Sub(now), time.Second).Round(time.Second)})
}

// forgive forgets the wrong codes of somebody who proved a factor.
func (f *Factors) forgive(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	if err := sqlgen.New(tx).ForgiveTries(ctx, string(who)); err != nil {
		return fmt.Errorf("forget wrong codes: %w", err)
	}
	return nil
}
