package jobs

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// State is where a job stands.
type State string

// The states of a job in the table; one that succeeded is no longer there.
const (
	Waiting State = "waiting"
	Running State = "running"
	Dead    State = "dead"
)

const (
	insertJob = `INSERT INTO jobs (id, name, args, unique_key, priority, state, due_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`

	// The plus keeps planners from the index on due_at alone, with which they
	// would sort the whole backlog for each claim; by jobs_due they read the
	// first few rows. MATERIALIZED makes PostgreSQL choose the rows once, whatever its plan, and
	// the outer condition is checked again if another server got there first.
	claimJobs = `WITH due AS MATERIALIZED (
	SELECT id FROM jobs WHERE +due_at <= $3 AND state <> 'dead' AND name IN {names}
	ORDER BY priority, due_at, id LIMIT $4 {lock}
)
UPDATE jobs SET state = 'running', worker = $1, due_at = $2, attempts = attempts + 1
WHERE id IN (SELECT id FROM due) AND due_at <= $3 AND state <> 'dead'
RETURNING id, name, args, attempts`

	nextDue = `SELECT due_at FROM jobs WHERE state <> 'dead' AND name IN {names} ORDER BY due_at LIMIT 1`

	extendLeases = `UPDATE jobs SET due_at = $1 WHERE worker = $2 AND state = 'running'`

	finishJob = `DELETE FROM jobs WHERE id = $1 AND worker = $2 AND state = 'running'`

	// A job that comes back to waiting gives way to one with the same key that
	// was enqueued meanwhile: that one will see what this one wanted done.
	supersededJob = `SELECT COUNT(*) FROM jobs AS j JOIN jobs AS other
	ON other.name = j.name AND other.unique_key = j.unique_key AND other.state = 'waiting' AND other.id <> j.id
WHERE j.id = $1 AND j.unique_key <> ''`

	deleteJob = `DELETE FROM jobs WHERE id = $1 AND state = $2 AND worker = $3`

	retryJob = `UPDATE jobs SET state = 'waiting', worker = '', due_at = $1, failed_at = $2, reason = $3, error = $4
WHERE id = $5 AND worker = $6 AND state = 'running'`

	returnJob = `UPDATE jobs SET state = 'waiting', worker = '', due_at = $1, attempts = attempts - 1
WHERE id = $2 AND worker = $3 AND state = 'running'`

	buryJob = `UPDATE jobs SET state = 'dead', worker = '', failed_at = $1, reason = $2, error = $3
WHERE id = $4 AND worker = $5 AND state = 'running'`

	reviveJob = `UPDATE jobs SET state = 'waiting', due_at = $1, attempts = 0, reason = '', error = '', failed_at = 0
WHERE id = $2 AND state = 'dead'`

	discardJob = `DELETE FROM jobs WHERE id = $1 AND state = 'dead'`

	insertTick = `INSERT INTO jobs_ticks (name, tick) VALUES ($1, $2) ON CONFLICT DO NOTHING`

	deleteOldTicks = `DELETE FROM jobs_ticks WHERE name = $1 AND tick < $2`

	unfinished = `SELECT COUNT(*) FROM jobs WHERE name = $1 AND state <> 'dead'`
)

// claimed is a job in this server's hands.
type claimed struct {
	id, name, args string
	attempts       int
}

// store is the jobs table as one worker sees it.
type store struct {
	db     *db.DB
	worker string
	names  []any // what this worker handles
	claimQ string
	nextQ  string
}

// newStore writes the two queries that name the handled jobs. A job that only
// a newer version knows stays in the table for a server that has it.
func newStore(d *db.DB, names []string) *store {
	s := &store{db: d, worker: id.New()}
	for _, n := range names {
		s.names = append(s.names, n)
	}
	lock := ""
	if d.Dialect() == db.Postgres {
		lock = "FOR UPDATE SKIP LOCKED"
	}
	s.claimQ = strings.NewReplacer("{names}", db.In(len(names), 5), "{lock}", lock).Replace(claimJobs)
	s.nextQ = strings.ReplaceAll(nextDue, "{names}", db.In(len(names), 1))
	return s
}

// claim takes up to n due jobs until the given instant.
func (s *store) claim(ctx context.Context, n int, lease func(db.Time) db.Time) ([]claimed, error) {
	var jobs []claimed
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		jobs = jobs[:0]
		args := append([]any{s.worker, lease(tx.Now()), tx.Now(), n}, s.names...)
		rows, err := tx.QueryContext(ctx, s.claimQ, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var j claimed
			if err := rows.Scan(&j.id, &j.name, &j.args, &j.attempts); err != nil {
				return err
			}
			jobs = append(jobs, j)
		}
		return rows.Err()
	})
	return jobs, err
}

// next is when the earliest job is due, or none.
func (s *store) next(ctx context.Context) (db.Time, error) {
	var at db.Time
	err := s.db.Read().QueryRowContext(ctx, s.nextQ, s.names...).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return at, err
}

// extend renews the leases of everything in this worker's hands.
func (s *store) extend(ctx context.Context, lease func(db.Time) db.Time) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, extendLeases, lease(tx.Now()), s.worker)
		return err
	})
}

// errLeaseLost means that another server took the job over; the outcome here
// no longer counts.
var errLeaseLost = errors.New("jobs: the lease was lost to another server")

func (s *store) finish(ctx context.Context, j claimed) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		return one(tx.ExecContext(ctx, finishJob, j.id, s.worker))
	})
}

// failure is what is kept about an attempt that went wrong.
type failure struct {
	reason, text string
}

func (s *store) retry(ctx context.Context, j claimed, due func(db.Time) db.Time, f failure) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		if gone, err := giveWay(ctx, tx, j.id, Running, s.worker); gone || err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, retryJob, due(tx.Now()), tx.Now(), f.reason, f.text, j.id, s.worker))
	})
}

// giveBack undoes a claim whose attempt a stopping server cut short.
func (s *store) giveBack(ctx context.Context, j claimed) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		if gone, err := giveWay(ctx, tx, j.id, Running, s.worker); gone || err != nil {
			return err
		}
		tx.Announce(topic)
		return one(tx.ExecContext(ctx, returnJob, tx.Now(), j.id, s.worker))
	})
}

func (s *store) bury(ctx context.Context, j claimed, f failure) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		return one(tx.ExecContext(ctx, buryJob, tx.Now(), f.reason, f.text, j.id, s.worker))
	})
}

// giveWay deletes a job whose key a waiting one holds, if it still stands as
// the caller knows it, and tells so.
func giveWay(ctx context.Context, tx db.Tx, id string, state State, worker string) (gone bool, err error) {
	var waiting int
	if err := tx.QueryRowContext(ctx, supersededJob, id).Scan(&waiting); err != nil || waiting == 0 {
		return false, err
	}
	return true, one(tx.ExecContext(ctx, deleteJob, id, state, worker))
}

// tick enqueues a schedule's job for one tick, unless another server did or
// the last run has not ended.
func (s *store) tick(ctx context.Context, name string, tick db.Time) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		res, err := tx.ExecContext(ctx, insertTick, name, tick)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, deleteOldTicks, name, tick); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, unfinished, name).Scan(&n); err != nil || n > 0 {
			return err
		}
		return insert(ctx, tx, entry{name: name, args: "{}", uniqueKey: "schedule"})
	})
}

// one turns "no row" into a lost lease.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return errLeaseLost
	}
	return err
}
