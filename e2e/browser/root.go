package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Root is the folder that go.mod is in; tests run in the folder of their
// package.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the root of the repository: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("there is no go.mod above the tests")
		}
		dir = parent
	}
}

// sanitise turns a test's name into a file's name.
func sanitise(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == ' ' {
			return '-'
		}
		return r
	}, name)
}
