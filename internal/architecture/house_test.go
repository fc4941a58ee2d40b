// Package architecture holds the tests about the house itself: which way
// imports go, what the map says, what files may contain. A failure says what
// to do instead.
package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the path that every package of the house begins with.
const module = "github.com/amphi-campus/amphi"

// root is the folder that go.mod is in, seen from this one.
const root = "../.."

// pkg is what `go list` tells about one package.
type pkg struct {
	ImportPath   string
	Dir          string
	Doc          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// inside is the package's path within the house: "internal/ui".
func (p pkg) inside() string { return within(p.ImportPath) }

// within cuts the module's path off; what belongs to others comes back empty.
func within(importPath string) string {
	inside, ours := strings.CutPrefix(importPath, module+"/")
	if !ours {
		return ""
	}
	return inside
}

var listPackages = sync.OnceValues(func() ([]pkg, error) {
	out, err := run("go", "list", "-e", "-json=ImportPath,Dir,Doc,GoFiles,Imports,TestImports,XTestImports", "./...")
	if err != nil {
		return nil, err
	}
	var all []pkg
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

// packages lists every package of the house.
func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var listFiles = sync.OnceValues(func() ([]string, error) {
	out, err := run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	var files []string
	for name := range strings.SplitSeq(string(out), "\x00") {
		if name == "" {
			continue
		}
		// A file that was deleted and not yet committed is still listed.
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			files = append(files, name)
		}
	}
	return files, nil
})

// files lists every file that is, or would be, in the repository.
func files(t *testing.T) []string {
	t.Helper()
	all, err := listFiles()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// read gives the text of one file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run runs a program in the root of the repository.
func run(program string, args ...string) ([]byte, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(program + " " + strings.Join(args, " ") + ": " + string(exit.Stderr))
	}
	return out, err
}

// generated tells whether a program wrote this file.
func generated(name string) bool {
	return strings.HasSuffix(name, "_templ.go") || strings.Contains(path.Dir(name)+"/", "/sqlgen/")
}
