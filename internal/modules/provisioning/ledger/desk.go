package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Desk is how the work on one target goes.
type Desk struct{ sqlgen.ProvisioningTarget }

// Paused reports whether an administrator stopped the work.
func (d Desk) Paused() bool { return !d.PausedAt.IsZero() }

// Away reports whether the service is taken for away.
func (d Desk) Away() bool { return !d.OpenedAt.IsZero() }

// Braked reports whether closures wait for an administrator.
func (d Desk) Braked() bool { return !d.BrakedAt.IsZero() }

// Pace is how long one account takes, as measured; zero before the first one.
func (d Desk) Pace() time.Duration {
	return time.Duration(d.ProvisioningTarget.Pace) * time.Microsecond
}

// Desk is the desk of a target; one that nobody has worked at yet is empty.
func (l *Ledger) Desk(ctx context.Context, target string) (Desk, error) {
	row, err := l.read().Target(ctx, target)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Desk{}, fmt.Errorf("read how %s goes: %w", target, err)
	}
	return Desk{row}, nil
}

// Desks are all desks, by target.
func (l *Ledger) Desks(ctx context.Context) (map[string]Desk, error) {
	rows, err := l.read().Targets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read how the targets go: %w", err)
	}
	desks := make(map[string]Desk, len(rows))
	for _, r := range rows {
		desks[r.TargetID] = Desk{r}
	}
	return desks, nil
}

// Furnish makes the desk of a target and keeps its setting, a digest of the
// configuration.
func (l *Ledger) Furnish(ctx context.Context, target, setting string) error {
	return l.write(ctx, "prepare "+target, func(q *sqlgen.Queries, _ db.Tx) error {
		if err := q.AddTarget(ctx, target); err != nil {
			return err
		}
		return q.SetSetting(ctx, sqlgen.SetSettingParams{TargetID: target, Setting: setting})
	})
}

// TakeLease gives a target to one worker for a while; false when another has it.
func (l *Ledger) TakeLease(ctx context.Context, target, lease string, last time.Duration) (taken bool, err error) {
	err = l.db.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).TakeLease(ctx, sqlgen.TakeLeaseParams{TargetID: target, Lease: lease, EndsAt: tx.Now().Add(last), NowAt: tx.Now()})
		taken = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take %s: %w", target, err)
	}
	return taken, nil
}

// KeepLease lengthens a lease; false when it was lost.
func (l *Ledger) KeepLease(ctx context.Context, target, lease string, last time.Duration) (kept bool, err error) {
	err = l.db.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).KeepLease(ctx, sqlgen.KeepLeaseParams{TargetID: target, Lease: lease, LeaseEndsAt: tx.Now().Add(last)})
		kept = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keep %s: %w", target, err)
	}
	return kept, nil
}

// GiveLease lets others work on a target.
func (l *Ledger) GiveLease(ctx context.Context, target, lease string) error {
	return l.write(ctx, "give up "+target, func(q *sqlgen.Queries, _ db.Tx) error {
		return q.GiveLease(ctx, sqlgen.GiveLeaseParams{TargetID: target, Lease: lease})
	})
}

func (l *Ledger) write(ctx context.Context, what string, do func(*sqlgen.Queries, db.Tx) error) error {
	if err := l.db.InTx(ctx, func(tx db.Tx) error { return do(sqlgen.New(tx), tx) }); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Pause stops the work on a target, or lets it go on.
func (l *Ledger) Pause(ctx context.Context, target string, by campus.PersonID, stop bool) error {
	return l.write(ctx, "pause "+target, func(q *sqlgen.Queries, tx db.Tx) error {
		p := sqlgen.PauseParams{TargetID: target}
		if stop {
			p.PausedAt, p.PausedBy = tx.Now(), string(by)
		}
		return q.Pause(ctx, p)
	})
}

// OpenBreaker takes a service for away. First reports whether it was there until
// now: of many who notice, one raises the alarm.
func (l *Ledger) OpenBreaker(ctx context.Context, target, reason, detail string, pause time.Duration) (first bool, err error) {
	err = l.write(ctx, "note that "+target+" is away", func(q *sqlgen.Queries, tx db.Tx) error {
		n, err := q.OpenBreaker(ctx, sqlgen.OpenBreakerParams{TargetID: target, NowAt: tx.Now(), ProbeAt: tx.Now().Add(pause)})
		if first = n == 1; err != nil {
			return err
		}
		if !first {
			if err := q.ProbeLater(ctx, sqlgen.ProbeLaterParams{TargetID: target, ProbeAt: tx.Now().Add(pause)}); err != nil {
				return err
			}
		}
		return q.NoteFailure(ctx, sqlgen.NoteFailureParams{TargetID: target, Reason: reason, Detail: detail, FailedAt: tx.Now()})
	})
	return first, err
}

// CloseBreaker notes that a service is back; was reports whether it was away.
func (l *Ledger) CloseBreaker(ctx context.Context, target string) (was bool, err error) {
	err = l.write(ctx, "note that "+target+" is back", func(q *sqlgen.Queries, _ db.Tx) error {
		n, err := q.CloseBreaker(ctx, target)
		was = n == 1
		return err
	})
	return was, err
}

// NoteFailure keeps the last failure that was not one person's.
func (l *Ledger) NoteFailure(ctx context.Context, target, reason, detail string) error {
	return l.write(ctx, "note a failure of "+target, func(q *sqlgen.Queries, tx db.Tx) error {
		return q.NoteFailure(ctx, sqlgen.NoteFailureParams{TargetID: target, Reason: reason, Detail: detail, FailedAt: tx.Now()})
	})
}

// NotePace keeps how long one account takes.
func (l *Ledger) NotePace(ctx context.Context, target string, pace time.Duration) error {
	return l.write(ctx, "note the pace of "+target, func(q *sqlgen.Queries, tx db.Tx) error {
		return q.NotePace(ctx, sqlgen.NotePaceParams{TargetID: target, Pace: pace.Microseconds(), AnsweredAt: tx.Now()})
	})
}

// Closures is how a target stands with closing accounts.
type Closures struct {
	Waiting int64 // that may be done now
	Lately  int64 // done in the last day
	Open    int64 // accounts that exist
}

// Closures counts them.
func (l *Ledger) Closures(ctx context.Context, target string) (c Closures, err error) {
	now, q := l.db.Now(), l.read()
	if c.Waiting, err = q.CountClosures(ctx, sqlgen.CountClosuresParams{TargetID: target, DueAt: now}); err != nil || c.Waiting == 0 {
		return c, wrapCount(target, err)
	}
	if c.Lately, err = q.CountClosed(ctx, sqlgen.CountClosedParams{TargetID: target, DoneAt: now.Add(-24 * time.Hour)}); err != nil {
		return c, wrapCount(target, err)
	}
	c.Open, err = q.CountOpen(ctx, target)
	return c, wrapCount(target, err)
}

func wrapCount(target string, err error) error {
	if err != nil {
		return fmt.Errorf("count the closures of %s: %w", target, err)
	}
	return nil
}

// Closing are the lines whose closure may be done now, the oldest first.
func (l *Ledger) Closing(ctx context.Context, target string, most int) ([]Account, error) {
	rows, err := l.read().Closing(ctx, sqlgen.ClosingParams{TargetID: target, DueAt: l.db.Now(), Limit: int32(most)})
	if err != nil {
		return nil, wrapCount(target, err)
	}
	return accountsOf(rows), nil
}

// Brake stops the closures of a target; first reports whether it just did.
func (l *Ledger) Brake(ctx context.Context, target string) (first bool, err error) {
	err = l.write(ctx, "brake "+target, func(q *sqlgen.Queries, tx db.Tx) error {
		n, err := q.Brake(ctx, sqlgen.BrakeParams{TargetID: target, BrakedAt: tx.Now()})
		first = n == 1
		return err
	})
	return first, err
}

// Unbrake lets closures go on because there are few again.
func (l *Ledger) Unbrake(ctx context.Context, target string) error {
	return l.write(ctx, "let the brake of "+target+" go", func(q *sqlgen.Queries, _ db.Tx) error {
		_, err := q.Unbrake(ctx, target)
		return err
	})
}

// LetGo lets so many closures through, as an administrator decided.
func (l *Ledger) LetGo(ctx context.Context, target string, many int64) error {
	return l.write(ctx, "let closures of "+target+" go", func(q *sqlgen.Queries, _ db.Tx) error {
		return q.LetGo(ctx, sqlgen.LetGoParams{TargetID: target, LetGo: many})
	})
}

// LetOneGo counts down what an administrator let through.
func (l *Ledger) LetOneGo(ctx context.Context, tx db.Tx, target string) error {
	if err := sqlgen.New(tx).LetOneGo(ctx, target); err != nil {
		return fmt.Errorf("count a closure of %s: %w", target, err)
	}
	return nil
}

// TargetsWithWork are the targets in which something may be done now.
func (l *Ledger) TargetsWithWork(ctx context.Context) ([]string, error) {
	list, err := l.read().TargetsWithWork(ctx, l.db.Now())
	if err != nil {
		return nil, fmt.Errorf("read where there is work: %w", err)
	}
	return list, nil
}

// Queue is how many lines of a target may be worked on now.
func (l *Ledger) Queue(ctx context.Context, target string) (int64, error) {
	n, err := l.read().CountDue(ctx, sqlgen.CountDueParams{TargetID: target, DueAt: l.db.Now()})
	if err != nil {
		return 0, fmt.Errorf("count the queue of %s: %w", target, err)
	}
	return n, nil
}

// States counts the lines of each target by state.
func (l *Ledger) States(ctx context.Context) (map[string]map[contract.AccountState]int64, error) {
	rows, err := l.read().CountStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("count accounts: %w", err)
	}
	counts := map[string]map[contract.AccountState]int64{}
	for _, r := range rows {
		if counts[r.TargetID] == nil {
			counts[r.TargetID] = map[contract.AccountState]int64{}
		}
		counts[r.TargetID][contract.AccountState(r.State)] = r.Many
	}
	return counts, nil
}

// Reasons counts the lines of a target by what stands in their way.
func (l *Ledger) Reasons(ctx context.Context, target string) (map[string]int64, error) {
	rows, err := l.read().CountReasons(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("count reasons of %s: %w", target, err)
	}
	counts := make(map[string]int64, len(rows))
	for _, r := range rows {
		counts[r.Reason] = r.Many
	}
	return counts, nil
}

// Report is what the nightly comparison found.
type Report struct {
	Listed    int           `json:"listed"`    // accounts that the service has
	Ours      int           `json:"ours"`      // of them with one of our keys
	Missing   int           `json:"missing"`   // ready in the ledger, and not there
	Changed   int           `json:"changed"`   // there, and not as we made them
	Strangers int           `json:"strangers"` // with our key, and not in the ledger
	Doubles   int           `json:"doubles"`   // people with several accounts
	Samples   []Sample      `json:"samples,omitempty"`
	Took      time.Duration `json:"took"`
}

// Sample is one account that the comparison found something about.
type Sample struct {
	Finding string          `json:"finding"` // missing, changed, stranger, double
	Person  campus.PersonID `json:"person,omitempty"`
	Remote  string          `json:"remote,omitempty"` // identifier in the service
	Login   string          `json:"login,omitempty"`
}

// KeepReport keeps what the comparison of a target found.
func (l *Ledger) KeepReport(ctx context.Context, target string, r Report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep the report of %s: %w", target, err)
	}
	return l.write(ctx, "keep the report of "+target, func(q *sqlgen.Queries, tx db.Tx) error {
		return q.SetReport(ctx, sqlgen.SetReportParams{TargetID: target, ComparedAt: tx.Now(), Report: string(text)})
	})
}

// Report is what the last comparison found; ok is false before the first one.
func (d Desk) Report() (r Report, ok bool, err error) {
	if d.ProvisioningTarget.Report == "" {
		return Report{}, false, nil
	}
	if err := json.Unmarshal([]byte(d.ProvisioningTarget.Report), &r); err != nil {
		return Report{}, false, fmt.Errorf("read the report of %s: %w", d.TargetID, err)
	}
	return r, true, nil
}
