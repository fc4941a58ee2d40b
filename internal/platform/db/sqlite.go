package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // registers the "sqlite" driver
)

// oldestSQLite is the first release without the WAL reset bug that could
// corrupt a database written by several connections.
const oldestSQLite = "3.51.3"

// sqliteEngine is one file: a pool of read-only connections and one writer.
type sqliteEngine struct {
	path    string
	readers *sql.DB
	queries *pooledStatements
	writer  *writer
}

func openSQLite(ctx context.Context, path string, cfg Config, heard *announcements) (engine, error) {
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, errors.New("a SQLite database needs the path of a file")
	}
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	w, err := startWriter(ctx, path, cfg, heard)
	if err != nil {
		return nil, err
	}
	readers, err := sql.Open("sqlite", sqliteReadDSN(path))
	if err != nil {
		return nil, errors.Join(err, w.stop())
	}
	n := cmp.Or(cfg.Connections, runtime.GOMAXPROCS(0)*2)
	readers.SetMaxOpenConns(n)
	readers.SetMaxIdleConns(n)
	e := &sqliteEngine{path: path, readers: readers, queries: newPooledStatements(readers), writer: w}
	if err := readers.PingContext(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// createPrivate makes the database file readable by its owner alone before
// SQLite does it with the umask; the write-ahead log takes the file's mode.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteWriteDSN opens for writing. synchronous(FULL) makes a commit survive a
// power cut; sharing commits is what makes that affordable. Without double
// quoted strings, "x" is an identifier as it is on PostgreSQL.
func sqliteWriteDSN(path string) string {
	return sqliteDSN(path, url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)",
	}, "_txlock": {"immediate"}, "_dqs": {"0"}})
}

func sqliteReadDSN(path string) string {
	return sqliteDSN(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "foreign_keys(1)"}, "_dqs": {"0"}})
}

func sqliteDSN(path string, query url.Values) string {
	u := url.URL{Path: path}
	return "file:" + u.EscapedPath() + "?" + query.Encode()
}

// refuseOldSQLite stops a build whose driver was moved back behind the fix.
func refuseOldSQLite(ctx context.Context, q Querier) error {
	var version string
	if err := q.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if olderThan(version, oldestSQLite) {
		return fmt.Errorf("SQLite %s can corrupt this database; version %s or later is needed", version, oldestSQLite)
	}
	return nil
}

// olderThan compares dotted version numbers.
func olderThan(version, limit string) bool {
	v, l := strings.Split(version, "."), strings.Split(limit, ".")
	for i := range l {
		var a int
		if i < len(v) {
			a, _ = strconv.Atoi(v[i]) // something that is not a number counts as 0, hence as older
		}
		b, _ := strconv.Atoi(l[i]) // a constant of ours
		if a != b {
			return a < b
		}
	}
	return false
}

func (e *sqliteEngine) inTx(ctx context.Context, fn func(Tx) error) error {
	return e.writer.do(ctx, fn)
}

func (e *sqliteEngine) read() Querier { return e.queries }

func (e *sqliteEngine) inReadTx(ctx context.Context, fn func(Querier) error) (err error) {
	tx, err := e.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	// Nothing was written, so ending the snapshot by rollback loses nothing.
	defer func() { err = errors.Join(err, ended(tx.Rollback())) }()
	return fn(snapshot{tx: tx, queries: e.queries})
}

// ended forgives a transaction that its context has already ended.
func ended(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// migrationDB is a second writing handle: goose runs its own transactions, and
// SQLite's lock keeps them apart from the writer's.
func (e *sqliteEngine) migrationDB(context.Context) (*sql.DB, func() error, error) {
	pool, err := sql.Open("sqlite", sqliteWriteDSN(e.path))
	if err != nil {
		return nil, nil, err
	}
	pool.SetMaxOpenConns(1)
	return pool, pool.Close, nil
}

func (e *sqliteEngine) ping(ctx context.Context) error { return e.readers.PingContext(ctx) }

func (e *sqliteEngine) stats() Stats {
	s := e.writer.counters.stats()
	s.Queued = len(e.writer.queue)
	s.Pool = e.readers.Stats()
	return s
}

func (e *sqliteEngine) close() error {
	// The writer goes last: the last connection to close folds the write-ahead
	// log into the file, and a read-only one could not.
	return errors.Join(e.queries.close(), e.readers.Close(), e.writer.stop())
}
