package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// policyFile tells maintainer scripts whether they may start a daemon. While
// we install, it says no: the tests start their own copies.
const policyFile = "/usr/sbin/policy-rc.d"

// policyText carries our name, so that a guard left behind by a run that was
// killed is recognised and taken away by the next one.
const policyText = "#!/bin/sh\n# put here by amphi's testenv while it installs packages\nexit 101\n"

// mayInstall tells whether packages can be installed without asking anybody.
func mayInstall() bool {
	if os.Geteuid() != 0 {
		return false
	}
	_, err := exec.LookPath("apt-get")
	return err == nil
}

// installPackages brings Debian packages in, quietly: apt-get's own words go
// to a log file that the error names.
func installPackages(ctx context.Context, packages []string) error {
	say("installing %s", strings.Join(packages, " "))
	started := time.Now()
	release, err := holdDaemons()
	if err != nil {
		return err
	}
	defer release()

	log, err := os.CreateTemp("", "amphi-testenv-apt-*.log")
	if err != nil {
		return fmt.Errorf("open a log for apt-get: %w", err)
	}
	defer log.Close()

	if !knowsPackages() {
		if err := aptGet(ctx, log, "update"); err != nil {
			return err
		}
	}
	install := append([]string{"install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"}, packages...)
	if err = aptGet(ctx, log, install...); err != nil && ctx.Err() == nil {
		// The list of packages may be older than the archive: fetch it once and try again.
		if err = aptGet(ctx, log, "update"); err == nil {
			err = aptGet(ctx, log, install...)
		}
	}
	if err != nil {
		return err
	}
	say("installed after %s", time.Since(started).Round(time.Second))
	if err := os.Remove(log.Name()); err != nil {
		say("the log of apt-get stays in %s: %v", log.Name(), err)
	}
	return nil
}

func aptGet(ctx context.Context, log *os.File, args ...string) error {
	common := []string{"-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2"}
	cmd := exec.CommandContext(ctx, "apt-get", append(common, args...)...)
	// An interrupted dpkg leaves half-configured packages: ask politely first.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s failed (%w); its last words, the rest is in %s:\n%s", args[0], err, log.Name(), tail(log.Name(), 8))
	}
	return nil
}

// knowsPackages tells whether apt has any list of packages yet; images of
// containers usually come without.
func knowsPackages() bool {
	lists, err := filepath.Glob("/var/lib/apt/lists/*_Packages*")
	return err == nil && len(lists) > 0
}

// holdDaemons puts the guard in place and returns what takes it away again. A
// guard that somebody else put there is respected and left alone.
func holdDaemons() (release func(), err error) {
	before, err := os.ReadFile(policyFile)
	if err == nil && string(before) != policyText {
		return func() {}, nil
	}
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("read %s: %w", policyFile, err)
	}
	if err := os.WriteFile(policyFile, []byte(policyText), 0o755); err != nil {
		return nil, fmt.Errorf("keep daemons from starting: %w", err)
	}
	return func() {
		if err := os.Remove(policyFile); err != nil {
			say("please remove %s: %v", policyFile, err)
		}
	}, nil
}

// tail gives the last n lines of a file, for an explanation.
func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}
