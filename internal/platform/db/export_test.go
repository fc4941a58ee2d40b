package db

import "time"

// SetClosureLimit shortens the limit for tests, before the first transaction.
func SetClosureLimit(d *DB, limit time.Duration) {
	switch e := d.engine.(type) {
	case *sqliteEngine:
		e.writer.limit = limit
	case *postgresEngine:
		e.limit = limit
	}
}

// CommitOneByOne turns the sharing of commits off, to measure what it is worth.
func CommitOneByOne(d *DB) {
	if e, ok := d.engine.(*sqliteEngine); ok {
		e.writer.most = 1
	}
}

// SQLiteDDL and OlderThan are tested from outside with the rest.
var (
	SQLiteDDL = sqliteDDL
	OlderThan = olderThan
)
