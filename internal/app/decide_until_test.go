package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheEndOfARegistrationIsRecordedFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "amphi.toml")
	if err := os.WriteFile(config, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := func(code int, text string, args ...string) {
		t.Helper()
		if got, out := run(t, args...); got != code || !strings.Contains(out, text) {
			t.Errorf("%v: exit %d, want %d and %q in %s", args, got, code, text, out)
		}
	}
	want(0, "was added", "person", "add", "-c", config, "lmartin", "--mail", "l@v.example", "--given-name", "Lina", "--family-name", "Martin", "--affiliation", "student")
	want(0, "Noted for lmartin", "person", "until", "-c", config, "lmartin", "2027-08-31")
	want(0, "Noted for lmartin", "person", "until", "-c", config, "lmartin", "none", "--kind", "staff")
	want(1, "identity.lifecycle_date_form", "person", "until", "-c", config, "lmartin", "31/08/2027")
	want(1, "identity.person_missing", "person", "until", "-c", config, "nobody", "2027-08-31")
}
