// Package jobs runs work after the transaction that asked for it: mail to
// send, a directory to read, a table to prune.
//
// A job is enqueued in the caller's transaction, so it exists exactly when the
// caller's rows do. It then runs at least once: a server that is killed leaves
// its jobs to be taken up again, so a handler must be harmless to run twice.
// Failures are retried with growing pauses; a job that gives up stays in the
// table with its reason, for an administrator to see and run again.
package jobs

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Name is the room name under which Migrations belong in db.Migrations.
const Name = "jobs"

// topic is announced when there is something to do.
const topic = "jobs"

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the schema steps of the jobs tables.
func Migrations() fs.FS { return migrations }

// Args are the facts a job needs, kept as JSON until it runs. Keep them small
// and few, best only the id of a row: the row may change before the job runs.
type Args interface {
	// JobName is "<room>.<job>". It is stable: jobs in the table carry it
	// across upgrades. It is called on the zero value.
	JobName() string
}

// Option changes how one job is enqueued.
type Option func(*entry)

// At makes the job wait until t.
func At(t time.Time) Option {
	return func(e *entry) { e.due = db.At(t) }
}

// After makes the job wait for d from the instant of the transaction.
func After(d time.Duration) Option {
	return func(e *entry) { e.delay = d }
}

// UniqueKey drops this job if one of the same name and key is still waiting.
// One that is running does not count, for it may have read the old facts.
func UniqueKey(key string) Option {
	return func(e *entry) { e.uniqueKey = key }
}

// Priority orders jobs that are due: lower runs first, 0 is usual, below 0 is
// for what somebody is waiting for on a page.
func Priority(p int) Option {
	return func(e *entry) { e.priority = p }
}

// Enqueue asks for a job in the caller's transaction. It starts right after
// the commit, unless an option makes it wait.
func Enqueue(ctx context.Context, tx db.Tx, args Args, options ...Option) error {
	text, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", args.JobName(), err)
	}
	e := entry{name: args.JobName(), args: string(text)}
	for _, o := range options {
		o(&e)
	}
	if err := insert(ctx, tx, e); err != nil {
		return fmt.Errorf("enqueue %s: %w", e.name, err)
	}
	return nil
}

// entry is a job about to be written.
type entry struct {
	name, args, uniqueKey string
	priority              int
	due                   db.Time
	delay                 time.Duration
}

func insert(ctx context.Context, tx db.Tx, e entry) error {
	due := max(e.due, tx.Now()).Add(e.delay)
	_, err := tx.ExecContext(ctx, insertJob, id.New(), e.name, e.args, e.uniqueKey, e.priority, Waiting, due, tx.Now())
	if err != nil {
		return err
	}
	tx.Announce(topic)
	return nil
}
