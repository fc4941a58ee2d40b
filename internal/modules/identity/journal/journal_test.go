package journal

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
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
