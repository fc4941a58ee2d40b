package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newDisk(t *testing.T, max int64) *DiskStore {
	t.Helper()
	disk, err := Disk(filepath.Join(t.TempDir(), "files"), max)
	if err != nil {
		t.Fatal(err)
	}
	return disk
}

func put(t *testing.T, disk *DiskStore, text, name string) Ref {
	t.Helper()
	ref, err := disk.Put(t.Context(), strings.NewReader(text), Meta{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func read(t *testing.T, disk *DiskStore, ref Ref) (string, Meta) {
	t.Helper()
	content, meta, err := disk.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text), meta
}

// onDisk counts the plain files below the store's folder.
func onDisk(t *testing.T, disk *DiskStore) int {
	t.Helper()
	count := 0
	err := filepath.Walk(disk.root, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			count++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestAStoredFileComesBackWithItsNameAndFoundType(t *testing.T) {
	disk := newDisk(t, 1<<20)
	ref := put(t, disk, "%PDF-1.7 rest", "Règlement des études.pdf")
	text, meta := read(t, disk, ref)
	want := Meta{Name: "Règlement des études.pdf", MediaType: "application/pdf", Size: 13}
	if text != "%PDF-1.7 rest" || meta != want {
		t.Fatalf("%q %+v", text, meta)
	}
	if err := disk.Check(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
}

func TestTheSameContentIsKeptOnceAndDeletedWithItsLastOwner(t *testing.T) {
	disk := newDisk(t, 1<<20)
	mine, yours := put(t, disk, "same", "mine.txt"), put(t, disk, "same", "yours.txt")
	if mine == yours || onDisk(t, disk) != 3 {
		t.Fatalf("refs %s %s, %d files", mine, yours, onDisk(t, disk))
	}
	if err := disk.Delete(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	if _, _, err := disk.Open(t.Context(), mine); !errors.Is(err, NotFound) {
		t.Fatalf("deleted, yet: %v", err)
	}
	if text, meta := read(t, disk, yours); text != "same" || meta.Name != "yours.txt" {
		t.Fatal("the other owner lost the file")
	}
	for range 2 { // the second time is harmless
		if err := disk.Delete(t.Context(), yours); err != nil {
			t.Fatal(err)
		}
	}
	if left := onDisk(t, disk); left != 0 {
		t.Fatalf("%d files left", left)
	}
}

func TestTheSizeLimitRefusesAndLeavesNothing(t *testing.T) {
	disk := newDisk(t, 10)
	put(t, disk, "0123456789", "just fits")
	before := onDisk(t, disk)
	if _, err := disk.Put(t.Context(), strings.NewReader("01234567890"), Meta{}); !errors.Is(err, TooLarge) {
		t.Fatalf("eleven bytes: %v", err)
	}
	if _, err := disk.Put(t.Context(), Limit(strings.NewReader("abcd"), 3), Meta{}); !errors.Is(err, TooLarge) {
		t.Fatalf("a smaller limit: %v", err)
	}
	if onDisk(t, disk) != before {
		t.Fatal("a refused file left something behind")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the line broke") }

func TestAnUploadThatBreaksLeavesNothing(t *testing.T) {
	disk := newDisk(t, 1<<20)
	broken := io.MultiReader(strings.NewReader("half"), failing{})
	if _, err := disk.Put(t.Context(), broken, Meta{}); err == nil {
		t.Fatal("no error")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := disk.Put(ended, strings.NewReader("x"), Meta{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("after the request ended: %v", err)
	}
	if left := onDisk(t, disk); left != 0 {
		t.Fatalf("%d files left", left)
	}
}

func TestARefFromOutsideCannotLeaveTheFolder(t *testing.T) {
	disk := newDisk(t, 1<<20)
	outside := filepath.Join(filepath.Dir(disk.root), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := string(put(t, disk, "x", "x"))
	for name, ref := range map[string]Ref{
		"empty": "", "up": "../secret", "absolute": Ref(outside), "upper case": Ref(strings.ToUpper(good)),
		"up inside": Ref(good[:64] + "-../../../../secr"), "NUL": Ref(good + "\x00"), "line end": Ref(good + "\n"),
	} {
		if _, _, err := disk.Open(t.Context(), ref); !errors.Is(err, NotFound) {
			t.Errorf("%s: opened: %v", name, err)
		}
		if err := disk.Delete(t.Context(), ref); err != nil {
			t.Errorf("%s: delete: %v", name, err)
		}
		if err := disk.PutAs(t.Context(), ref, strings.NewReader("x"), Meta{}); !errors.Is(err, NotFound) {
			t.Errorf("%s: put: %v", name, err)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Fatal(err)
	}
}

func TestNamesAreMadeHarmless(t *testing.T) {
	for name, want := range map[string]string{
		"": "file", "..": "file", "../../etc/passwd": "passwd", `C:\temp\cours.pdf`: "cours.pdf",
		"a\r\nSet-Cookie: x": "aSet-Cookie: x", "cours\u202Efdp.exe": "coursfdp.exe", "\xff\xfe": "file", "é.txt": "é.txt",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("%q became %q, not %q", name, got, want)
		}
	}
	if got := cleanName(strings.Repeat("é", 300)); len(got) > maxName || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("a long name became %d bytes", len(got))
	}
}

func TestTheMediaTypeComesFromTheContent(t *testing.T) {
	for _, c := range []struct{ first, name, want string }{
		{"<html><script>", "photo.png", "text/html; charset=utf-8"},
		{"PK\x03\x04", "mémoire.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"PK\x03\x04", "photo.png", "application/zip"},
		{"a;b\n1;2\n", "notes.CSV", "text/csv; charset=utf-8"},
		{"<svg xmlns=", "logo.svg", "image/svg+xml"},
		{"", "empty", "text/plain; charset=utf-8"},
		{"\x00\x01\x02", "x.pdf", "application/octet-stream"},
	} {
		if got := MediaType([]byte(c.first), c.name); got != c.want {
			t.Errorf("%q named %q is %q, not %q", c.first, c.name, got, c.want)
		}
	}
}

func TestABackupWalksAllFilesAndRestoresThemUnderTheirRefs(t *testing.T) {
	from, to := newDisk(t, 1<<20), newDisk(t, 1<<20)
	refs := map[Ref]string{}
	for _, text := range []string{"one", "two", "two", ""} {
		refs[put(t, from, text, text+".txt")] = text
	}
	err := from.Walk(t.Context(), func(ref Ref, meta Meta) error {
		content, _, err := from.Open(t.Context(), ref)
		if err != nil {
			return err
		}
		return errors.Join(to.PutAs(t.Context(), ref, content, meta), content.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	for ref, want := range refs {
		if got, meta := read(t, to, ref); got != want || meta.Name != cleanName(want+".txt") {
			t.Errorf("%s restored as %q %+v", ref, got, meta)
		}
	}
	for ref := range refs {
		if err := to.PutAs(t.Context(), ref, strings.NewReader("altered"), Meta{}); !errors.Is(err, Damaged) {
			t.Errorf("altered content was taken: %v", err)
		}
	}
}

func TestACutOrAlteredFileIsReportedAsDamaged(t *testing.T) {
	disk := newDisk(t, 1<<20)
	ref := put(t, disk, "0123456789", "x")
	path := disk.contentPath(ref.Sum())
	if err := os.WriteFile(path, []byte("012345678X"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := disk.Check(t.Context(), ref); !errors.Is(err, Damaged) {
		t.Fatalf("altered: %v", err)
	}
	if err := os.Truncate(path, 4); err != nil {
		t.Fatal(err)
	}
	if _, _, err := disk.Open(t.Context(), ref); !errors.Is(err, Damaged) {
		t.Fatalf("cut: %v", err)
	}
	again := put(t, disk, "0123456789", "x") // storing it again heals the content of both
	for _, one := range []Ref{ref, again} {
		if err := disk.Check(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPuttingAndDeletingTheSameContentTogetherLosesNothing(t *testing.T) {
	disk := newDisk(t, 1<<20)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				ref, err := disk.Put(t.Context(), strings.NewReader("shared"), Meta{Name: "x"})
				if err != nil {
					t.Error(err)
					return
				}
				if err := disk.Check(t.Context(), ref); err != nil {
					t.Error(err)
				}
				if err := disk.Delete(t.Context(), ref); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if left := onDisk(t, disk); left != 0 {
		t.Fatalf("%d files left", left)
	}
}

func TestSweepRemovesOldLeftoversOnly(t *testing.T) {
	disk := newDisk(t, 1<<20)
	kept := put(t, disk, "kept", "kept")
	orphan := put(t, disk, "orphan", "orphan")
	if err := os.Remove(disk.metaPath(orphan)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(disk.root, incomingName, "half"), []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := disk.Sweep(t.Context(), time.Now()); err != nil || n != 0 {
		t.Fatalf("fresh leftovers may belong to an upload: %d, %v", n, err)
	}
	if n, err := disk.Sweep(t.Context(), time.Now().Add(25*time.Hour)); err != nil || n != 2 {
		t.Fatalf("swept %d, %v", n, err)
	}
	if text, _ := read(t, disk, kept); text != "kept" || onDisk(t, disk) != 2 {
		t.Fatal("a kept file was touched")
	}
}

// A process that is killed while it stores must not leave a file that looks whole and is not.
func TestAKilledProcessLeavesNoHalfFileUnderItsFinalName(t *testing.T) {
	if dir := os.Getenv("AMPHI_FILES_CHILD"); dir != "" {
		disk, err := Disk(dir, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			text := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 200_000)
			if _, err := disk.Put(t.Context(), bytes.NewReader(text), Meta{Name: "x"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	disk := newDisk(t, 1<<30)
	for range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestAKilledProcessLeavesNoHalfFileUnderItsFinalName$")
		child.Env = append(os.Environ(), "AMPHI_FILES_CHILD="+disk.root)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(150 * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
	}
	stored := 0
	err := disk.Walk(t.Context(), func(ref Ref, _ Meta) error {
		stored++
		return disk.Check(t.Context(), ref)
	})
	if err != nil || stored == 0 {
		t.Fatalf("%d files, %v", stored, err)
	}
}
