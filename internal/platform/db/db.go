// Package db is the one door to the database: the same SQL text on an embedded
// SQLite file or on a PostgreSQL server, reads from a pool, and writes in
// transactions that are durable when InTx returns.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// Dialect names the engine behind a DB. Only the few places where the engines
// truly differ ask for it.
type Dialect string

// The engines we run on.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Limits on what a closure given to InTx may take. Behind SQLite every writer
// waits for it, so a slow one is a bug that should be seen, and a stuck one
// must not stop the house.
const (
	slowClosure  = 50 * time.Millisecond
	closureLimit = 2 * time.Second
)

var (
	// ErrClosed is returned by InTx once Close has begun.
	ErrClosed = errors.New("db: the database is closed")
	// ErrTooSlow is returned when a closure held its transaction beyond the
	// limit; nothing of it was kept. Hash, read files and call networks before
	// the transaction, and pass the tx on instead of calling InTx inside InTx:
	// on SQLite the inner call waits for the outer one until this limit.
	ErrTooSlow = errors.New("db: the transaction took too long and was undone")
	// ErrTxEnded is returned by a Tx used after its closure returned.
	ErrTxEnded = errors.New("db: this transaction is over")
	// ErrWentOn is returned when a closure ignored the error of a statement and
	// returned nil. PostgreSQL refuses to commit then, so SQLite does too.
	ErrWentOn = errors.New("db: a statement failed and its transaction went on")
)

// Config says which database to open and with what.
type Config struct {
	// DSN is "sqlite:PATH" or a "postgres://…" URL.
	DSN string
	// Clock gives the instant of each transaction; nil means the system's.
	Clock clock.Clock
	// Log receives warnings about slow closures; nil means slog's default.
	Log *slog.Logger
	// Connections caps the read pool (SQLite) or the pool (PostgreSQL);
	// zero chooses by the number of cores.
	Connections int
}

// Querier runs statements. It has the four methods that sqlc's generated code
// asks for, so a *sqlgen.Queries can be made from a Tx or from Read().
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Tx is a transaction that can write.
type Tx interface {
	Querier
	// Now is the one instant of this transaction.
	Now() Time
	// Dialect is the engine the transaction runs on.
	Dialect() Dialect
	// AfterCommit calls f on the caller's goroutine once the transaction is
	// durable, and not at all if it is undone. It is for waking somebody up,
	// never for work that must not be lost.
	AfterCommit(f func())
	// Announce wakes those who Listen to the topic, after the commit.
	Announce(topic string)
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	clock   clock.Clock
	log     *slog.Logger
	engine  engine

	announcements announcements
}

// engine is what SQLite and PostgreSQL each do in their own way.
type engine interface {
	inTx(ctx context.Context, fn func(Tx) error) error
	read() Querier
	inReadTx(ctx context.Context, fn func(Querier) error) error
	migrationDB(ctx context.Context) (*sql.DB, func() error, error)
	backup(ctx context.Context, path string) error
	ping(ctx context.Context) error
	stats() Stats
	close() error
}

// Open connects to the database that the configuration names, creating an
// empty SQLite file when there is none.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	d := &DB{clock: cfg.Clock, log: cfg.Log}
	var err error
	switch {
	case strings.HasPrefix(cfg.DSN, "sqlite:"):
		d.dialect = SQLite
		d.engine, err = openSQLite(ctx, strings.TrimPrefix(cfg.DSN, "sqlite:"), cfg, &d.announcements)
	case strings.HasPrefix(cfg.DSN, "postgres://"), strings.HasPrefix(cfg.DSN, "postgresql://"):
		d.dialect = Postgres
		d.engine, err = openPostgres(ctx, cfg, &d.announcements)
	default:
		// The DSN itself stays out of the message: it may hold a password.
		return nil, errors.New(`db: the address must start with "sqlite:" or "postgres://"`)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s database: %w", d.dialect, err)
	}
	return d, nil
}

// Close waits for the transactions under way and closes every connection.
func (d *DB) Close() error { return d.engine.close() }

// Dialect is the engine behind this database.
func (d *DB) Dialect() Dialect { return d.dialect }

// Now is the instant that a transaction beginning now would have, for reads.
func (d *DB) Now() Time { return At(d.clock.Now()) }

// InTx runs fn in a transaction and returns once it is durable, or undone. It
// is the only door to writing.
//
// An error from fn undoes everything fn did and is returned unchanged. A
// cancelled ctx is honoured until fn starts and between its statements. fn may
// run more than once (after a deadlock, or when the commit it shared with
// others failed), so it must keep its effects to the tx and to variables it
// sets afresh. It must be quick: it fails with ErrTooSlow after two seconds.
func (d *DB) InTx(ctx context.Context, fn func(tx Tx) error) error {
	return d.engine.inTx(ctx, fn)
}

// Read is for queries outside a transaction. It sees every write whose InTx
// has returned. On SQLite it cannot write.
func (d *DB) Read() Querier { return d.engine.read() }

// InReadTx runs fn on one consistent snapshot of the database.
func (d *DB) InReadTx(ctx context.Context, fn func(q Querier) error) error {
	return d.engine.inReadTx(ctx, fn)
}

// Ping tells whether the database answers, for the health page.
func (d *DB) Ping(ctx context.Context) error { return d.engine.ping(ctx) }

// Backup writes a consistent copy of a SQLite database to path, which must not
// exist yet, while reads and writes go on.
func (d *DB) Backup(ctx context.Context, path string) error { return d.engine.backup(ctx, path) }

// Stats counts what the database has done, for metrics.
func (d *DB) Stats() Stats { return d.engine.stats() }
