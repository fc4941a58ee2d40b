package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// ErrGone is returned for a job that is no longer there, or no longer there to
// be run again or discarded: somebody else did, or it has not given up.
var ErrGone = errors.New("jobs: there is no such job that has given up")

// Board is the jobs table as an administrator sees it.
type Board struct{ db *db.DB }

// NewBoard is the board of a database.
func NewBoard(d *db.DB) *Board { return &Board{db: d} }

// Job is one job on the board.
type Job struct {
	ID, Name, Args string
	State          State
	Priority       int
	Attempts       int
	// Due is when it may start; for a running job, when its server is taken
	// for lost.
	Due, Created db.Time
	// Failed is the last failure, with its reason code and error; none if it
	// has not failed.
	Failed        db.Time
	Reason, Error string
}

// Filter chooses jobs; its zero value chooses the first 50 of all.
type Filter struct {
	State State  // "" for any
	Name  string // "" for any
	// Limit is the length of a page, 50 by default; Offset skips pages.
	Limit, Offset int
}

const boardWhere = ` WHERE (CAST($1 AS TEXT) = '' OR state = $1) AND (CAST($2 AS TEXT) = '' OR name = $2)`

// List is a page of jobs, newest first.
func (b *Board) List(ctx context.Context, f Filter) ([]Job, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	rows, err := b.db.Read().QueryContext(ctx, "SELECT "+jobColumns+" FROM jobs"+boardWhere+" ORDER BY id DESC LIMIT $3 OFFSET $4", string(f.State), f.Name, f.Limit, f.Offset)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer rows.Close()
	var list []Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		list = append(list, j)
	}
	return list, rows.Err()
}

// Job is one job, or ErrGone: a job that succeeded is no longer there.
func (b *Board) Job(ctx context.Context, id string) (Job, error) {
	j, err := scanJob(b.db.Read().QueryRowContext(ctx, "SELECT "+jobColumns+" FROM jobs WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, ErrGone
	}
	if err != nil {
		return Job{}, fmt.Errorf("read job %s: %w", id, err)
	}
	return j, nil
}

const jobColumns = "id, name, args, state, priority, attempts, due_at, created_at, failed_at, reason, error"

func scanJob(row interface{ Scan(...any) error }) (j Job, err error) {
	err = row.Scan(&j.ID, &j.Name, &j.Args, &j.State, &j.Priority, &j.Attempts, &j.Due, &j.Created, &j.Failed, &j.Reason, &j.Error)
	return j, err
}

// Count is how many jobs the filter chooses, pages aside.
func (b *Board) Count(ctx context.Context, f Filter) (int, error) {
	var n int
	err := b.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM jobs"+boardWhere, string(f.State), f.Name).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count jobs: %w", err)
	}
	return n, nil
}

// RunAgain gives a job that gave up all its attempts again, from now.
func (b *Board) RunAgain(ctx context.Context, id string) error {
	err := b.db.InTx(ctx, func(tx db.Tx) error {
		if gone, err := giveWay(ctx, tx, id, Dead, ""); gone || err != nil {
			return err
		}
		tx.Announce(topic)
		return one(tx.ExecContext(ctx, reviveJob, tx.Now(), id))
	})
	return boardError("run again", id, err)
}

// Discard deletes a job that gave up.
func (b *Board) Discard(ctx context.Context, id string) error {
	err := b.db.InTx(ctx, func(tx db.Tx) error {
		return one(tx.ExecContext(ctx, discardJob, id))
	})
	return boardError("discard", id, err)
}

func boardError(what, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errLeaseLost):
		err = ErrGone
	}
	return fmt.Errorf("%s job %s: %w", what, id, err)
}
