package risk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// unlockPurpose is what the codes that lift a lock are good for.
const unlockPurpose = "identity.unlock"

// keyLasts is how long the link and the code of a letter work.
const keyLasts = time.Hour

// keyBytes is the length of the token in a link: 256 bits.
const keyBytes = 32

// toldEvery keeps an attack that goes on for days from sending a letter for each of
// its locks. Whoever meets a lock can ask for a letter on its page at any time.
const toldEvery = 6 * time.Hour

// TellLock is the job that tells somebody of a lock.
type TellLock struct{ Lock string }

// JobName names the job.
func (TellLock) JobName() string { return "identity.tell_lock" }

// tellLock sends the letter of a lock, at most once.
func (x *Risk) tellLock(ctx context.Context, job TellLock) error {
	token := id.Token(keyBytes)
	l, err := x.lockByID(ctx, job.Lock)
	if err != nil {
		return err
	}
	if l.Person == "" || !l.Holds(x.Clock.Now()) {
		return nil
	}
	who, err := x.People.PersonByID(ctx, l.Person)
	if err != nil {
		return fmt.Errorf("find whose account is locked: %w", err)
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		last, err := q.LastTold(ctx, sqlgen.LastToldParams{Subject: string(l.Person), Browser: l.Device})
		if err != nil {
			return fmt.Errorf("look for the last letter: %w", err)
		}
		if tx.Now().Sub(last) < toldEvery {
			return nil
		}
		first, err := q.TellLock(ctx, sqlgen.TellLockParams{ID: l.ID, ToldAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("note that a lock was told: %w", err)
		}
		if first == 0 {
			return nil
		}
		if err := x.send(ctx, tx, who, l, token, "locked_"+string(l.Cause)); err != nil {
			return err
		}
		return x.Journal.Write(ctx, tx, journal.Event{Person: who.ID, Kind: "identity.locked", Facts: map[string]string{"cause": string(l.Cause)}})
	})
}

// send writes the letter with the link and the code that lift a lock.
func (x *Risk) send(ctx context.Context, tx db.Tx, who account.Person, l Locked, token, kind string) error {
	plain, err := x.Codes.Issue(ctx, tx, code.Ask{Purpose: unlockPurpose, Subject: string(who.ID), Person: who.ID, Lasts: keyLasts})
	if err != nil {
		return err // "too many codes" is for people to read
	}
	n, err := sqlgen.New(tx).SetKey(ctx, sqlgen.SetKeyParams{ID: l.ID, KeyHash: id.Hash(token), KeyUntilAt: tx.Now().Add(keyLasts)})
	if err != nil {
		return fmt.Errorf("store the key of a lock: %w", err)
	}
	if n == 0 {
		return NotLocked // lifted in this very moment
	}
	err = x.Post.Tell(ctx, tx, who, reach.Letter{
		Kind: kind, URL: "/login/unlock?" + url.Values{"token": {token}}.Encode(), Notice: "/identity/journal", Urgent: true,
		Args: []any{"until", l.Until, "wait", max(l.Until.Sub(tx.Now().Time()), time.Second), "code", plain, "lasts", keyLasts},
	})
	if err != nil {
		return fmt.Errorf("tell of a lock: %w", err)
	}
	return nil
}

// SendUnlock sends the owner of a locked account the link and the code that lift
// the lock, because an agent asks for it. An agent never lifts one: only who reads
// the owner's mail or phone does. The errors are [NotLocked] and those of the codes.
func (x *Risk) SendUnlock(ctx context.Context, actor campus.Viewer, who campus.PersonID, e journal.Event) error {
	if !actor.Can(campus.RightHelpdesk) && !actor.Can(campus.RightAdmin) {
		return web.RightMissing
	}
	locks, err := x.Locks(ctx, who)
	if err != nil {
		return err
	}
	now := x.Clock.Now()
	for _, l := range locks {
		if l.Holds(now) {
			e.Person, e.Actor, e.Kind = who, actor.Person, "identity.unlock_sent"
			return x.sendUnlock(ctx, l, &e)
		}
	}
	return NotLocked
}

// sendUnlock sends the letter that lifts a lock. e is for the journal; nil when the
// owner asked, which is no event beside the lock itself.
func (x *Risk) sendUnlock(ctx context.Context, l Locked, e *journal.Event) error {
	who, err := x.People.PersonByID(ctx, l.Person)
	if err != nil {
		return err
	}
	token := id.Token(keyBytes)
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		if err := x.send(ctx, tx, who, l, token, "unlock"); err != nil {
			return err
		}
		if e == nil {
			return nil
		}
		return x.Journal.Write(ctx, tx, *e)
	})
}

// Unlock lifts every lock of somebody, after they proved that they are the owner,
// and returns how many there were. Its failures are forgotten, and the rules do not
// lock again within the hour.
func (x *Risk) Unlock(ctx context.Context, tx db.Tx, how How, e journal.Event) (int, error) {
	q, now := sqlgen.New(tx), tx.Now()
	n, err := q.LiftLocks(ctx, sqlgen.LiftLocksParams{
		Subject: string(e.Person), LiftedAt: now, LiftedBy: string(e.Actor), How: string(how), RecentAt: now.Add(-keyLasts),
	})
	if err != nil {
		return 0, fmt.Errorf("lift a lock: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	if err := q.ClearAllStrikes(ctx, string(e.Person)); err != nil {
		return 0, fmt.Errorf("forget the failures of an account: %w", err)
	}
	e.Kind, e.Facts = "identity.unlocked", map[string]string{"how": string(how)}
	return int(n), x.Journal.Write(ctx, tx, e)
}

// unlockByToken lifts the locks of whoever got a letter with this token, once. The
// error is [KeyGone] for a token that is unknown, used, replaced or too old.
func (x *Risk) unlockByToken(ctx context.Context, token string, e journal.Event) (who campus.PersonID, err error) {
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		q, hash := sqlgen.New(tx), id.Hash(token)
		row, err := q.LockByKey(ctx, sqlgen.LockByKeyParams{KeyHash: hash, NowAt: tx.Now()})
		if errors.Is(err, sql.ErrNoRows) {
			return KeyGone
		}
		if err != nil {
			return fmt.Errorf("look for the key of a lock: %w", err)
		}
		taken, err := q.TakeKey(ctx, sqlgen.TakeKeyParams{ID: row.ID, KeyHash: hash})
		if err != nil {
			return fmt.Errorf("take the key of a lock: %w", err)
		}
		if taken == 0 {
			return KeyGone
		}
		who = personOf(row.Subject)
		e.Person, e.Actor = who, who
		_, err = x.Unlock(ctx, tx, ByLink, e)
		return err
	})
	return who, err
}

func (x *Risk) lockByID(ctx context.Context, lock string) (Locked, error) {
	row, err := sqlgen.New(x.DB.Read()).LockByID(ctx, lock)
	if err != nil {
		return Locked{}, fmt.Errorf("read a lock: %w", err)
	}
	return lockedOf(row)
}
