package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Migrating a hundred tables takes longer than most tests: the steps of a set
// of rooms are taken once, and each test gets a copy of what they made.

// templateLock keeps two test programs from making one template at once
// ("test" in ASCII).
const templateLock = 0x74657374

// templates are what this program has made or found, by fingerprint.
var templates sync.Map // string → func() (template, error)

// A template is a migrated database that is only ever copied.
type template struct {
	sqlite   []byte // the file
	postgres string // the name of the database
}

// templateOf makes the template of a set of rooms, or finds it.
func templateOf(engine db.Dialect, rooms []db.Migrations) (template, error) {
	mark, err := fingerprint(rooms)
	if err != nil {
		return template{}, err
	}
	once, _ := templates.LoadOrStore(string(engine)+" "+mark, sync.OnceValues(func() (template, error) {
		if engine == db.Postgres {
			return makePostgres("amphi_template_"+mark, rooms)
		}
		return makeSQLite(rooms)
	}))
	return once.(func() (template, error))()
}

// fingerprint changes with the name of a room, its order and the text of each
// of its steps.
func fingerprint(rooms []db.Migrations) (string, error) {
	sum := sha256.New()
	for _, room := range rooms {
		fmt.Fprintf(sum, "%q\n", room.Name)
		err := fs.WalkDir(room.FS, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(room.FS, name)
			fmt.Fprintf(sum, "%q %d\n%s", name, len(text), text)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("read the steps of %s: %w", room.Name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// migrated takes the steps on a database and leaves it.
func migrated(dsn string, rooms []db.Migrations) error {
	ctx := context.Background() // the template outlives the test that needs it first
	d, err := db.Open(ctx, db.Config{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(ctx, rooms), d.Close())
}

func makeSQLite(rooms []db.Migrations) (made template, err error) {
	dir, err := newFolder()
	if err != nil {
		return template{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "amphi.db")
	if err := migrated("sqlite:"+file, rooms); err != nil {
		return template{}, err
	}
	// The last connection has folded the write-ahead log into the file.
	made.sqlite, err = os.ReadFile(file)
	return made, err
}

// makePostgres leaves the template on the server for the test programs that
// follow. It gets its name when it is whole, so that a program that was killed
// leaves none by half.
func makePostgres(name string, rooms []db.Migrations) (made template, err error) {
	ctx := context.Background()
	pool, err := server()
	if err != nil {
		return template{}, err
	}
	conn, err := pool.Conn(ctx) // the lock belongs to a connection, and ends with it
	if err != nil {
		return template{}, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return template{}, err
	}
	defer func() {
		_, unlocked := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", templateLock)
		err = errors.Join(err, unlocked)
	}()
	var there bool
	if err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		return template{postgres: name}, err
	}
	unfinished := fmt.Sprintf("amphi_unfinished_%d", os.Getpid())
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + unfinished + " WITH (FORCE)", "CREATE DATABASE " + unfinished + emptyDatabase} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return template{}, fmt.Errorf("%s: %w", statement, err)
		}
	}
	if err := migrated(addressOf(unfinished), rooms); err != nil {
		return template{}, err
	}
	if err := deserted(ctx, conn, unfinished); err != nil {
		return template{}, err
	}
	// Whoever is connected to a template keeps it from being copied.
	for _, statement := range []string{"ALTER DATABASE " + unfinished + " ALLOW_CONNECTIONS false", "ALTER DATABASE " + unfinished + " RENAME TO " + name} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return template{}, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return template{postgres: name}, nil
}
