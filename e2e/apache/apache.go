// Package apache runs a real Apache with mod_auth_cas on a loopback port, as a
// service of the university would: one protected page, which prints whom it
// sees and what the CAS server told about that person.
package apache

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Site is a running Apache.
type Site struct {
	URL     string // its address, without a slash at the end
	folder  string
	command *exec.Cmd
	output  *output
	ended   chan struct{}
}

// Protected is the address of the page behind the CAS sign-in.
func (s *Site) Protected() string { return s.URL + "/secret/" }

// Open is the address of a page that everybody may read.
func (s *Site) Open() string { return s.URL + "/open/" }

// Start starts Apache in front of the CAS server at this address
// (http://…/cas) and stops it when the test ends. Without Apache or its module
// the test is skipped, and in CI it fails.
func Start(t testing.TB, cas string) *Site {
	t.Helper()
	server, modules := find()
	if server == "" {
		sentence := "this story needs Apache with mod_auth_cas; `make test` installs it or says how to"
		if os.Getenv("CI") == "true" {
			t.Fatal(sentence)
		}
		t.Skip(sentence)
	}
	folder, err := os.MkdirTemp("", "amphi-apache-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{folder: folder, output: &output{}, ended: make(chan struct{})}
	t.Cleanup(func() { s.stop(t) })
	port := freePort(t)
	s.URL = fmt.Sprintf("http://localhost:%d", port)
	c := configuration{Folder: folder, Modules: modules, Port: port, URL: s.URL, CAS: strings.TrimRight(cas, "/"), Root: os.Geteuid() == 0}
	if err := c.write(); err != nil {
		t.Fatal(err)
	}
	s.command = exec.Command(server, "-f", filepath.Join(folder, "httpd.conf"), "-DFOREGROUND")
	s.command.Stdout, s.command.Stderr = s.output, s.output
	endWithTests(s.command)
	if err := s.command.Start(); err != nil {
		t.Fatalf("start Apache: %v", err)
	}
	go func() {
		defer close(s.ended)
		if err := s.command.Wait(); err != nil {
			fmt.Fprintf(s.output, "Apache ended: %v\n", err)
		}
	}()
	s.awaken(t)
	return s
}

// find gives the server and the folder of its modules: those that `make test`
// names, else Debian's.
func find() (server, modules string) {
	server, modules = os.Getenv("AMPHI_TEST_APACHE"), os.Getenv("AMPHI_TEST_APACHE_MODULES")
	if server == "" || modules == "" {
		server, modules = "/usr/sbin/apache2", "/usr/lib/apache2/modules"
	}
	for _, file := range []string{server, filepath.Join(modules, "mod_auth_cas.so")} {
		if _, err := os.Stat(file); err != nil {
			return "", ""
		}
	}
	return server, modules
}

// awaken waits until Apache answers.
func (s *Site) awaken(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(s.Open())
		if err == nil {
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
			return
		}
		select {
		case <-s.ended:
			t.Fatalf("Apache does not start:\n%s\n%s", s.output, s.Log())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("Apache does not answer: %v\n%s\n%s", err, s.output, s.Log())
		}
	}
}

// Log is what Apache and its module wrote down, for explanations.
func (s *Site) Log() string {
	text, err := os.ReadFile(filepath.Join(s.folder, "error.log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *Site) stop(t testing.TB) {
	t.Helper()
	if t.Failed() {
		t.Logf("Apache wrote:\n%s%s", s.output, s.Log())
	}
	if s.command != nil && s.command.Process != nil {
		if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("stop Apache: %v", err)
		}
		select {
		case <-s.ended:
		case <-time.After(5 * time.Second):
			t.Errorf("Apache had to be killed: %v", s.command.Process.Kill())
		}
	}
	if err := os.RemoveAll(s.folder); err != nil {
		t.Errorf("remove Apache's folder: %v", err)
	}
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

// output collects what Apache prints; it is read while Apache runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
