// Watch is the loop behind `make dev`: it builds Amphi, runs it, and does both
// again whenever a file changes that the program is made of.
//
//	go run ./internal/testenv/watch -- COMMAND…
//
// A changed view or query is generated again first. When something does not
// build, the program that runs keeps running and the next change is awaited.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/amphi-campus/amphi/internal/testenv/child"
)

// sources are the endings of the files that the program is made of.
var sources = []string{".go", ".templ", ".sql", ".css", ".js", ".svg", ".toml", ".mod"}

// pause is how long nothing may change before a build starts: an editor that
// saves ten files should cause one build.
const pause = 300 * time.Millisecond

func main() {
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "Usage: go run ./internal/testenv/watch -- COMMAND…")
		os.Exit(2)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	watch(ctx, flag.Args())
}

func watch(ctx context.Context, command []string) {
	program := &program{command: command}
	defer program.stop()
	seen := look()
	if build(ctx, nil) {
		program.restart()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		now := look()
		changed := differences(seen, now)
		if len(changed) == 0 {
			continue
		}
		for ctx.Err() == nil { // until the hand that saves files rests
			time.Sleep(pause)
			later := look()
			more := differences(now, later)
			now = later
			if len(more) == 0 {
				break
			}
			changed = append(changed, more...)
		}
		say("%s changed", strings.Join(short(changed), ", "))
		ok := build(ctx, changed)
		// What the generators wrote is no change of its own; what somebody saved
		// during the build is one, and differs from `now`.
		seen = withGenerated(now, look())
		if ok {
			program.restart()
		}
	}
}

// stamp is what tells two states of a file apart.
type stamp struct {
	at   time.Time
	size int64
}

// look notes the state of every source file below the working directory.
func look() map[string]stamp {
	found := map[string]stamp{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // a file that vanished while we looked is simply not there
		}
		if entry.IsDir() {
			if path != "." && (strings.HasPrefix(entry.Name(), ".") || path == "var" || path == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if slices.Contains(sources, filepath.Ext(path)) {
			if info, err := entry.Info(); err == nil {
				found[path] = stamp{info.ModTime(), info.Size()}
			}
		}
		return nil
	})
	if err != nil {
		say("look for changes: %v", err)
	}
	return found
}

// differences lists the files that were added, changed or removed.
func differences(before, after map[string]stamp) []string {
	var changed []string
	for path, s := range after {
		if before[path] != s {
			changed = append(changed, path)
		}
	}
	for path := range before {
		if _, still := after[path]; !still {
			changed = append(changed, path)
		}
	}
	slices.Sort(changed)
	return changed
}

// withGenerated is the state before the build, with what generators wrote
// taken from after it.
func withGenerated(before, after map[string]stamp) map[string]stamp {
	for path, s := range after {
		if strings.HasSuffix(path, "_templ.go") || strings.Contains(filepath.ToSlash(path), "/sqlgen/") {
			before[path] = s
		}
	}
	return before
}

// build generates what the changes ask for and builds; it tells whether the
// program may be started again.
func build(ctx context.Context, changed []string) bool {
	targets := []string{}
	if slices.ContainsFunc(changed, func(p string) bool { return filepath.Ext(p) == ".templ" }) {
		targets = append(targets, "generate-views")
	}
	if slices.ContainsFunc(changed, func(p string) bool { return filepath.Ext(p) == ".sql" }) {
		targets = append(targets, "generate-queries")
	}
	started := time.Now()
	for _, target := range append(targets, "build") {
		cmd := exec.CommandContext(ctx, "make", "--no-print-directory", target)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			say("make %s: %v; waiting for the next change", target, err)
			return false
		}
	}
	say("built after %s", time.Since(started).Round(10*time.Millisecond))
	return true
}

// A program is the one that is run again after each build.
type program struct {
	command []string
	running *exec.Cmd
	ended   chan struct{}
}

func (p *program) restart() {
	p.stop()
	cmd := exec.Command(p.command[0], p.command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.EndWithUs(cmd, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		say("start %s: %v", p.command[0], err)
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := cmd.Wait(); err != nil {
			say("%s ended: %v", p.command[0], err)
		}
	}()
	p.running, p.ended = cmd, ended
}

// stop asks the program to finish and waits for it, so that the next one finds
// the port free.
func (p *program) stop() {
	if p.running == nil {
		return
	}
	select {
	case <-p.ended:
	default:
		if err := p.running.Process.Signal(syscall.SIGTERM); err != nil {
			say("stop %s: %v", p.command[0], err)
		}
		select {
		case <-p.ended:
		case <-time.After(10 * time.Second):
			if err := p.running.Process.Kill(); err != nil {
				say("kill %s: %v", p.command[0], err)
			}
			<-p.ended
		}
	}
	p.running = nil
}

// short keeps a list of files readable in one line.
func short(paths []string) []string {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	if len(paths) > 3 {
		return append(slices.Clone(paths[:3]), fmt.Sprintf("and %d more", len(paths)-3))
	}
	return paths
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "dev: "+format+"\n", args...)
}
