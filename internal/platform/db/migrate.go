package db

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
)

// Migrations are the schema steps of one room.
type Migrations struct {
	// Name is the room's name; its steps are counted in the table
	// amphi_migrations_NAME, so that rooms come, grow and go on their own.
	Name string
	// FS holds files such as 0001_tickets.sql at its root or in a folder named
	// migrations. A step whose engines truly differ is a pair of twins,
	// 0004_search.sqlite.sql and 0004_search.postgres.sql.
	FS fs.FS
}

// Step is one schema step of one room and whether this database has it.
type Step struct {
	Room    string
	Version int64
	File    string
	Applied bool
}

// migrationLock is the PostgreSQL advisory lock that keeps two servers that
// start together from migrating at once ("amphi" in ASCII).
const migrationLock = 0x616d706869

var roomName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Migrate brings the tables of the given rooms up to date, in the order given.
// A database that is up to date costs two small queries.
func (d *DB) Migrate(ctx context.Context, rooms []Migrations) error {
	pending, err := d.pendingRooms(ctx, d.Read(), rooms)
	if err != nil || len(pending) == 0 {
		return err
	}
	pool, release, err := d.engine.migrationDB(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	unlock, err := d.lockMigrations(ctx, pool)
	if err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", err), release())
	}
	// Another server may have done the work while we waited for the lock.
	if pending, err = d.pendingRooms(ctx, d.Read(), rooms); err == nil {
		for _, room := range pending {
			if err = d.migrateRoom(ctx, pool, room); err != nil {
				break
			}
		}
	}
	return errors.Join(err, unlock(), release())
}

// Pending lists the steps that Migrate would take.
func (d *DB) Pending(ctx context.Context, rooms []Migrations) ([]Step, error) {
	steps, err := d.Steps(ctx, rooms)
	return slices.DeleteFunc(steps, func(s Step) bool { return s.Applied }), err
}

// Steps lists every step of the given rooms.
func (d *DB) Steps(ctx context.Context, rooms []Migrations) ([]Step, error) {
	applied, err := d.appliedVersions(ctx, d.Read(), rooms)
	if err != nil {
		return nil, err
	}
	var all []Step
	for _, room := range rooms {
		steps, err := d.stepsOf(room)
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			s.Applied = applied[room.Name][s.Version]
			all = append(all, s)
		}
	}
	return all, nil
}

// pendingRooms are the rooms with at least one step to take. Steps that the
// database has and we do not are left alone: a newer server runs beside us, or
// ran before a return to this version, and steps only ever add.
func (d *DB) pendingRooms(ctx context.Context, q Querier, rooms []Migrations) ([]Migrations, error) {
	applied, err := d.appliedVersions(ctx, q, rooms)
	if err != nil {
		return nil, err
	}
	var pending []Migrations
	for _, room := range rooms {
		steps, err := d.stepsOf(room)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(steps, func(s Step) bool { return !applied[room.Name][s.Version] }) {
			pending = append(pending, room)
		}
	}
	return pending, nil
}

// appliedVersions reads the version tables of all rooms in two queries, since
// this runs at every start.
func (d *DB) appliedVersions(ctx context.Context, q Querier, rooms []Migrations) (map[string]map[int64]bool, error) {
	tables, err := d.versionTables(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read schema versions: %w", err)
	}
	applied := make(map[string]map[int64]bool, len(rooms))
	var parts []string
	for _, room := range rooms {
		if !roomName.MatchString(room.Name) {
			return nil, fmt.Errorf("room %q: its name must be lower case letters, digits and _", room.Name)
		}
		applied[room.Name] = make(map[int64]bool)
		if table := versionTable(room.Name); tables[table] {
			parts = append(parts, "SELECT '"+room.Name+"', version_id FROM "+table)
		}
	}
	if len(parts) == 0 {
		return applied, nil
	}
	rows, err := q.QueryContext(ctx, strings.Join(parts, " UNION ALL "))
	if err != nil {
		return nil, fmt.Errorf("read schema versions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var room string
		var version int64
		if err := rows.Scan(&room, &version); err != nil {
			return nil, fmt.Errorf("read schema versions: %w", err)
		}
		applied[room][version] = true
	}
	return applied, rows.Err()
}

func (d *DB) versionTables(ctx context.Context, q Querier) (map[string]bool, error) {
	query := "SELECT name FROM sqlite_schema WHERE type = 'table'"
	if d.dialect == Postgres {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		tables[name] = true
	}
	return tables, rows.Err()
}

func versionTable(room string) string { return "amphi_migrations_" + room }

func (d *DB) migrateRoom(ctx context.Context, pool *sql.DB, room Migrations) error {
	files, err := d.sources(room)
	if err != nil {
		return err
	}
	dialect := goose.DialectSQLite3
	if d.dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, pool, files,
		goose.WithTableName(versionTable(room.Name)),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("migrate %s: %w", room.Name, err)
	}
	results, err := provider.Up(ctx)
	for _, r := range results {
		d.log.Info("db.migrated", "room", room.Name, "step", path.Base(r.Source.Path), "took", r.Duration)
	}
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		err = fmt.Errorf("%s: %w", partial.Failed.Source.Path, partial.Err)
	}
	if err != nil {
		return fmt.Errorf("migrate %s: %w", room.Name, err)
	}
	return nil
}

// lockMigrations makes other servers wait. SQLite needs no more than its own
// lock: a second program on the same machine fails on a step already taken,
// says so, and finds nothing pending when it is started again.
func (d *DB) lockMigrations(ctx context.Context, pool *sql.DB) (unlock func() error, err error) {
	if d.dialect == SQLite {
		return func() error { return nil }, nil
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
		return errors.Join(err, conn.Close())
	}, nil
}

// stepsOf lists the steps of a room for this engine, by version.
func (d *DB) stepsOf(room Migrations) ([]Step, error) {
	names, _, err := d.stepFiles(room)
	if err != nil {
		return nil, err
	}
	steps := make([]Step, 0, len(names))
	for _, name := range names {
		steps = append(steps, Step{Room: room.Name, Version: stepVersion(name), File: name})
	}
	return steps, nil
}

// stepFiles names the files of a room that concern this engine, by version,
// and the folder they are in.
func (d *DB) stepFiles(room Migrations) (names []string, dir fs.FS, err error) {
	dir = room.FS
	if info, err := fs.Stat(room.FS, "migrations"); err == nil && info.IsDir() {
		if dir, err = fs.Sub(room.FS, "migrations"); err != nil {
			return nil, nil, fmt.Errorf("migrations of %s: %w", room.Name, err)
		}
	}
	all, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return nil, nil, fmt.Errorf("migrations of %s: %w", room.Name, err)
	}
	byVersion := make(map[int64]string)
	for _, name := range all {
		version := stepVersion(name)
		if version <= 0 {
			return nil, nil, fmt.Errorf("migrations of %s: %s must begin with a number, as in 0001_tickets.sql", room.Name, name)
		}
		if engine := twinOf(name); engine != "" && engine != d.dialect {
			continue
		}
		if other, taken := byVersion[version]; taken {
			return nil, nil, fmt.Errorf("migrations of %s: %s and %s have the same number", room.Name, other, name)
		}
		byVersion[version] = name
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(stepVersion(a), stepVersion(b)) })
	return names, dir, nil
}

// stepVersion is the number that a file name begins with, or 0.
func stepVersion(name string) int64 {
	digits, _, _ := strings.Cut(name, "_")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// twinOf is the one engine that a file is for, or "" when it is for both.
func twinOf(name string) Dialect {
	switch {
	case strings.HasSuffix(name, ".sqlite.sql"):
		return SQLite
	case strings.HasSuffix(name, ".postgres.sql"):
		return Postgres
	}
	return ""
}

// sources is the folder that goose sees: the steps for this engine, each with
// the annotation it wants, in this engine's words.
func (d *DB) sources(room Migrations) (fs.FS, error) {
	names, dir, err := d.stepFiles(room)
	if err != nil {
		return nil, err
	}
	files := make(fstest.MapFS, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("migrations of %s: %w", room.Name, err)
		}
		if d.dialect == SQLite && twinOf(name) == "" {
			text = []byte(sqliteDDL(string(text)))
		}
		if !bytes.Contains(text, []byte("+goose Up")) {
			text = append([]byte("-- +goose Up\n"), text...)
		}
		files[name] = &fstest.MapFile{Data: text, Mode: 0o444}
	}
	return files, nil
}
