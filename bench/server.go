package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is the program under measure, running the demo university in a folder
// of its own.
type server struct {
	binary    string
	data      string
	listen    string
	base      string
	cost      hashCost
	startedIn time.Duration // from the launch to the first good answer

	command *exec.Cmd
	exited  chan error
	output  tail

	config     string  // file whose settings go over those of the demo; may be empty
	signInRate float64 // per second, for the storm; set by measureSignIns
	guarded    bool    // the limits that protect a real server hold
}

// stopPatience is how long the program may take to close.
const stopPatience = 30 * time.Second

// findBinary returns the absolute path of the program, and builds it when it is
// not there.
func findBinary(ctx context.Context, path, folder string) (string, error) {
	if _, err := os.Stat(path); err == nil {
		return filepath.Abs(path)
	}
	built := filepath.Join(folder, "amphi")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", built, "./cmd/amphi")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, said)
	}
	return built, nil
}

func newServer(binary, data string) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	return &server{binary: binary, data: data, listen: listen, base: "http://" + listen}, nil
}

// environment opens the limits that protect a real server from one address that
// sends so much, since here one address plays everybody; a guarded server keeps
// them, and believes the addresses that a proxy reports. All the rest is as people
// get it.
func (s *server) environment() []string {
	common := append(os.Environ(), "AMPHI_BENCH=1", "AMPHI_MONITOR__LISTEN=", "AMPHI_LOG__LEVEL=warn")
	if s.guarded {
		return append(common,
			"AMPHI_SERVER__TRUSTED_PROXIES=127.0.0.1",
			"AMPHI_SERVER__REQUEST_BURST=2000", // the demo opens it, a real server has this
		)
	}
	return append(common,
		"AMPHI_SERVER__REQUEST_BURST=1000000000",
		"AMPHI_SERVER__REQUEST_EVERY=1ns",
		"AMPHI_IDENTITY__SIGN_IN__BURST=1000000000",
		"AMPHI_IDENTITY__SIGN_IN__NETWORK_BURST=1000000000",
		"AMPHI_SSO__LOOP_TURNS=1000000000",
	)
}

// start launches the program and returns once it has answered.
func (s *server) start(ctx context.Context) error {
	s.output.reset()
	s.command = exec.Command(s.binary, "demo", "--listen", s.listen, "--data", s.data)
	if s.config != "" {
		s.command.Args = append(s.command.Args, "--config", s.config)
	}
	s.command.Env = s.environment()
	s.command.Stdout, s.command.Stderr = &s.output, &s.output
	launched := time.Now()
	if err := s.command.Start(); err != nil {
		return err
	}
	s.exited = make(chan error, 1)
	go func(command *exec.Cmd, exited chan<- error) { exited <- command.Wait() }(s.command, s.exited)

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	for deadline := launched.Add(2 * time.Minute); time.Now().Before(deadline); {
		select {
		case err := <-s.exited:
			s.command = nil
			return fmt.Errorf("the program ended instead of listening (%v):\n%s", err, s.output.String())
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		response, err := client.Get(s.base + "/login")
		if err != nil { // not listening yet
			time.Sleep(time.Millisecond)
			continue
		}
		status := response.StatusCode
		if err := response.Body.Close(); err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("GET /login answered %d", status)
		}
		s.startedIn = time.Since(launched)
		return nil
	}
	return fmt.Errorf("the program did not answer within two minutes:\n%s", s.output.String())
}

// amphi runs a command of the program beside the server, on its data.
func (s *server) amphi(ctx context.Context, arguments ...string) error {
	command := exec.CommandContext(ctx, s.binary, arguments...)
	command.Env = append(os.Environ(), "AMPHI_SERVER__DATA_DIR="+s.data, "AMPHI_SERVER__BASE_URL="+s.base)
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("amphi %s: %w\n%s", strings.Join(arguments, " "), err, said)
	}
	return nil
}

// stop ends the program as an administrator would and waits for it. It does
// nothing when the program does not run.
func (s *server) stop() error {
	if s.command == nil {
		return nil
	}
	command := s.command
	s.command = nil
	if err := command.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop the program: %w", err)
	}
	select {
	case err := <-s.exited:
		if err != nil {
			return fmt.Errorf("the program did not close cleanly: %w\n%s", err, s.output.String())
		}
		return nil
	case <-time.After(stopPatience):
		err := command.Process.Kill()
		<-s.exited
		return fmt.Errorf("the program had to be killed after %s (%v)", stopPatience, err)
	}
}

// memory is what Linux says about the process, in bytes.
type memory struct{ resident, highest int64 }

func (s *server) memory() (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		return memory{}, fmt.Errorf("memory is read from /proc, which only Linux has: %w", err)
	}
	var m memory
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return memory{}, fmt.Errorf("read %q: %w", line, err)
		}
		switch fields[0] {
		case "VmRSS:":
			m.resident = kib * 1024
		case "VmHWM:":
			m.highest = kib * 1024
		}
	}
	return m, nil
}

// processorTime is what the process has used of the processors, from Linux in
// hundredths of a second (proc(5), utime and stime).
func (s *server) processorTime() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("processor time is read from /proc, which only Linux has: %w", err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("read the processor time: %q", stat)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), nil
}

// ownTime is what the benchmark itself has used of the processors.
func ownTime() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

// database is the file of the stopped server.
func (s *server) database() string { return filepath.Join(s.data, "amphi.db") }

// databaseSize is how much disk the database takes, with what waits to be folded
// into it.
func (s *server) databaseSize() (int64, error) {
	var size int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(s.database() + suffix)
		if errors.Is(err, fs.ErrNotExist) && suffix != "" {
			continue // nothing waits
		}
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size, nil
}

// key is the file that seals what the database keeps secret.
func (s *server) key() string { return filepath.Join(s.data, "amphi.key") }

// tail keeps the end of what the program printed, to be shown when it fails.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const tailLimit = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(p)
	if extra := t.text.Len() - tailLimit; extra > 0 {
		t.text.Next(extra)
	}
	return len(p), nil
}

func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Reset()
}

// String implements fmt.Stringer.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
