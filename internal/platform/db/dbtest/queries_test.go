package dbtest

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

var notes = db.Migrations{Name: "notes", FS: fstest.MapFS{
	"0001_notes.sql": {Data: []byte("CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT NOT NULL);")},
}}

func TestEveryGeneratedQueryIsFoundAndPrepared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queries.sql.go")
	source := "package sqlgen\n\nconst addNote = `-- name: AddNote :exec\nINSERT INTO notes (id, body) VALUES ($1, $2)\n`\n" +
		"const getNote = `-- name: GetNote :one\nSELECT body FROM notes WHERE id = $1\n`\n\nconst other = `SELECT nothing`\n"
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := len(Queries(t, file)); n != 2 {
		t.Errorf("%d queries were found, want 2", n)
	}
	EveryQueryPrepares(t, file, notes)
}
