package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// emptyDatabase is how a database without tables is made: template0 and the C
// locale make text order the same on every machine.
const emptyDatabase = " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"

// needServer ends a test that has no PostgreSQL.
func needServer(t testing.TB) {
	t.Helper()
	if os.Getenv(Env) == "" {
		need.Without(t, "a PostgreSQL server (in "+Env+"), besides SQLite")
	}
}

// maintenance is the database of the server in which others are made and
// dropped. One pool serves the whole test program and ends with it: signing in
// at the server takes longer than most statements.
type maintenance struct {
	*sql.DB
	byFiles string // how CREATE DATABASE says that files are copied
}

var server = sync.OnceValues(func() (*maintenance, error) {
	connector, err := (&stdlib.Driver{}).OpenConnector(os.Getenv(Env))
	if err != nil {
		return nil, fmt.Errorf("%s is not an address: %w", Env, err)
	}
	m := &maintenance{DB: sql.OpenDB(connector)}
	var version int
	if err := m.QueryRow("SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return nil, fmt.Errorf("reach the PostgreSQL server of %s: %w", Env, err)
	}
	if version >= 150000 {
		// Copying each block through the log is gentler to a server at work, and
		// costs five times as much.
		m.byFiles = " STRATEGY FILE_COPY"
	}
	return m, nil
})

// addressOf is the address of a database of the server.
func addressOf(name string) string {
	address, err := url.Parse(os.Getenv(Env))
	if err != nil {
		return "" // server has failed with a sentence before
	}
	address.Path = "/" + name
	return address.String()
}

var databases atomic.Int64

// newDatabase makes a database, which is dropped when the test ends, as the rest
// of the statement says.
func newDatabase(t testing.TB, made string) string {
	t.Helper()
	pool, err := server()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("amphi_test_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := pool.ExecContext(t.Context(), "CREATE DATABASE "+name+made+pool.byFiles); err != nil {
		t.Fatalf("make a database on the server of %s: %v", Env, err)
	}
	t.Cleanup(func() {
		ctx := context.Background() // the test's own is over
		if err := deserted(ctx, pool, name); err != nil {
			t.Error(err)
		}
		if _, err := pool.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return addressOf(name)
}

// deserted waits until the server has noticed that the last connection to a
// database is closed. PostgreSQL would wait by itself, a tenth of a second at a
// time.
func deserted(ctx context.Context, q db.Querier, name string) error {
	for range 50 {
		var busy bool
		err := q.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = $1)", name).Scan(&busy)
		if err != nil || !busy {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}
