package risk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Cause says why an account was locked.
type Cause string

// The causes of a lock.
const (
	ByFailures Cause = "failures" // too many wrong passwords in a row
	ByRules    Cause = "rules"    // the right password, and too many points
	ByOwner    Cause = "owner"    // its owner asked for it
)

// How says how a lock ended before its time.
type How string

// The ways to lift a lock.
const (
	ByFactor How = "factor" // its owner proved a second factor
	ByLink   How = "link"   // the link of a letter
	ByCode   How = "code"   // the code of a letter
)

// Locked is one temporary lock.
type Locked struct {
	ID     string
	Person campus.PersonID
	// Device is the one known browser that it holds for; empty when it holds for
	// all that their owner never used. So a stranger who guesses locks strangers
	// out, and not the owner.
	Device       string
	Cause        Cause
	Findings     []Finding // of the rules
	Since, Until time.Time
	LiftedAt     time.Time // zero while it holds, or when time ended it
	LiftedBy     campus.PersonID
	How          How
}

// Holds reports whether the lock is in force.
func (l Locked) Holds(now time.Time) bool { return l.LiftedAt.IsZero() && l.Until.After(now) }

// staleStrikes is how long failures count together, and how long a lock makes the
// next one longer.
const staleStrikes = 24 * time.Hour

// strike counts one failure, and locks at every LockAfter-th.
func (x *Risk) strike(ctx context.Context, tx db.Tx, c Circumstances) error {
	if x.config.LockAfter == 0 {
		return nil
	}
	subject := x.subject(c)
	n, err := sqlgen.New(tx).Strike(ctx, sqlgen.StrikeParams{Subject: subject, Browser: c.Device, NowAt: tx.Now(), StaleAt: tx.Now().Add(-staleStrikes)})
	if err != nil {
		return fmt.Errorf("count a failure: %w", err)
	}
	if n.Failures < int64(x.config.LockAfter) {
		return nil
	}
	_, err = x.lock(ctx, tx, subject, c.Device, ByFailures, nil)
	return err
}

// clearStrikes forgets the failures of the browser in which somebody got in: as it
// was when the password was right, since a new one is known by now.
func (x *Risk) clearStrikes(ctx context.Context, tx db.Tx, s Signal) error {
	q, browser := sqlgen.New(tx), s.Device
	if s.Verdict.Signal != "" {
		before, err := q.BrowserOfSignal(ctx, s.Verdict.Signal)
		if err != nil { // Note has just written it
			return fmt.Errorf("read the browser of a sign-in: %w", err)
		}
		browser = before
	}
	if err := q.ClearStrikes(ctx, sqlgen.ClearStrikesParams{Subject: x.subject(s.Circumstances), Browser: browser}); err != nil {
		return fmt.Errorf("forget the failures of an account: %w", err)
	}
	return nil
}

// Lock locks an account because of a verdict, in the browser of the sign-in if its
// owner knows it, or else in all that they do not. Each lock within a day lasts
// longer than the one before; one that holds already is not prolonged. Its owner
// gets a letter with the way to lift it.
func (x *Risk) Lock(ctx context.Context, tx db.Tx, c Circumstances, v Verdict) (Locked, error) {
	return x.lock(ctx, tx, x.subject(c), c.Device, ByRules, v.Findings)
}

// ownLock is how long a lock lasts that its owner asked for: time enough to change
// the password, and to look at what happened.
const ownLock = 24 * time.Hour

// LockOneself locks an account because its owner, inside a session, asks for it:
// nobody signs in to it any more without a second factor or the code of a letter,
// except in browsers that are known; forget those first. Open sessions stay.
func (x *Risk) LockOneself(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	_, err := x.lock(ctx, tx, string(who), "", ByOwner, nil)
	return err
}

func (x *Risk) lock(ctx context.Context, tx db.Tx, subject, browser string, cause Cause, findings []Finding) (Locked, error) {
	q, now := sqlgen.New(tx), tx.Now()
	held, holds, err := lockOf(ctx, tx, subject, browser, now)
	if err != nil {
		return Locked{}, err
	}
	if holds && cause == ByRules {
		return held, nil // its owner tries again: that is no reason to wait longer
	}
	before, err := q.StepOf(ctx, sqlgen.StepOfParams{Subject: subject, Browser: browser, StaleAt: now.Add(-staleStrikes)})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Locked{}, fmt.Errorf("count the locks of an account: %w", err)
	}
	if err := q.NextStep(ctx, sqlgen.NextStepParams{Subject: subject, Browser: browser, NowAt: now}); err != nil {
		return Locked{}, fmt.Errorf("count a lock: %w", err)
	}
	until := now.Add(x.config.step(before))
	if cause == ByOwner {
		until = now.Add(ownLock)
	}
	if holds {
		if _, err := q.ExtendLock(ctx, sqlgen.ExtendLockParams{ID: held.ID, UntilAt: until}); err != nil {
			return Locked{}, fmt.Errorf("prolong a lock: %w", err)
		}
		if until.Time().After(held.Until) {
			held.Until = until.Time()
		}
		return held, nil
	}
	body, err := json.Marshal(findings)
	if err != nil {
		return Locked{}, fmt.Errorf("write the findings of a lock: %w", err)
	}
	l := sqlgen.OpenLockParams{
		ID: id.New(), Subject: subject, Browser: browser, Cause: string(cause), Findings: string(body), SinceAt: now, UntilAt: until,
	}
	if err := q.OpenLock(ctx, l); err != nil {
		return Locked{}, fmt.Errorf("lock an account: %w", err)
	}
	// The letter is a job, also for nobody: how long a try takes must not tell
	// whether there is anybody to write to.
	if err := jobs.Enqueue(ctx, tx, TellLock{Lock: l.ID}, jobs.UniqueKey(l.ID)); err != nil {
		return Locked{}, err
	}
	return Locked{ID: l.ID, Person: personOf(subject), Device: browser, Cause: cause, Findings: findings, Since: now.Time(), Until: until.Time()}, nil
}

// LockOf is the lock that holds for somebody in one browser: device is its
// identifier when they were signed in with it before, and empty otherwise. ok is
// false when there is none.
func (x *Risk) LockOf(ctx context.Context, who campus.PersonID, device string) (l Locked, ok bool, err error) {
	return lockOf(ctx, x.DB.Read(), string(who), device, db.At(x.Clock.Now()))
}

func lockOf(ctx context.Context, q db.Querier, subject, browser string, now db.Time) (Locked, bool, error) {
	row, err := sqlgen.New(q).LockOf(ctx, sqlgen.LockOfParams{Subject: subject, Browser: browser, NowAt: now})
	if errors.Is(err, sql.ErrNoRows) {
		return Locked{}, false, nil
	}
	if err != nil {
		return Locked{}, false, fmt.Errorf("look for a lock: %w", err)
	}
	l, err := lockedOf(sqlgen.LockByIDRow(row))
	return l, err == nil, err
}

// Locks are the latest locks of somebody, newest first, at most twenty.
func (x *Risk) Locks(ctx context.Context, who campus.PersonID) ([]Locked, error) {
	rows, err := sqlgen.New(x.DB.Read()).LocksOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list the locks of %s: %w", who, err)
	}
	locks := make([]Locked, len(rows))
	for i, row := range rows {
		if locks[i], err = lockedOf(sqlgen.LockByIDRow(row)); err != nil {
			return nil, err
		}
	}
	return locks, nil
}

func lockedOf(row sqlgen.LockByIDRow) (Locked, error) {
	l := Locked{
		ID: row.ID, Person: personOf(row.Subject), Device: row.Browser, Cause: Cause(row.Cause),
		Since: row.SinceAt.Time(), Until: row.UntilAt.Time(), LiftedAt: row.LiftedAt.Time(), LiftedBy: campus.PersonID(row.LiftedBy), How: How(row.How),
	}
	if err := json.Unmarshal([]byte(row.Findings), &l.Findings); err != nil {
		return Locked{}, fmt.Errorf("read the findings of a lock: %w", err)
	}
	return l, nil
}

// personOf is the person behind a subject; empty for nobody.
func personOf(subject string) campus.PersonID {
	if strings.HasPrefix(subject, nobody) {
		return ""
	}
	return campus.PersonID(subject)
}
