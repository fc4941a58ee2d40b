// Package dbtest gives tests a real database of their own, on both engines.
package dbtest

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
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
		needServer(t)
		made := templateFor(t, db.Postgres, migrations)
		f(t, openAt(t, c, newDatabase(t, " TEMPLATE "+made.postgres), migrations))
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
	made := templateFor(t, db.SQLite, migrations)
	dsn := SQLiteDSN(t)
	if err := os.WriteFile(strings.TrimPrefix(dsn, "sqlite:"), made.sqlite, 0o600); err != nil {
		t.Fatalf("copy the migrated database: %v", err)
	}
	return openAt(t, c, dsn, migrations)
}

// SQLiteDSN is the address of a SQLite file that does not exist yet.
func SQLiteDSN(t testing.TB) string {
	t.Helper()
	dir, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test's database: %v", err)
		}
	})
	return "sqlite:" + filepath.Join(dir, "amphi.db")
}

// newFolder makes a folder for a database. `make test` names a parent in
// memory: on a disk, each commit waits until it is written.
func newFolder() (string, error) { return os.MkdirTemp(os.Getenv("AMPHI_TEST_MEMORY"), "amphi-db-") }

func templateFor(t testing.TB, engine db.Dialect, migrations []db.Migrations) template {
	t.Helper()
	made, err := templateOf(engine, migrations)
	if err != nil {
		t.Fatalf("migrate a %s database for the tests: %v", engine, err)
	}
	return made
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

// PostgresDSN is the address of a fresh, empty PostgreSQL database that is
// dropped when the test ends. It skips the test when there is no server.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	needServer(t)
	return newDatabase(t, emptyDatabase)
}
