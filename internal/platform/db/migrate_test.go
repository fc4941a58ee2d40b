package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestMigrationsAreRewrittenForSQLite(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{
			"types and STRICT",
			"CREATE TABLE a (id TEXT PRIMARY KEY, n BIGINT NOT NULL, ok boolean, b BYTEA, r DOUBLE PRECISION);",
			"CREATE TABLE a (id TEXT PRIMARY KEY, n INTEGER NOT NULL, ok INTEGER, b BLOB, r REAL) STRICT;",
		},
		{"the C collation goes", `CREATE TABLE a (id TEXT COLLATE "C" PRIMARY KEY);`, "CREATE TABLE a (id TEXT PRIMARY KEY) STRICT;"},
		{
			"brackets inside the columns do not end the table",
			"CREATE TABLE IF NOT EXISTS a (n BIGINT CHECK (n IN (0, 1)), UNIQUE (n));",
			"CREATE TABLE IF NOT EXISTS a (n INTEGER CHECK (n IN (0, 1)), UNIQUE (n)) STRICT;",
		},
		{"other options follow STRICT", "CREATE TABLE a (n TEXT PRIMARY KEY) WITHOUT ROWID;", "CREATE TABLE a (n TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"},
		{"an index is no table", "CREATE UNIQUE INDEX a_n ON a (n) WHERE n <> '';", "CREATE UNIQUE INDEX a_n ON a (n) WHERE n <> '';"},
		{"a table made of a query takes no option", "CREATE TABLE a AS SELECT (1);", "CREATE TABLE a AS SELECT (1);"},
		{"added columns", "ALTER TABLE a ADD COLUMN n BIGINT NOT NULL DEFAULT 0;", "ALTER TABLE a ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"},
		{
			"strings, quoted names and comments stay",
			"-- a BOOLEAN ) ;\nINSERT INTO a VALUES ('BIGINT (it''s);'); /* BYTEA */ SELECT \"BOOLEAN\" FROM a;",
			"-- a BOOLEAN ) ;\nINSERT INTO a VALUES ('BIGINT (it''s);'); /* BYTEA */ SELECT \"BOOLEAN\" FROM a;",
		},
		{
			"two tables and a comment between bracket and end",
			"CREATE TABLE a (n BIGINT) -- one\n;\nCREATE TABLE b (\n\tn BIGINT\n);\n",
			"CREATE TABLE a (n INTEGER) STRICT -- one\n;\nCREATE TABLE b (\n\tn INTEGER\n) STRICT;\n",
		},
		{"names that contain a type", "CREATE TABLE a (boolean_n TEXT);", "CREATE TABLE a (boolean_n TEXT) STRICT;"},
		{"the last statement without its end", "CREATE TABLE a (n BIGINT)", "CREATE TABLE a (n INTEGER) STRICT"},
		{"a quote that never ends", "INSERT INTO a VALUES ('BIGINT", "INSERT INTO a VALUES ('BIGINT"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := db.SQLiteDDL(c.in); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func FuzzMigrationsKeepTheirTextApartFromTypes(f *testing.F) {
	f.Add("CREATE TABLE a (id TEXT COLLATE \"C\" PRIMARY KEY, n BIGINT);")
	f.Add("-- x\n'a''b' \"c\" /* d")
	f.Add("é(\xff)")
	f.Fuzz(func(t *testing.T, text string) {
		got := db.SQLiteDDL(text) // must neither panic nor hang
		if !strings.ContainsAny(text, "bBcCdDsS") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}

var twins = db.Migrations{Name: "search", FS: fstest.MapFS{
	"migrations/0001_pages.sql":           {Data: []byte("CREATE TABLE pages (id TEXT PRIMARY KEY, ok BOOLEAN NOT NULL);")},
	"migrations/0002_search.sqlite.sql":   {Data: []byte("CREATE VIRTUAL TABLE pages_search USING fts5 (id, body);")},
	"migrations/0002_search.postgres.sql": {Data: []byte("CREATE TABLE pages_search (id TEXT, body tsvector);")},
	"migrations/0003_more.sql":            {Data: []byte("-- +goose Up\nALTER TABLE pages ADD COLUMN n BIGINT NOT NULL DEFAULT 0;\n")},
}}

func TestEveryEngineTakesItsOwnTwin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		pending, err := d.Pending(t.Context(), []db.Migrations{twins})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"0001_pages.sql", "0002_search." + string(d.Dialect()) + ".sql", "0003_more.sql"}
		var got []string
		for _, s := range pending {
			got = append(got, s.File)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("pending are %v, want %v", got, want)
		}
		if err := d.Migrate(t.Context(), []db.Migrations{twins}); err != nil {
			t.Fatal(err)
		}
		if pending, err := d.Pending(t.Context(), []db.Migrations{twins}); err != nil || len(pending) != 0 {
			t.Errorf("after migrating, pending are %v, %v", pending, err)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM pages_search"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestTwoServersThatStartTogetherMigrateOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, first *db.DB) {
		if first.Dialect() == db.SQLite {
			t.Skip("one SQLite file has one server")
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := first.Migrate(t.Context(), []db.Migrations{twins, units}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestAFailedStepIsUndoneAndNamed(t *testing.T) {
	broken := db.Migrations{Name: "broken", FS: fstest.MapFS{
		"0001_good.sql": {Data: []byte("CREATE TABLE good (id TEXT PRIMARY KEY);")},
		"0002_bad.sql":  {Data: []byte("CREATE TABLE half (id TEXT PRIMARY KEY); CREATE TABLE half (id TEXT PRIMARY KEY);")},
	}}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Migrate(t.Context(), []db.Migrations{broken})
		if err == nil || !strings.Contains(err.Error(), "0002_bad.sql") || !strings.Contains(err.Error(), "migrate broken") {
			t.Errorf("the error is %v", err)
		}
		pending, err := d.Pending(t.Context(), []db.Migrations{broken})
		if err != nil || len(pending) != 1 || pending[0].Version != 2 {
			t.Errorf("pending are %v, %v", pending, err)
		}
	})
}

func TestMisnamedStepsAreRefused(t *testing.T) {
	cases := []struct {
		name string
		room string
		want string
		file []string
	}{
		{"without a number", "room", "must begin with a number", []string{"tickets.sql"}},
		{"two with one number", "room", "the same number", []string{"0001_a.sql", "0001_b.sql"}},
		{"a room that is no table name", "no-room", "lower case letters", []string{"0001_a.sql"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, name := range c.file {
				files[name] = &fstest.MapFile{Data: []byte("SELECT 1;")}
			}
			err := dbtest.Open(t).Migrate(t.Context(), []db.Migrations{{Name: c.room, FS: files}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

func TestAnUpToDateDatabaseStartsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var rooms []db.Migrations
		for i := range 15 {
			files := fstest.MapFS{}
			for step := range 8 {
				text := fmt.Sprintf("CREATE TABLE r%d_t%d (id TEXT PRIMARY KEY, n BIGINT NOT NULL);", i, step)
				files[fmt.Sprintf("%04d_step.sql", step+1)] = &fstest.MapFile{Data: []byte(text)}
			}
			rooms = append(rooms, db.Migrations{Name: fmt.Sprintf("room%d", i), FS: files})
		}
		if err := d.Migrate(t.Context(), rooms); err != nil {
			t.Fatal(err)
		}
		best := time.Hour
		for range 5 {
			started := time.Now()
			if err := d.Migrate(t.Context(), rooms); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(started))
		}
		t.Logf("15 rooms with 8 steps each were found up to date in %v", best)
		if best > 100*time.Millisecond { // generous, for a busy machine
			t.Errorf("it took %v", best)
		}
	})
}
