package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Removal is an account in a service of somebody who is erased.
type Removal struct{ sqlgen.ProvisioningRemoval }

// State is how far the removal is.
func (r Removal) State() contract.RemovalState {
	return contract.RemovalState(r.ProvisioningRemoval.State)
}

// Since is when it ended, or when it was asked for.
func (r Removal) Since() time.Time {
	if r.EndedAt.IsZero() {
		return r.AskedAt.Time()
	}
	return r.EndedAt.Time()
}

// AskRemoval has the account of a line removed, from an instant on. Asking twice for
// one erasure is asking once.
func (l *Ledger) AskRemoval(ctx context.Context, tx db.Tx, erasure string, a Account, from db.Time) error {
	err := sqlgen.New(tx).AskRemoval(ctx, sqlgen.AskRemovalParams{
		ID: id.New(), Erasure: erasure, TargetID: a.TargetID, Person: a.Person, Login: a.Login, RemoteID: a.RemoteID, DueAt: from, AskedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("ask %s to remove an account: %w", a.TargetID, err)
	}
	return nil
}

// RemovalsDue are those of a target that may be tried now.
func (l *Ledger) RemovalsDue(ctx context.Context, target string, most int) ([]Removal, error) {
	rows, err := l.read().RemovalsDue(ctx, sqlgen.RemovalsDueParams{TargetID: target, NowAt: l.db.Now(), Most: int32(most)})
	return removalsOf(rows, err)
}

// RemovalsFor are those of one erasure, by target.
func (l *Ledger) RemovalsFor(ctx context.Context, erasure string) ([]Removal, error) {
	rows, err := l.read().RemovalsOf(ctx, erasure)
	return removalsOf(rows, err)
}

// RemovalsOf are those of one person that are not over.
func (l *Ledger) RemovalsOf(ctx context.Context, who campus.PersonID) ([]Removal, error) {
	rows, err := l.read().PersonRemovals(ctx, string(who))
	return removalsOf(rows, err)
}

// OpenRemovals are those that are not over, the oldest first, and how many there are.
func (l *Ledger) OpenRemovals(ctx context.Context, most, skip int) ([]Removal, int64, error) {
	n, err := l.read().CountOpenRemovals(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("count removals: %w", err)
	}
	rows, err := l.read().OpenRemovals(ctx, sqlgen.OpenRemovalsParams{Limit: int32(most), Offset: int32(skip)})
	list, err := removalsOf(rows, err)
	return list, n, err
}

// Removal is one; ok is false when there is none.
func (l *Ledger) Removal(ctx context.Context, removal string) (r Removal, ok bool, err error) {
	row, err := l.read().Removal(ctx, removal)
	if errors.Is(err, sql.ErrNoRows) {
		return Removal{}, false, nil
	}
	if err != nil {
		return Removal{}, false, fmt.Errorf("read a removal: %w", err)
	}
	return Removal{row}, true, nil
}

// BeingRemoved reports whether somebody's account in a target is to be removed.
func (l *Ledger) BeingRemoved(ctx context.Context, q db.Querier, target string, who campus.PersonID) (bool, error) {
	n, err := sqlgen.New(q).CountRemovalsOf(ctx, sqlgen.CountRemovalsOfParams{TargetID: target, Person: string(who)})
	if err != nil {
		return false, fmt.Errorf("read the removals of a person: %w", err)
	}
	return n > 0, nil
}

// SharedWith is how many other people have the same account of a target.
func (l *Ledger) SharedWith(ctx context.Context, r Removal, remote string) (int64, error) {
	n, err := l.read().CountOthersAt(ctx, sqlgen.CountOthersAtParams{TargetID: r.TargetID, RemoteID: remote, Person: r.Person})
	if err != nil {
		return 0, fmt.Errorf("read whose account it is: %w", err)
	}
	return n, nil
}

// PutRemovalOff notes why a removal did not succeed, and when it is tried again.
func (l *Ledger) PutRemovalOff(ctx context.Context, r Removal, reason, detail string, pause time.Duration) error {
	return l.write(ctx, "put a removal off", func(q *sqlgen.Queries, tx db.Tx) error {
		return q.PutRemovalOff(ctx, sqlgen.PutRemovalOffParams{ID: r.ID, Reason: reason, Detail: detail, DueAt: tx.Now().Add(pause)})
	})
}

// EndRemoval ends one, which then forgets whose account it was; ended is false when
// it was over before. By is who says that it was done by hand.
func (l *Ledger) EndRemoval(ctx context.Context, tx db.Tx, r Removal, s contract.RemovalState, by campus.PersonID) (ended bool, err error) {
	n, err := sqlgen.New(tx).EndRemoval(ctx, sqlgen.EndRemovalParams{ID: r.ID, State: string(s), EndedAt: tx.Now(), EndedBy: string(by)})
	if err != nil {
		return false, fmt.Errorf("end a removal: %w", err)
	}
	return n == 1, nil
}

// HurryRemoval has one tried now; false when it is over.
func (l *Ledger) HurryRemoval(ctx context.Context, tx db.Tx, removal string) (bool, error) {
	n, err := sqlgen.New(tx).HurryRemoval(ctx, sqlgen.HurryRemovalParams{ID: removal, DueAt: tx.Now()})
	if err != nil {
		return false, fmt.Errorf("try a removal again: %w", err)
	}
	return n == 1, nil
}

func removalsOf(rows []sqlgen.ProvisioningRemoval, err error) ([]Removal, error) {
	if err != nil {
		return nil, fmt.Errorf("list removals: %w", err)
	}
	list := make([]Removal, len(rows))
	for i, r := range rows {
		list[i] = Removal{r}
	}
	return list, nil
}

// Pause is how long to wait before a removal that failed is tried again: longer and
// longer while a service is away, an hour when somebody has to mend something.
func (r Removal) Pause(ofEverybody bool) time.Duration {
	if ofEverybody {
		return pause(r.Attempts + 1)
	}
	return time.Hour
}
