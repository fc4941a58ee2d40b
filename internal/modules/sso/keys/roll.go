package keys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/keys/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// ErrUnderWay: the next key is already published, and signs when its time comes.
var ErrUnderWay = errors.New("the next key is already published")

// Roll makes the next key of every algorithm of a use and publishes it. It signs
// after the time that the configuration gives services to read it; the key before
// it stays published until what it signed has run out. It returns the instant of
// the change, and [ErrUnderWay] when one is prepared already.
func (r *Ring) Roll(ctx context.Context, use Use) (time.Time, error) {
	return r.roll(ctx, use, r.Config.ahead(use))
}

// Replace makes new keys that sign at once, and withdraws the others at once: for
// a key that was stolen. Services that do not read our keys again refuse what we
// sign until they do.
func (r *Ring) Replace(ctx context.Context, use Use) error {
	r.forget(use)
	all, err := r.line(ctx, use)
	if err != nil {
		return err
	}
	for _, algorithm := range policies[use].algorithms {
		serial := last(all, algorithm).serial + 1
		if err := r.make(ctx, use, algorithm, serial, 0); err != nil {
			return err
		}
		err := r.DB.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).EndKeys(ctx, sqlgen.EndKeysParams{Purpose: string(use), Algorithm: algorithm, Serial: serial, UntilAt: tx.Now()})
		})
		if err != nil {
			return fmt.Errorf("withdraw the keys of %s: %w", use, err)
		}
	}
	r.Log.WarnContext(ctx, "sso keys replaced at once", "use", string(use))
	r.forget(use)
	return nil
}

// Hasten lets the next keys of a use sign from now on, for an administrator who
// knows that every service has read them. It returns [ErrUnused] when none waits.
func (r *Ring) Hasten(ctx context.Context, use Use) error {
	r.forget(use)
	all, err := r.All(ctx, use)
	if err != nil {
		return err
	}
	waiting := false
	for _, k := range all {
		if k.State != Next {
			continue
		}
		waiting = true
		err := r.DB.InTx(ctx, func(tx db.Tx) error {
			q := sqlgen.New(tx)
			if _, err := q.SignNow(ctx, sqlgen.SignNowParams{ID: k.ID, SignsAt: tx.Now()}); err != nil {
				return err
			}
			return q.EndKeys(ctx, sqlgen.EndKeysParams{Purpose: string(use), Algorithm: k.Algorithm, Serial: k.serial, UntilAt: tx.Now().Add(policies[use].kept)})
		})
		if err != nil {
			return fmt.Errorf("let key %s sign: %w", k.ID, err)
		}
	}
	r.forget(use)
	if !waiting {
		return ErrUnused
	}
	return nil
}

func (r *Ring) roll(ctx context.Context, use Use, ahead time.Duration) (time.Time, error) {
	r.forget(use)
	all, err := r.line(ctx, use)
	if err != nil {
		return time.Time{}, err
	}
	now := r.Clock.Now()
	for _, algorithm := range policies[use].algorithms {
		if last(all, algorithm).NotBefore.After(now) {
			return last(all, algorithm).NotBefore, ErrUnderWay
		}
	}
	for _, algorithm := range policies[use].algorithms {
		if err := r.make(ctx, use, algorithm, last(all, algorithm).serial+1, ahead); err != nil {
			return time.Time{}, err
		}
	}
	r.forget(use)
	return now.Add(ahead), nil
}

// last is the newest key of an algorithm.
func last(all []Key, algorithm string) (newest Key) {
	for _, k := range all {
		if k.Algorithm == algorithm && k.serial > newest.serial {
			newest = k
		}
	}
	return newest
}

// Jobs changes keys when their time has come, and forgets those that nobody can
// meet any more.
func (r *Ring) Jobs(reg *jobs.Registry) {
	reg.Every("sso.roll_keys", time.Hour, func(ctx context.Context) error {
		for _, use := range Uses {
			if err := r.tend(ctx, use); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgotten is how long an ended key is kept: hints that it signed still tell who
// signs out.
const forgotten = 400 * 24 * time.Hour

// tend does what the hour asks for one use.
func (r *Ring) tend(ctx context.Context, use Use) error {
	all, err := r.line(ctx, use)
	if err != nil {
		return err
	}
	now, lifetime := r.Clock.Now(), r.Config.lifetime(use)
	if lifetime > 0 {
		for _, algorithm := range policies[use].algorithms {
			newest := last(all, algorithm)
			if !newest.NotBefore.Add(lifetime - r.Config.ahead(use)).After(now) {
				if _, err := r.Roll(ctx, use); err != nil && !errors.Is(err, ErrUnderWay) {
					return err
				}
				break
			}
		}
	}
	return r.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).PruneKeys(ctx, tx.Now().Add(-forgotten))
		return err
	})
}
