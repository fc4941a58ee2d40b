// Package house builds the real program and runs its demo university for the
// browser stories, as somebody who has just cloned the repository would.
package house

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/internal/testenv/child"
)

// Password is that of every sign-in of the demo: student, teacher, staff,
// agent and admin.
const Password = "Amphi-demo-2026!"

// House is a running demo university.
type House struct {
	URL     string // what it printed, without a slash at the end
	data    string
	program *child.Child
}

// shared are the program and the house that the stories of one test program
// have in common.
var shared struct {
	sync.Mutex
	folder  string
	program string
	house   *House
}

// Shared gives the house that stories share. A story that changes what others
// would notice takes its own with Start.
func Shared(t testing.TB) *House {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.house == nil {
		h := open(t, build(t))
		shared.house = h
	}
	return shared.house
}

// Start opens a house of its own for one test and closes it afterwards.
func Start(t testing.TB, flags ...string) *House {
	t.Helper()
	shared.Lock()
	program := build(t)
	shared.Unlock()
	h := open(t, program, flags...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the house said:\n%s", h.Log())
		}
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// Run runs a package's tests, closes the shared house and the shared browser,
// and removes what they left. It is for TestMain.
func Run(m *testing.M) int {
	code := browser.Run(m)
	shared.Lock()
	defer shared.Unlock()
	if shared.house != nil {
		if code != 0 {
			fmt.Fprintf(os.Stderr, "The shared house said:\n%s\n", shared.house.Log())
		}
		if err := shared.house.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if shared.folder != "" {
		if err := os.RemoveAll(shared.folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// build makes the program once for all tests of this test program.
func build(t testing.TB) string {
	t.Helper()
	if shared.program != "" {
		return shared.program
	}
	folder, err := os.MkdirTemp("", "amphi-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	shared.folder = folder
	program := filepath.Join(folder, "amphi")
	cmd := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/amphi")
	cmd.Dir = browser.Root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build amphi: %v\n%s", err, said)
	}
	shared.program = program
	return program
}

// address is how the demo says where it is open.
var address = regexp.MustCompile(`http://[^\s]+:\d+`)

// open starts the demo on a free port with a folder of its own and waits until
// it says where it is.
func open(t testing.TB, program string, flags ...string) *House {
	t.Helper()
	data, err := os.MkdirTemp(filepath.Dir(program), "data-")
	if err != nil {
		t.Fatal(err)
	}
	h := &House{data: data}
	found := make(chan string, 1)
	announced := false
	cmd := exec.Command(program, append([]string{"demo", "--listen", "127.0.0.1:0", "--data", data}, flags...)...)
	cmd.Dir = data
	h.program, err = child.Start(cmd, func(line string) {
		if where := address.FindString(line); where != "" && !announced {
			announced = true
			found <- strings.TrimRight(where, "/")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case h.URL = <-found:
		return h
	case <-h.program.Ended():
	case <-time.After(90 * time.Second):
	}
	t.Fatalf("the demo did not say where it is open (%v):\n%s", h.close(), h.Log())
	return nil
}

// Log is everything that the program has printed.
func (h *House) Log() string { return h.program.Words() }

// Folder is where the house keeps its data.
func (h *House) Folder() string { return h.data }

// close stops the house as an administrator would and sees to it that it obeys.
func (h *House) close() error {
	return errors.Join(h.program.Stop(15*time.Second), os.RemoveAll(h.data))
}
