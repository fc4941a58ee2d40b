// Package dbtest gives tests a real database of their own, on both engines.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// Env names the variable with the address of a PostgreSQL server and a user
// who may create databases on it. `make test` sets it.
const Env = "AMPHI_TEST_POSTGRES"

// Each runs f on a fresh SQLite database and on a fresh PostgreSQL one, with
// the given rooms migrated. Without a server it runs on SQLite alone, except
// in CI, where that is a failure.
func Each(t *testing.T, f func(t *testing.T, d *db.DB), migrations ...db.Migrations) {
	t.Helper()
	EachAt(t, clock.System(), f, migrations...)
}

// EachAt is Each with a clock that the test sets.
func EachAt(t *testing.T, c clock.Clock, f func(t *testing.T, d *db.DB), migrations ...db.Migrations) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		f(t, OpenAt(t, c, migrations...))
	})
	t.Run("postgres", func(t *testing.T) {
		f(t, openAt(t, c, PostgresDSN(t), migrations))
	})
}

// Open is a fresh SQLite database with the given rooms migrated, for tests
// whose subject is not the database.
func Open(t testing.TB, migrations ...db.Migrations) *db.DB {
	t.Helper()
	return OpenAt(t, clock.System(), migrations...)
}

// OpenAt is Open with a clock that the test sets.
func OpenAt(t testing.TB, c clock.Clock, migrations ...db.Migrations) *db.DB {
	t.Helper()
	return openAt(t, c, SQLiteDSN(t), migrations)
}

// SQLiteDSN is the address of a SQLite file that does not exist yet.
func SQLiteDSN(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "amphi.db")
}

func openAt(t testing.TB, c clock.Clock, dsn string, migrations []db.Migrations) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: c, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatalf("open the test database: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the test database: %v", err)
		}
	})
	if err := d.Migrate(t.Context(), migrations); err != nil {
		t.Fatalf("migrate the test database: %v", err)
	}
	return d
}

var databases atomic.Int64

// PostgresDSN is the address of a fresh, empty PostgreSQL database that is
// dropped when the test ends. It skips the test when there is no server.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Env)
	if server == "" {
		need.Without(t, "a PostgreSQL server (in "+Env+"), besides SQLite")
	}
	address, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not an address: %v", Env, err)
	}
	name := fmt.Sprintf("amphi_test_%d_%d", os.Getpid(), databases.Add(1))
	// template0 and the C locale make text order the same on every machine.
	onServer(t, server, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
	t.Cleanup(func() { onServer(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	address.Path = "/" + name
	return address.String()
}

// onServer runs one statement on the maintenance database. It has its own
// context, for the test's is over when the database is dropped.
func onServer(t testing.TB, server, statement string) {
	t.Helper()
	pool, err := openPool(server)
	if err != nil {
		t.Fatalf("reach the PostgreSQL server of %s: %v", Env, err)
	}
	defer func() {
		if err := pool.Close(); err != nil {
			t.Errorf("leave the PostgreSQL server: %v", err)
		}
	}()
	if _, err := pool.ExecContext(context.Background(), statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

func openPool(dsn string) (*sql.DB, error) {
	connector, err := (&stdlib.Driver{}).OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}
