package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestOtherNumbersForTheRulesAreTriedFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "amphi.toml")
	if err := os.WriteFile(config, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n[identity.risk]\nlock = 90\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := func(code int, texts []string, args ...string) {
		t.Helper()
		got, out := run(t, append([]string{"risk", "dry-run", "-c", config}, args...)...)
		if got != code {
			t.Errorf("%v: exit %d, want %d", args, got, code)
		}
		for _, text := range texts {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), text) {
				t.Errorf("%v: no %q in %s", args, text, out)
			}
		}
	}
	if code, out := run(t, "migrate", "-c", config); code != 0 {
		t.Fatal(out)
	}
	d, err := db.Open(t.Context(), db.Config{DSN: "sqlite:" + filepath.Join(dir, "var", "amphi.db"), Clock: clock.System()})
	if err != nil {
		t.Fatal(err)
	}
	err = d.InTx(t.Context(), func(tx db.Tx) error {
		for id, fired := range map[string]string{"AAA-AAA": "", "BBB-BBB": "new_device new_network", "CCC-CCC": "new_device new_country travel"} {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_signals (id, person_id, kind, identifier, network, place, country, device_id, outcome, reason, proved, fired, judged, score, incident, noted_at)
				VALUES ($1, 'lina', 'student', '', '', '', '', '', 'in', '', 'totp', $2, TRUE, 0, $1, $3)`, id, fired, tx.Now().Add(-time.Hour))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	want(0, []string{"last 7 days", "Sign-ins with the right password 3", "Asked for a second factor 1", "Locked for a while 1", "Likely false alarms 2", "travel 50 1", "Students 1 1", "CCC-CCC", "lock = 90"})
	want(0, []string{"last day", "Asked for a second factor 0", "Locked for a while 2", "travel = 80"}, "--days", "1", "--lock", "30", "--points", "travel=80")
	want(1, []string{`no rule is called "jetlag"`, "new_device"}, "--points", "jetlag=1")
	want(1, []string{"lock must not be less than ask_factor"}, "--lock", "10")
	want(1, []string{"points.travel must lie between 0 and 1000"}, "--points", "travel=5000")
}
