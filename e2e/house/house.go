// Package house builds the real program and runs its demo university for the
// browser stories, as somebody who has just cloned the repository would.
package house

import (
	"errors"
	"fmt"
	"net"
	"net/url"
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
	URL      string // what it printed, without a slash at the end
	data     string
	settings []string // from the environment
	program  *child.Child
}

// shared is the house that the stories of one test program have in common.
var shared struct {
	sync.Mutex
	house *House
}

// Shared gives the house that stories share. A story that changes what others
// would notice takes its own with Start.
func Shared(t testing.TB) *House {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.house == nil {
		shared.house = open(t, Program(t), nil)
	}
	return shared.house
}

// Start opens a house of its own for one test and closes it afterwards.
func Start(t testing.TB, flags ...string) *House {
	t.Helper()
	return StartWith(t, nil, flags...)
}

// StartWith is Start with settings from the environment ("AMPHI_…=value").
func StartWith(t testing.TB, environment []string, flags ...string) *House {
	t.Helper()
	h := open(t, Program(t), environment, flags...)
	h.closeAfter(t)
	return h
}

// Serve runs `amphi serve` on data that is there already, as an installation
// does, and closes it after the test.
func Serve(t testing.TB, data string) *House {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	cmd := exec.Command(Program(t), "serve")
	cmd.Env = append(os.Environ(), "AMPHI_SERVER__DATA_DIR="+data, "AMPHI_SERVER__LISTEN="+address,
		"AMPHI_SERVER__BASE_URL=http://"+address, "AMPHI_MONITOR__LISTEN=")
	h := &House{data: data}
	h.start(t, cmd)
	t.Cleanup(func() { // the data is the test's, so it waits
		h.explain(t)
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// Command runs the program with these arguments to its end, and gives what it
// printed on both streams and its exit code. It finds the data of a house, and
// gets the text to read.
func Command(t testing.TB, data, text string, arguments ...string) (said string, code int) {
	t.Helper()
	return run(t, []string{"AMPHI_SERVER__DATA_DIR=" + data}, text, arguments...)
}

// Command runs the program beside this house, as who administers it does: with
// its data, its address and its settings.
func (h *House) Command(t testing.TB, text string, arguments ...string) (said string, code int) {
	t.Helper()
	return run(t, append([]string{"AMPHI_SERVER__DATA_DIR=" + h.data, "AMPHI_SERVER__BASE_URL=" + h.URL}, h.settings...), text, arguments...)
}

func run(t testing.TB, settings []string, text string, arguments ...string) (said string, code int) {
	t.Helper()
	cmd := exec.Command(Program(t), arguments...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), settings...)
	cmd.Stdin = strings.NewReader(text)
	output, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(output), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(output), 0
}

// leaving are the houses that no test needs any more.
var leaving struct {
	sync.WaitGroup
	sync.Mutex
	disobeyed []error
}

// closeAfter closes the house once its test is over. A house lets its work end
// first, which takes ten seconds while one of its services is slow: the next test
// does not wait for that, Run does, and fails when a house did not obey.
func (h *House) closeAfter(t testing.TB) {
	t.Cleanup(func() {
		h.explain(t)
		leaving.Go(func() {
			if err := h.close(); err != nil {
				leaving.Lock()
				defer leaving.Unlock()
				leaving.disobeyed = append(leaving.disobeyed, fmt.Errorf("the house of %s: %w", t.Name(), err))
			}
		})
	})
}

// explain shows what the house complained of when its test failed.
func (h *House) explain(t testing.TB) {
	if t.Failed() {
		t.Logf("the house said:\n%s", h.complaints())
	}
}

// Run runs a package's tests, closes every house and the shared browser, and
// removes what they left. It is for TestMain.
func Run(m *testing.M) int {
	code := browser.Run(m)
	leaving.Wait()
	for _, err := range leaving.disobeyed {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.house != nil {
		if code != 0 {
			fmt.Fprintf(os.Stderr, "The shared house said:\n%s\n", shared.house.complaints())
		}
		if err := shared.house.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if building.program != "" {
		if err := os.RemoveAll(filepath.Dir(building.program)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// Program is the file of the program, built once for all tests of this test
// program.
func Program(t testing.TB) string {
	t.Helper()
	building.Do(func() { building.program, building.err = build(browser.Root(t)) })
	if building.err != nil {
		t.Fatal(building.err)
	}
	return building.program
}

var building struct {
	sync.Once
	program string
	err     error
}

func build(root string) (string, error) {
	folder, err := os.MkdirTemp("", "amphi-e2e-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "amphi")
	// Not with the flags of `make build`: so nothing is compiled that the tests of
	// the packages did not compile already.
	cmd := exec.Command("go", "build", "-o", program, "./cmd/amphi")
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("build amphi: %w\n%s", err, said), os.RemoveAll(folder))
	}
	return program, nil
}

// open starts the demo on a free port with a folder of its own.
func open(t testing.TB, program string, environment []string, flags ...string) *House {
	t.Helper()
	data, err := os.MkdirTemp(filepath.Dir(program), "data-")
	if err != nil {
		t.Fatal(err)
	}
	furnish(t, data)
	h := &House{data: data, settings: environment}
	cmd := exec.Command(program, append([]string{"demo", "--listen", "127.0.0.1:0", "--data", data}, flags...)...)
	cmd.Env = append(os.Environ(), environment...)
	h.start(t, cmd)
	return h
}

// address is how the program says where it is open.
var address = regexp.MustCompile(`http://[^\s"/]+:\d+`)

// start starts the program and waits until it says where it is open.
func (h *House) start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	found := make(chan string, 1)
	announced := false
	cmd.Dir = h.data
	var err error
	h.program, err = child.Start(cmd, func(line string) {
		if where := address.FindString(line); where != "" && !announced {
			announced = true
			found <- where
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case h.URL = <-found:
		return
	case <-h.program.Ended():
	case <-time.After(90 * time.Second):
	}
	t.Fatalf("the program did not say where it is open (%v):\n%s", h.close(), h.Log())
}

// Kill ends the program as a power cut would: without a word.
func (h *House) Kill(t testing.TB) {
	t.Helper()
	if err := h.program.Kill(); err != nil {
		t.Fatal(err)
	}
}

// Reopen starts the demo again after Kill, with the same data and address.
func (h *House) Reopen(t testing.TB) {
	t.Helper()
	at, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	h.start(t, exec.Command(Program(t), "demo", "--listen", "127.0.0.1:"+at.Port(), "--data", h.data))
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Log is everything that the program has printed.
func (h *House) Log() string { return h.program.Words() }

// complaints is what the program printed of more than ordinary work: the reason
// of a failure is not to drown in the log.
func (h *House) complaints() string {
	var text strings.Builder
	for line := range strings.Lines(h.Log()) {
		if !strings.Contains(line, `"level":"INFO"`) {
			text.WriteString(line)
		}
	}
	return text.String()
}

// Folder is where the house keeps its data.
func (h *House) Folder() string { return h.data }

// obedience is how long a house may take to end after it was asked. It gives its
// work ten seconds; the rest is for a slow machine.
const obedience = 30 * time.Second

// close stops the house as an administrator would and sees to it that it obeys.
func (h *House) close() error {
	return errors.Join(h.program.Stop(obedience), os.RemoveAll(h.data))
}
