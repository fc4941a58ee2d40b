package app

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPersonalDataIsLookedAtFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	file, copied := filepath.Join(dir, "amphi.toml"), filepath.Join(dir, "lina.zip")
	if err := os.WriteFile(file, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n[privacy]\nofficer_name = \"Dominique Pradel\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := run(t, "person", "add", "lmartin", "--mail", "lina.martin@valmont.example", "--given-name", "Lina", "--family-name", "Martin", "-c", file); code != 0 {
		t.Fatal(out)
	}
	for _, want := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"privacy", "register", "--format", "json"}, 0, "Dominique Pradel"},
		{[]string{"privacy", "register", "--language", "en"}, 0, "identity_people"},
		{[]string{"privacy", "export", "nobody", "--out", copied}, 1, "privacy.person_missing"},
		{[]string{"privacy", "export", "lmartin", "--out", copied}, 0, "It is for nobody else"},
		{[]string{"privacy", "export", "lmartin", "--out", copied}, 1, "exists"}, // nothing is overwritten
		{[]string{"privacy", "erase", "lmartin", "--dry-run"}, 0, "identity_people\t1\tdeleted"},
		{[]string{"privacy", "erase", "lmartin", "--dry-run"}, 0, "identity_people\t1\tdeleted"}, // she is still there
	} {
		if code, out := run(t, append(want.args, "-c", file)...); code != want.code || !strings.Contains(out, want.says) {
			t.Errorf("amphi %s: %d, %.300s", strings.Join(want.args, " "), code, out)
		}
	}
	z, err := zip.OpenReader(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 || len(z.File) < 20 {
		t.Errorf("the copy has %d files and is %v, %v", len(z.File), info.Mode(), err)
	}
}
