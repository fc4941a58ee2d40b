// Command bench measures a running Amphi over real HTTP on the loopback
// interface: sign-ins with and without a second factor, pages under a storm and
// the door under attack, single sign-on, start, memory and sizes. It prints a table and, unless -quick is given, keeps it in
// docs/benchmarks.md.
//
// Every speed is a ratio to something measured in the same run on the same
// machine, because digits alone say more about the machine than about Amphi.
// Load is bounded in count and time and never leaves 127.0.0.1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "measure in half a minute, with more noise, and keep nothing")
	binary := flag.String("binary", filepath.Join("bin", "amphi"), "the program to measure; built when it is missing")
	attempts := flag.Int("attempts", 0, "attempts of the attack on many accounts; 0 means 100,000, or 600 with -quick")
	only := flag.String("only", "", "measure this step alone, such as \"attack\", and keep nothing; \"request tracker\" is measured only so")
	tickets := flag.Int("tickets", 0, "tickets of the help desk, and of an import; 0 means 100,000 and 50,000, or a tenth of it with -quick")
	out := flag.String("out", filepath.Join("docs", "benchmarks.md"), "where the table is kept")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, wholeLimit)
	defer cancel()

	p := planFor(*quick)
	if *attempts > 0 {
		p.attack = p.attack * time.Duration(*attempts) / time.Duration(p.attempts)
		p.attempts = *attempts
	}
	if *tickets > 0 {
		p.tickets, p.imported = *tickets, *tickets
	}
	p.only = *only
	report, err := run(ctx, *binary, p)
	if report != nil {
		report.print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if *quick || *only != "" {
		return
	}
	if err := report.keep(*out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Println("\nKept in", *out)
}

// wholeLimit and stepLimit end a run, or one measure of it, that hangs.
const (
	wholeLimit = 90 * time.Minute
	stepLimit  = 15 * time.Minute
)

// plan is how long each measure takes.
type plan struct {
	starts   int           // starts of the program with an existing database
	rounds   int           // how often things that are compared take turns
	slice    time.Duration // of one turn
	calm     time.Duration // home pages without load
	storm    time.Duration // how long people keep arriving in the sign-in storm
	drain    time.Duration // how long those who wait are followed after it
	sessions int

	guesses   int           // wrong passwords of known identifiers, and as many of unknown ones
	passwords int           // that the filter of stolen ones is asked
	attempts  int           // of the attack
	attack    time.Duration // how long it would take at its steady rate
	before    time.Duration // how long people come in peace before it: long enough that a p99 is one
	tickets   int           // of the help desk
	imported  int           // tickets of an import: fewer, so that the help desk's steps need ten minutes
	openers   int           // people who open a ticket
	opening   time.Duration // while they come
	only      string        // one step instead of all
}

func planFor(quick bool) plan {
	if quick {
		return plan{
			starts: 3, rounds: 1, slice: time.Second, calm: 3 * time.Second, storm: 2 * time.Second, drain: 20 * time.Second, sessions: 10_000,
			guesses: 50, passwords: 500_000, attempts: 600, attack: 4 * time.Second, before: 3 * time.Second, tickets: 10_000, imported: 5_000, openers: 100, opening: 15 * time.Second,
		}
	}
	return plan{
		starts: 10, rounds: 4, slice: 3 * time.Second, calm: 12 * time.Second, storm: 10 * time.Second, drain: 90 * time.Second, sessions: 10_000,
		guesses: 200, passwords: 5_000_000, attempts: 100_000, attack: 140 * time.Second, before: 90 * time.Second, tickets: 100_000, imported: 50_000, openers: 2000, opening: 5 * time.Minute,
	}
}

// run goes through all measures. One that fails leaves a line that says so and
// makes the run fail, but does not hide the others.
func run(ctx context.Context, binary string, p plan) (*report, error) {
	folder, err := os.MkdirTemp("", "amphi-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if binary, err = findBinary(ctx, binary, folder); err != nil {
		return nil, err
	}
	s, err := newServer(binary, filepath.Join(folder, "data"))
	if err != nil {
		return nil, err
	}
	defer s.stop()

	r := newReport(binary)
	var failures []error
	step := func(name string, measure func(context.Context, *server, plan) ([]row, error)) {
		if p.only != "" && p.only != name {
			return
		}
		fmt.Fprintf(os.Stderr, "bench: %s…\n", name)
		within, cancel := context.WithTimeout(ctx, stepLimit) // one that hangs leaves time for the others
		defer cancel()
		rows, err := measure(within, s, p)
		r.rows = append(r.rows, rows...)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", name, err))
			r.rows = append(r.rows, row{what: name, figure: "not measured: " + err.Error(), verdict: missed})
		}
	}
	// The first start makes the demo university; the others find it there.
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	r.firstStart = s.startedIn
	if err := s.stop(); err != nil {
		return nil, err
	}
	if s.cost, err = readHashCost(ctx, s.database()); err != nil {
		return nil, err
	}
	r.cost = s.cost
	if p.only != "" { // whatever the steps before would have prepared
		if err := errors.Join(settle(ctx, s), s.start(ctx)); err != nil {
			return nil, err
		}
	}

	step("start", measureStart) // leaves the server running
	step("memory, idle", measureIdleMemory)
	step("page weight", measureWeight)
	step("throughput", measureThroughput)
	step("memory, open sessions", measureSessionMemory) // before the registry and others fill memory
	step("single sign-on", measureSSO)
	step("roll-over", measureRollOver)
	step("registry", measureRegistry)
	step("federation", measureFederation)
	step("sign-ins", measureSignIns)
	step("sign-in storm", measureStorm)
	step("second factors", measureFactors) // the residents settle
	step("timing of identifiers", measureTiming)
	step("attack", measureAttack)
	step("directory", measureDirectory)
	step("directory search", measureDirectorySearch)
	step("provisioning", measureProvisioning)
	step("help desk", measureHelpdesk)
	step("opening", measureOpening)
	step("import", measureImport)
	step("mail", measureMail)
	if p.only == "request tracker" { // needs Debian's packages, which few machines have
		step("request tracker", measureRequestTracker)
	}
	step("stolen passwords", measureBreached)
	step("binary", measureBinary)
	return r, errors.Join(failures...)
}
