package journal

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// schema is the room's, whose tables the journal shares.
var schema = db.Migrations{Name: "identity", FS: os.DirFS("../migrations")}

// keyring is a fresh key file.
func keyring(t testing.TB) *crypt.Keyring {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func onJournal(t testing.TB, d *db.DB) *Journal {
	t.Helper()
	return New(Deps{DB: d, Keys: keyring(t), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, Defaults())
}

// write adds one event in a transaction of its own.
func (j *Journal) write(t testing.TB, e Event) {
	t.Helper()
	if err := j.db.InTx(context.Background(), func(tx db.Tx) error { return j.Write(context.Background(), tx, e) }); err != nil {
		t.Fatal(err)
	}
}

// rows are all rows, oldest first.
func (j *Journal) rows(t testing.TB) []sqlgen.IdentityJournal {
	t.Helper()
	all, err := sqlgen.New(j.db.Read()).After(context.Background(), sqlgen.AfterParams{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema)
}

func TestAnEventIsReadBackAsItWasWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		e := Event{Person: "lina", Actor: "paul", Kind: "identity.password_changed", Address: "192.0.2.1", Agent: "Firefox", Facts: map[string]string{"b": "2", "a": "é"}}
		j.write(t, e)
		all, err := j.Of(context.Background(), "lina", 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || all[0].Seq != 1 || all[0].Kind != e.Kind || all[0].Actor != "paul" || all[0].Facts["a"] != "é" {
			t.Fatalf("read back %+v", all)
		}
	}, schema)
}

// kindWritten finds the kinds of events in the room's source: "Kind:" in a
// literal and "Kind =" in a statement, and calls that take a kind.
var kindWritten = regexp.MustCompile(`\bKind(?::|\s*=)\s*"(identity\.[a-z0-9_]+)"|, "(identity\.[a-z0-9_]+)", map\[string\]string`)

func TestEveryKindThatIsWrittenHasItsSentence(t *testing.T) {
	texts, err := i18n.Load(time.UTC, clock.System(), os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	english, seen := texts.For(campus.English), 0
	err = filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(source, []byte(`identity/journal"`)) && filepath.Dir(name) != ".." && filepath.Dir(name) != "../journal" {
			return err
		}
		for _, m := range kindWritten.FindAllSubmatch(source, -1) {
			kind := string(m[1]) + string(m[2])
			seen++
			if !english.Has("identity.journal.event." + strings.TrimPrefix(kind, "identity.")) {
				t.Errorf("%s writes %s: give it a sentence in [identity.journal.event] of both languages", name, kind)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 5 {
		t.Errorf("only %d kinds were found in the source: does the pattern still fit?", seen)
	}
}
