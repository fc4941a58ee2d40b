package factor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Wrong codes slow down the next one: six digits would not hold long otherwise.
// They count for each browser that the person uses already, and for all others
// together: whoever has somebody's password and guesses from elsewhere does not
// keep the owner waiting in their own browser. People mistype, so the first few
// cost nothing; then the delay doubles. It is stored, so that a restart forgives
// nobody. Keys are not slowed down: nobody guesses a signature.
const (
	freeTries  = 5
	firstDelay = 15 * time.Second
	longest    = time.Hour
	forgiven   = 24 * time.Hour // without a wrong code
	// mostTroubled bounds how many known browsers of one person have delays of
	// their own at a time; a further one shares the delay of all others. Otherwise
	// many browsers would be many budgets.
	mostTroubled = 3
)

// anyOther stands for every browser that the person does not use.
const anyOther = ""

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
// sent at once, only as many are looked at as could be sent one by one. It returns
// where it was counted; a right one is forgiven there by [Factors.forgive]. Its
// fault is [Slowed].
func (f *Factors) try(ctx context.Context, a entry.Actor) (browser string, err error) {
	who := string(a.Person)
	if browser, err = f.budget(ctx, a); err != nil {
		return browser, err
	}
	// Somebody who keeps guessing is refused without a write.
	before, err := sqlgen.New(f.DB.Read()).TriesOf(ctx, sqlgen.TriesOfParams{PersonID: who, Browser: browser})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return browser, fmt.Errorf("count codes: %w", err)
	}
	if now := f.DB.Now(); before.NextAt > now {
		return browser, slowed(before.NextAt, now)
	}
	return browser, f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.BeginTries(ctx, sqlgen.BeginTriesParams{PersonID: who, Browser: browser}); err != nil {
			return fmt.Errorf("begin to count codes: %w", err)
		}
		row, err := q.TriesOf(ctx, sqlgen.TriesOfParams{PersonID: who, Browser: browser})
		if err != nil {
			return fmt.Errorf("count codes: %w", err)
		}
		now := tx.Now()
		failures := row.Failures + 1
		if now.Sub(row.LastAt) >= forgiven {
			failures = 1
		}
		n, err := q.CountTry(ctx, sqlgen.CountTryParams{
			PersonID: who, Browser: browser, Before: row.Failures, Failures: failures, NowAt: now, NextAt: now.Add(delayAfter(failures)),
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

// budget is where the codes of the actor's browser count.
func (f *Factors) budget(ctx context.Context, a entry.Actor) (browser string, err error) {
	if a.Browser == "" {
		return anyOther, nil
	}
	n, err := sqlgen.New(f.DB.Read()).OtherBrowsersInTrouble(ctx, sqlgen.OtherBrowsersInTroubleParams{
		PersonID: string(a.Person), Browser: a.Browser, SinceAt: f.DB.Now().Add(-forgiven),
	})
	if err != nil {
		return "", fmt.Errorf("count browsers with wrong codes: %w", err)
	}
	if n >= mostTroubled {
		return anyOther, nil
	}
	return a.Browser, nil
}

func slowed(next, now db.Time) error {
	return Slowed.With(fault.Args{"wait": max(next.Sub(now), time.Second).Round(time.Second)})
}

// forgive forgets the wrong codes of somebody who proved a factor, in that browser
// alone: those who guess elsewhere gain nothing when the owner signs in.
func (f *Factors) forgive(ctx context.Context, tx db.Tx, who campus.PersonID, browser string) error {
	if err := sqlgen.New(tx).ForgiveTries(ctx, sqlgen.ForgiveTriesParams{PersonID: string(who), Browser: browser}); err != nil {
		return fmt.Errorf("forget wrong codes: %w", err)
	}
	return nil
}
