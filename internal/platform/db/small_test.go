package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestIn(t *testing.T) {
	cases := []struct {
		n, first int
		want     string
	}{
		{0, 1, "(NULL)"}, {1, 1, "($1)"}, {3, 4, "($4,$5,$6)"}, {2, 99, "($99,$100)"},
	}
	for _, c := range cases {
		if got := db.In(c.n, c.first); got != c.want {
			t.Errorf("In(%d, %d) is %s, want %s", c.n, c.first, got, c.want)
		}
	}
}

func TestListsFindTheirMembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, id := range []string{"a", "b", "c"} {
			addUnit(t, d, id, 1)
		}
		ids := []any{"a", "c", "x"}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units WHERE id IN "+db.In(len(ids), 1), ids...); n != 2 {
			t.Errorf("%d units found, want 2", n)
		}
		if n := count(t, d.Read(), "SELECT COUNT(*) FROM units WHERE id IN "+db.In(0, 1)); n != 0 {
			t.Errorf("%d units found in an empty list", n)
		}
	}, units)
}

func TestTimeKeepsMicrosecondsAndNone(t *testing.T) {
	if !db.At(time.Time{}).IsZero() || !db.Time(0).Time().IsZero() {
		t.Error("none is not kept")
	}
	at := db.At(time.Date(1969, 7, 20, 20, 17, 40, 1999, time.UTC))
	if got := at.Time(); !got.Equal(time.Date(1969, 7, 20, 20, 17, 40, 1000, time.UTC)) {
		t.Errorf("got %v", got)
	}
	later := at.Add(time.Minute)
	if later.Sub(at) != time.Minute || !at.Before(later) || !later.After(at) {
		t.Error("arithmetic is wrong")
	}
	var read db.Time
	if err := read.Scan("2026-01-01"); err == nil {
		t.Error("text was taken for a time")
	}
}

func TestAbsentTimesAreReadAsNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		at := db.Time(5)
		if err := d.Read().QueryRowContext(t.Context(), "SELECT MAX(at) FROM seats").Scan(&at); err != nil || at != 0 {
			t.Errorf("got %v, %v", at, err)
		}
	}, units)
}

// TestBothEnginesGiveTheSameTypesBack guards the conversions that differ
// between the drivers.
func TestBothEnginesGiveTheSameTypesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		picture := []byte{0, 1, 254}
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(),
				"INSERT INTO units (id, capacity, open, title, picture) VALUES ($2, $1, $3, $4, $5)", 7, "é", false, "Œuvre", picture)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var open bool
		var title string
		var got []byte
		err = d.Read().QueryRowContext(t.Context(), "SELECT open, title, picture FROM units WHERE NOT open AND id = $1", "é").
			Scan(&open, &title, &got)
		if err != nil || open || title != "Œuvre" || string(got) != string(picture) {
			t.Errorf("got %v %q %v, %v", open, title, got, err)
		}
	}, units)
}

func TestSQLiteRefusesWhatPostgreSQLWould(t *testing.T) {
	d := dbtest.Open(t, units)
	for _, statement := range []string{
		"INSERT INTO units (id, capacity) VALUES ('a', 'many')", // text in a number
		`INSERT INTO units (id, capacity) VALUES ("a", 1)`,      // a name, not a string
	} {
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), statement)
			return err
		})
		if err == nil {
			t.Errorf("%s was accepted", statement)
		}
	}
}

func TestVersionsAreComparedByNumber(t *testing.T) {
	cases := []struct {
		version string
		older   bool
	}{
		{"3.51.2", true}, {"3.51.3", false}, {"3.51.10", false}, {"3.52.0", false}, {"3.9.9", true}, {"4.0", false}, {"3.51", true}, {"", true},
	}
	for _, c := range cases {
		if got := db.OlderThan(c.version, "3.51.3"); got != c.older {
			t.Errorf("OlderThan(%q) is %v", c.version, got)
		}
	}
}

func TestABadAddressIsRefusedWithoutShowingIt(t *testing.T) {
	for _, dsn := range []string{"", "mysql://root:secret@x/y", "sqlite:", "sqlite::memory:", "postgres://u:secret@[/x"} {
		_, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err == nil {
			t.Errorf("%q was opened", dsn)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestADatabaseFileIsPrivateWhateverItsName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "50% é?#.db")
	d, err := db.Open(t.Context(), db.Config{DSN: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), []db.Migrations{units}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestABackupIsACompleteDatabaseTakenWhileOthersWrite(t *testing.T) {
	d := dbtest.Open(t, units)
	for i := range 50 {
		addUnit(t, d, fmt.Sprint("before", i), 1)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				if err := d.InTx(t.Context(), insertUnit(t, fmt.Sprint("during", i))); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := d.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-stopped
	if err := d.Backup(t.Context(), path); err == nil {
		t.Error("a backup replaced another one")
	}
	copied, err := db.Open(t.Context(), db.Config{DSN: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if n := count(t, copied.Read(), "SELECT COUNT(*) FROM units WHERE id LIKE 'before%'"); n != 50 {
		t.Errorf("%d of 50 rows are in the copy", n)
	}
	var verdict string
	if err := copied.Read().QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the copy is %q, %v", verdict, err)
	}
	if pending, err := copied.Pending(t.Context(), []db.Migrations{units}); err != nil || len(pending) > 0 {
		t.Errorf("the copy lacks %v, %v", pending, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v, %v", info.Mode(), err)
	}
}
