package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

const (
	// mostRuns bounds how often a transaction is run when PostgreSQL keeps
	// undoing it for deadlocks.
	mostRuns = 6
	// slowOnServer is when a closure is worth a warning. Waiting for somebody
	// else's row counts here, and holds up nobody who wants another row, so it
	// is more than on SQLite.
	slowOnServer = 5 * slowClosure
	// commitLimit is what a commit may take on top of the closure's limit.
	commitLimit = 10 * time.Second
)

// postgresEngine is a pool on a server, which orders writers itself. pgx keeps
// the prepared statements, per connection.
type postgresEngine struct {
	pool     *sql.DB
	clock    clock.Clock
	log      *slog.Logger
	heard    *announcements
	limit    time.Duration
	counters counters
}

func openPostgres(ctx context.Context, cfg Config, heard *announcements) (engine, error) {
	conf, err := pgx.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, err // pgx leaves the password out of its message
	}
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "amphi"
	}
	pool := stdlib.OpenDB(*conf)
	n := cmp.Or(cfg.Connections, max(16, runtime.GOMAXPROCS(0)*4))
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &postgresEngine{pool: pool, clock: cfg.Clock, log: cfg.Log, heard: heard, limit: closureLimit}, nil
}

func (e *postgresEngine) inTx(ctx context.Context, fn func(Tx) error) error {
	for run := 1; ; run++ {
		err := e.once(ctx, fn)
		if err == nil {
			e.counters.committed.Add(1)
			return nil
		}
		if !wantsRerun(err) || run == mostRuns || ctx.Err() != nil {
			e.counters.undone.Add(1)
			return err
		}
		e.counters.reruns.Add(1)
		// A random pause, or the same transactions meet again in the same order.
		select {
		case <-time.After(rand.N(time.Duration(run) * 10 * time.Millisecond)):
		case <-ctx.Done():
		}
	}
}

// once runs fn in one transaction.
func (e *postgresEngine) once(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// The transaction itself outlives the caller's context: a commit cut off
	// half way would leave nobody knowing whether it was kept.
	txCtx, cancelTx := context.WithTimeout(context.WithoutCancel(ctx), e.limit+commitLimit)
	defer cancelTx()
	conn, err := e.pool.Conn(ctx) // nobody waits for a connection longer than for an answer
	if err != nil {
		return err
	}
	defer func() {
		// Puts the connection back; one that is broken is thrown away by the pool.
		_ = conn.Close()
	}()
	sqlTx, err := conn.BeginTx(txCtx, nil)
	if err != nil {
		return err
	}
	started := time.Now()
	stmtCtx, cancelStmt := context.WithTimeout(ctx, e.limit)
	defer cancelStmt()
	tx := &postgresTx{tx: sqlTx, engine: e, ctx: stmtCtx, now: At(e.clock.Now())}
	kept := false
	defer func() {
		if !kept {
			// The transaction is being given up; if the rollback fails the
			// connection is closed and the server undoes it by itself.
			_ = sqlTx.Rollback()
		}
	}()
	err = fn(tx)
	took := time.Since(started)
	if err == nil && tx.failed != nil {
		err = fmt.Errorf("%w: %w", ErrWentOn, tx.failed)
	}
	if stmtCtx.Err() != nil && ctx.Err() == nil {
		err = ErrTooSlow
	}
	e.noteDuration(err, fn, took)
	if err != nil {
		return err
	}
	started = time.Now()
	if err := sqlTx.Commit(); err != nil {
		return err
	}
	kept = true
	e.counters.countCommit(1, time.Since(started))
	for _, f := range tx.hooks {
		f()
	}
	return nil
}

func (e *postgresEngine) noteDuration(err error, fn func(Tx) error, took time.Duration) {
	switch {
	case errors.Is(err, ErrTooSlow):
		e.counters.tooSlow.Add(1)
		e.log.Error("db.transaction_too_slow", "closure", closureName(fn), "took", took)
	case took > slowOnServer:
		e.counters.slow.Add(1)
		e.log.Warn("db.transaction_slow", "closure", closureName(fn), "took", took)
	}
}

func (e *postgresEngine) read() Querier { return e.pool }

func (e *postgresEngine) inReadTx(ctx context.Context, fn func(Querier) error) (err error) {
	tx, err := e.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ended(tx.Rollback())) }()
	return fn(tx)
}

func (e *postgresEngine) migrationDB(context.Context) (*sql.DB, func() error, error) {
	return e.pool, func() error { return nil }, nil
}

func (e *postgresEngine) backup(context.Context, string) error {
	return errors.New("db: a PostgreSQL database is backed up with pg_dump or the server's own means")
}

func (e *postgresEngine) ping(ctx context.Context) error { return e.pool.PingContext(ctx) }

func (e *postgresEngine) stats() Stats {
	s := e.counters.stats()
	s.Pool = e.pool.Stats()
	return s
}

func (e *postgresEngine) close() error { return e.pool.Close() }

// postgresTx is the Tx that a closure gets on PostgreSQL.
type postgresTx struct {
	tx     *sql.Tx
	engine *postgresEngine
	ctx    context.Context // ends at the closure's limit
	now    Time
	failed error
	hooks  []func()
}

func (tx *postgresTx) Now() Time { return tx.now }

func (tx *postgresTx) Dialect() Dialect { return Postgres }

func (tx *postgresTx) AfterCommit(f func()) { tx.hooks = append(tx.hooks, f) }

func (tx *postgresTx) Announce(topic string) {
	tx.AfterCommit(func() { tx.engine.heard.announce(topic) })
}

func (tx *postgresTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	res, err := tx.tx.ExecContext(tx.ctx, query, args...)
	tx.note(err)
	return res, err
}

func (tx *postgresTx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := tx.tx.PrepareContext(tx.ctx, query)
	tx.note(err)
	return s, err
}

func (tx *postgresTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, err := tx.tx.QueryContext(tx.ctx, query, args...)
	tx.note(err)
	return rows, err
}

func (tx *postgresTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := ctx.Err(); err != nil {
		return failedRow(tx.engine.pool, err)
	}
	row := tx.tx.QueryRowContext(tx.ctx, query, args...)
	tx.note(row.Err())
	return row
}

func (tx *postgresTx) note(err error) {
	if err != nil && tx.failed == nil {
		tx.failed = err
	}
}
