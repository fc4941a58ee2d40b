// Testenv gives a command the real programs that Amphi's tests talk to: a
// PostgreSQL of its own, Chromium, Apache with mod_auth_cas, slapd, and gcc for
// the race detector. Where files in memory have room, the databases of the tests
// are among them: AMPHI_TEST_MEMORY names the folder.
//
//	go run ./internal/testenv [-need LIST] [-install=false] -- COMMAND…
//
// What is missing is installed from Debian's packages when that is allowed
// (root, apt-get present); otherwise the command to type is printed and the
// tests run without that part. In CI (CI=true) a missing part is a failure.
// It uses the standard library only, so that it starts before anything heavy
// has been compiled.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/amphi-campus/amphi/internal/testenv/child"
)

func main() {
	// Pdeathsig follows the thread that started a child, not the process: all
	// children are started from the main thread, which lives as long as we do.
	runtime.LockOSThread()
	os.Exit(run())
}

func run() int {
	need := flag.String("need", strings.Join(partNames(), ","), "`parts` to provide, by name, separated by commas")
	install := flag.Bool("install", true, "install missing Debian packages when running as root")
	flag.Usage = usage
	flag.Parse()
	if flag.NArg() == 0 {
		usage()
		return 2
	}
	parts, err := choose(*need)
	if err != nil {
		return fail(err)
	}
	if err := child.DieWithParent(); err != nil {
		say("this run will not notice when its parent dies: %v", err)
	}

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	started := time.Now()

	missing := lookAll(parts)
	if len(missing) > 0 && *install && mayInstall() {
		if err := installPackages(ctx, packagesOf(missing)); err != nil {
			say("%v", err)
		}
		missing = lookAll(parts)
	}
	if *install && len(missing) > 0 {
		installPython(ctx, missing)
		missing = lookAll(parts)
	}
	if ctx.Err() != nil {
		return fail(fmt.Errorf("stopped before the command was started"))
	}

	env := map[string]string{}
	removeLeftovers()
	fast := memoryDir()
	if fast != "" {
		defer remove(fast)
		env["AMPHI_TEST_MEMORY"] = fast
	}
	for _, p := range parts {
		p.report()
		for name, value := range p.env() {
			env[name] = value
		}
	}
	if wanted(parts, "postgres") && !contains(missing, "postgres") {
		cluster, err := startCluster(ctx, programDir(parts, "postgres"), fast, os.TempDir(), "/tmp")
		if err != nil {
			return fail(err)
		}
		defer cluster.stop()
		env["AMPHI_TEST_POSTGRES"] = cluster.dsn
	}
	if len(missing) > 0 {
		explainMissing(missing)
		if os.Getenv("CI") == "true" {
			return fail(fmt.Errorf("CI=true: a missing part is a failure, never a skip"))
		}
		env["AMPHI_TEST_MISSING"] = strings.Join(namesOf(missing), ",")
	}
	say("ready after %s", time.Since(started).Round(10*time.Millisecond))
	return runCommand(flag.Args(), env)
}

func usage() {
	fmt.Fprintf(os.Stderr, "Usage: go run ./internal/testenv [flags] -- COMMAND…\n\nRuns COMMAND with the real programs that the tests talk to (%s).\n\n", strings.Join(partNames(), ", "))
	flag.PrintDefaults()
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "testenv: "+format+"\n", args...)
}

func fail(err error) int {
	say("%v", err)
	return 1
}
