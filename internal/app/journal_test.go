package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestTheJournalIsVerifiedAndExportedFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	file, data := filepath.Join(dir, "amphi.toml"), filepath.Join(dir, "var")
	if err := os.WriteFile(file, []byte("[server]\ndata_dir = \""+data+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := run(t, "migrate", "-c", file); code != 0 {
		t.Fatal(out)
	}
	if code, out := run(t, "journal", "verify", "-c", file); code != 1 || !strings.Contains(out, "key file") {
		t.Errorf("without a key file: %d, %s", code, out)
	}
	var cfg Config
	cfg.Server.DataDir = data
	keys, err := crypt.Open(cfg.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	if code, out := run(t, "journal", "verify", "-c", file); code != 0 || !strings.Contains(out, "holds no event") {
		t.Errorf("an empty journal: %d, %s", code, out)
	}
	write := func(statement string) {
		t.Helper()
		d, err := db.Open(t.Context(), db.Config{DSN: "sqlite:" + filepath.Join(data, "amphi.db")})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		j := journal.New(journal.Deps{DB: d, Keys: keys, Log: quiet()}, journal.Defaults())
		err = d.InTx(t.Context(), func(tx db.Tx) error {
			for range 3 {
				if err := j.Write(t.Context(), tx, journal.Event{Person: "lina", Kind: "identity.signed_in"}); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write("SELECT 1")
	code, out := run(t, "journal", "verify", "-c", file)
	receipt := regexp.MustCompile(`(?m)another machine: (.+)$`).FindStringSubmatch(out)
	if code != 0 || !strings.Contains(out, "Events 1 to 3 hold") || receipt == nil {
		t.Fatalf("three events: %d, %s", code, out)
	}
	if code, out := run(t, "journal", "export", "-c", file, "--from", "2"); code != 0 || strings.Count(out, `"kind":"identity.signed_in"`) != 2 {
		t.Errorf("the export: %d, %s", code, out)
	}
	if code, out := run(t, "journal", "verify", "-c", file, "--receipt", receipt[1]); code != 0 || !strings.Contains(out, "is there, unchanged") {
		t.Errorf("with its receipt: %d, %s", code, out)
	}
	if code, out := run(t, "journal", "verify", "-c", file, "--receipt", "made up"); code != 1 || !strings.Contains(out, "identity.journal_receipt_form") {
		t.Errorf("with a forged receipt: %d, %s", code, out)
	}
	write("DROP TRIGGER identity_journal_no_delete")
	write("DELETE FROM identity_journal WHERE seq = 2")
	if code, out := run(t, "journal", "verify", "-c", file); code != 1 || !strings.Contains(out, "event 2 (absent)") {
		t.Errorf("after tampering: %d, %s", code, out)
	}
	if code, out := run(t, "journal", "verify", "-c", file, "--from", "4"); code != 0 || !strings.Contains(out, "Events 4 to 9 hold") {
		t.Errorf("behind the place that was tampered with: %d, %s", code, out)
	}
}
