package db

import (
	"context"
	"database/sql"
	"io"
	"sync"
)

// writeTx is the Tx that a closure gets on SQLite: the writer's connection,
// for the length of one turn.
//
// Statements run under the turn's own context rather than the caller's: an
// interrupted write makes SQLite undo the whole group, so a reader who closed
// the page must not interrupt one. The caller's context is looked at before
// each statement.
type writeTx struct {
	w    *writer
	ctx  context.Context
	now  Time
	done chan error

	// mu keeps a closure that overstayed apart from the next turn.
	mu     sync.Mutex
	over   error // set when the turn has ended
	failed error // the first statement that failed
	open   []io.Closer
	hooks  []func()
}

func (tx *writeTx) Now() Time { return tx.now }

func (tx *writeTx) Dialect() Dialect { return SQLite }

func (tx *writeTx) AfterCommit(f func()) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.hooks = append(tx.hooks, f)
}

func (tx *writeTx) Announce(topic string) {
	tx.AfterCommit(func() { tx.w.heard.announce(topic) })
}

func (tx *writeTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.refusal(ctx); err != nil {
		return nil, err
	}
	res, err := tx.w.conn.exec(tx.ctx, query, args...)
	tx.note(err)
	return res, err
}

func (tx *writeTx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.refusal(ctx); err != nil {
		return nil, err
	}
	s, err := tx.w.conn.conn.PrepareContext(tx.ctx, query)
	tx.note(err)
	if s != nil {
		tx.open = append(tx.open, s)
	}
	return s, err
}

func (tx *writeTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.refusal(ctx); err != nil {
		return nil, err
	}
	rows, err := tx.w.conn.query(tx.ctx, query, args...)
	tx.note(err)
	if rows != nil {
		tx.open = append(tx.open, rows)
	}
	return rows, err
}

func (tx *writeTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.refusal(ctx); err != nil {
		return failedRow(tx.w.pool, err)
	}
	row := tx.w.conn.queryRow(tx.ctx, query, args...)
	tx.note(row.Err())
	return row
}

// refusal is why a statement cannot run now.
func (tx *writeTx) refusal(ctx context.Context) error {
	if tx.over != nil {
		return tx.over
	}
	if tx.failed != nil {
		return tx.failed // as PostgreSQL does, say no until the rollback
	}
	return ctx.Err()
}

func (tx *writeTx) note(err error) {
	if err != nil && tx.failed == nil {
		tx.failed = err
	}
}

// end takes the connection back. Rows and statements that the closure left
// open are closed here, for the next turn will use the same ones.
func (tx *writeTx) end(why error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.over = why
	for _, left := range tx.open {
		// What was read is the closure's affair; a failed close means that the
		// connection is broken, and the next statement will say so.
		_ = left.Close()
	}
}
