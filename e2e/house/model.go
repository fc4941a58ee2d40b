package house

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// model is a demo on its first day. To fill one takes ten times as long as to copy
// it, so the houses of the stories are copies.
var model struct {
	sync.Once
	data string
	err  error
}

// furnish puts the data of a demo on its first day into an empty folder.
func furnish(t testing.TB, data string) {
	t.Helper()
	program := Program(t)
	model.Do(func() {
		model.data = filepath.Join(filepath.Dir(program), "model")
		if model.err = os.Mkdir(model.data, 0o700); model.err != nil {
			return
		}
		h := &House{data: model.data}
		h.start(t, exec.Command(program, "demo", "--listen", "127.0.0.1:0", "--data", model.data))
		model.err = h.program.Stop(obedience)
	})
	if model.err != nil {
		t.Fatal(model.err)
	}
	if err := copyInto(data, model.data); err != nil {
		t.Fatal(err)
	}
}

// copyInto copies what a folder holds, with its permissions: the key file is for
// its owner only.
func copyInto(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == from {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Mkdir(filepath.Join(to, inside), info.Mode().Perm())
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, inside), content, info.Mode().Perm())
	})
}
