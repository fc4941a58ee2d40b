// Package stamp notes who changed when, so that each server can keep the directory
// in memory and read again only what changed since it looked.
package stamp

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Topic is announced with every stamp, for the server that wrote it.
const Topic = "directory.changed"

// Units is the subject of every change of the org chart. The other subjects are
// people.
const Units = "units"

// Overlap is how far back a reader looks beyond the newest stamp that it saw. A
// transaction has its instant from its beginning and may commit after one that
// began later; none lasts longer than this.
const Overlap = 10 * time.Second

// Person notes that something about somebody changed.
func Person(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	return Subject(ctx, tx, string(who))
}

// Subject notes that a subject changed. Its stamp always moves, also when two
// changes share an instant or commit in another order than they began.
func Subject(ctx context.Context, tx db.Tx, subject string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO directory_stamps (subject, changed_at) VALUES ($1, $2)
		ON CONFLICT (subject) DO UPDATE SET changed_at = CASE
			WHEN excluded.changed_at > directory_stamps.changed_at THEN excluded.changed_at ELSE directory_stamps.changed_at + 1 END`, subject, tx.Now())
	if err != nil {
		return fmt.Errorf("note that %s changed: %w", subject, err)
	}
	tx.Announce(Topic)
	return nil
}

// Newest is the instant of the newest stamp; none is zero.
func Newest(ctx context.Context, q db.Querier) (db.Time, error) {
	var at db.Time
	if err := q.QueryRowContext(ctx, "SELECT MAX(changed_at) FROM directory_stamps").Scan(&at); err != nil {
		return 0, fmt.Errorf("read the newest change: %w", err)
	}
	return at, nil
}

// Change is when a subject changed last.
type Change struct {
	Subject string
	At      db.Time
}

// Since lists what changed at an instant or after it.
func Since(ctx context.Context, q db.Querier, at db.Time) ([]Change, error) {
	rows, err := q.QueryContext(ctx, "SELECT subject, changed_at FROM directory_stamps WHERE changed_at >= $1", at)
	if err != nil {
		return nil, fmt.Errorf("list what changed: %w", err)
	}
	defer rows.Close()
	var changes []Change
	for rows.Next() {
		var c Change
		if err := rows.Scan(&c.Subject, &c.At); err != nil {
			return nil, fmt.Errorf("list what changed: %w", err)
		}
		changes = append(changes, c)
	}
	return changes, rows.Err()
}

// Kept is how long a stamp stays: every server has looked long before.
const Kept = 24 * time.Hour

// Forget drops old stamps.
func Forget(ctx context.Context, tx db.Tx) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM directory_stamps WHERE changed_at < $1", tx.Now().Add(-Kept)); err != nil {
		return fmt.Errorf("forget old changes: %w", err)
	}
	return nil
}
