package app

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// configFor writes a configuration whose data lies below dir.
func configFor(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "amphi.toml")
	if err := os.WriteFile(file, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// pack makes an archive of one honest file, of what else is given, and of the
// manifest, which names the honest file and what is in named.
func pack(t *testing.T, more []tar.Header, named ...string) []byte {
	t.Helper()
	const text = "honest"
	sum := sha256.Sum256([]byte(text))
	m := manifest{Version: "test", Made: time.Now(), SHA256: map[string]string{"files/ab/honest": hex.EncodeToString(sum[:])}}
	for _, name := range named {
		m.SHA256[name] = m.SHA256["files/ab/honest"]
	}
	words, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	write := func(h tar.Header, body string) {
		if h.Typeflag == 0 || h.Typeflag == tar.TypeReg {
			h.Size = int64(len(body))
		}
		h.Mode = 0o600
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(tar.Header{Name: "files/ab/honest"}, text)
	for _, h := range more {
		write(h, text)
	}
	write(tar.Header{Name: manifestEntry}, string(words))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAForgedArchiveChangesNothing(t *testing.T) {
	dir := t.TempDir()
	file, archive := configFor(t, dir), filepath.Join(dir, "a.tar.gz")
	for name, content := range map[string][]byte{
		"a key that the manifest does not name":      pack(t, []tar.Header{{Name: keyEntry}}),
		"a file that the manifest does not name":     pack(t, []tar.Header{{Name: "files/ab/more"}}),
		"a name that leaves the folder":              pack(t, []tar.Header{{Name: "files/../../evil"}}, "files/../../evil"),
		"an absolute name":                           pack(t, []tar.Header{{Name: "/tmp/evil"}}, "/tmp/evil"),
		"a link to elsewhere":                        pack(t, []tar.Header{{Name: "files/ab/link", Typeflag: tar.TypeSymlink, Linkname: "/etc"}}, "files/ab/link"),
		"a file behind a link":                       pack(t, []tar.Header{{Name: "files/cd", Typeflag: tar.TypeSymlink, Linkname: "/tmp"}, {Name: "files/cd/evil"}}, "files/cd/evil"),
		"a hard link":                                pack(t, []tar.Header{{Name: "files/ab/link", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}}, "files/ab/link"),
		"one name twice":                             pack(t, []tar.Header{{Name: "files/ab/honest"}}),
		"a file that the manifest alone knows about": pack(t, nil, "files/ab/gone"),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(archive, content, 0o600); err != nil {
				t.Fatal(err)
			}
			code, out := run(t, "restore", "-c", file, archive)
			if code != 1 {
				t.Errorf("code %d: %s", code, out)
			}
			left, err := os.ReadDir(filepath.Join(dir, "var"))
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	if err := os.WriteFile(archive, pack(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := run(t, "restore", "-c", file, archive); code != 0 || !strings.Contains(out, "Restored 1 entries") {
		t.Errorf("the honest archive: code %d, %s", code, out)
	}
}

func TestABackupIsForItsOwnerAloneWhoeverPreparedItsPlace(t *testing.T) {
	dir := t.TempDir()
	file, archive := configFor(t, dir), filepath.Join(dir, "a.tar.gz")
	if code, out := run(t, "person", "add", "-c", file, "lmartin", "--mail", "l@v.example", "--given-name", "L", "--family-name", "M"); code != 0 {
		t.Fatal(out)
	}
	if err := os.WriteFile(archive+".unfinished", []byte("left by a backup that was killed, or by a neighbour in /tmp"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(archive+".unfinished", 0o666); err != nil { // whatever the umask
		t.Fatal(err)
	}
	if code, out := run(t, "backup", "-c", file, "--with-key", archive); code != 0 {
		t.Fatal(out)
	}
	info, err := os.Stat(archive)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the archive with the key is %v", info.Mode())
	}
}
