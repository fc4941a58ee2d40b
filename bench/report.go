package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// verdict says whether an aim was reached; most figures have none.
type verdict string

const (
	reached verdict = "reached"
	missed  verdict = "missed"
)

func verdictOf(ok bool) verdict {
	if ok {
		return reached
	}
	return missed
}

// row is one line of the table.
type row struct {
	what, aim, figure, ratio string
	verdict                  verdict
}

// report is the table and the conditions under which it was measured.
type report struct {
	rows       []row
	when       time.Time
	machine    string
	system     string
	goVersion  string // of the program
	revision   string
	cost       hashCost
	firstStart time.Duration
}

func newReport(binary string) *report {
	r := &report{
		when:      time.Now(),
		machine:   fmt.Sprintf("%s, %d cores", processor(), runtime.NumCPU()),
		system:    runtime.GOOS + "/" + runtime.GOARCH,
		goVersion: runtime.Version(),
		revision:  "unknown",
	}
	if info, err := buildinfo.ReadFile(binary); err == nil {
		r.goVersion = info.GoVersion
		changed := ""
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				r.revision = setting.Value[:min(12, len(setting.Value))]
			case "vcs.modified":
				if setting.Value == "true" {
					changed = ", with uncommitted changes"
				}
			}
		}
		r.revision += changed
	}
	return r
}

// processor is the name that Linux gives the machine's processor.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// print writes the table for a terminal.
func (r *report) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tFIGURE\tAGAINST\tAIM\tVERDICT")
	for _, line := range r.rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", line.what, line.figure, line.ratio, line.aim, line.verdict)
	}
	t.Flush() // a terminal that went away needs no table
	fmt.Fprintf(w, "\n%s; %s; %s\n", r.machine, r.goVersion, r.cost)
}

// markdown is the page that docs keeps.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	cell := func(s string) string {
		if s == "" {
			return "–"
		}
		return strings.ReplaceAll(strings.ReplaceAll(s, "\n", " "), "|", "\\|")
	}
	fmt.Fprint(&b, `# Benchmarks

Written by `+"`make bench`"+`; do not edit. The program measures the built binary over
real HTTP on the loopback interface, load generator and server on the same
machine, so both share its cores. Speeds are ratios to something measured in the
same run: trust those, not the digits.

`)
	fmt.Fprintf(&b, "- Date: %s\n", r.when.Format("2 January 2006"))
	fmt.Fprintf(&b, "- Machine: %s, %s\n", r.machine, r.system)
	fmt.Fprintf(&b, "- Built with %s, revision %s\n", r.goVersion, r.revision)
	fmt.Fprintf(&b, "- Passwords: %s\n", r.cost)
	fmt.Fprintf(&b, "- Very first start, demo university created on the way: %.1f s\n\n", r.firstStart.Seconds())
	fmt.Fprint(&b, "| What | Figure | Against | Aim | Verdict |\n|---|---|---|---|---|\n")
	for _, line := range r.rows {
		mark := string(line.verdict)
		if line.verdict == missed {
			mark = "**missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", cell(line.what), cell(line.figure), cell(line.ratio), cell(line.aim), cell(mark))
	}
	fmt.Fprint(&b, `
## How it is measured

- **Sign-ins**: eight visitors per core sign in again and again, each with a new
  session on disk; argon2id alone on every core takes turns with them.
- **Storm**: four people inside look at their home page, a hundred pages a second
  together, first alone, then while people arrive at the door at four times the
  rate measured before. Everybody who arrived is followed, through the waiting
  page, until they are in.
- **Second factors**: ten thousand residents settle first, half of them with an
  authenticator app, each of which signs in at most once: password, the page of
  the factor, the code. Eight passkeys per core of a software authenticator are
  registered through their page, and each signs in again and again. Argon2id
  alone and ES256 verifications alone, on every core, take turns with them.
- **Timing**: wrong passwords one after the other, for identifiers that somebody
  or nobody has, in a drawn order; the slowest tenth of each is left out.
- **Attack**: one password on twenty thousand accounts, half of which nobody has,
  from eight networks (IPv6, /64) that a trusted proxy names. All limits are those
  of a real server. Eight people a second keep signing in, from other networks and in turns
  in a browser that knows them and in a new one, first alone, then during the
  attack. Memory is read four times a second, and five quiet seconds after it.
- **Stolen passwords**: look-ups of the shipped filter in the process of the
  benchmark.
- **Throughput**: four connections per core, taking turns between a handler that
  does nothing and the home page.
- **Single sign-on**: the same connections, with sessions that are open: a CAS ticket
  issued and validated, a SAML answer whose response and assertion are signed, an
  OpenID Connect code redeemed for its tokens; in turns with the handler that does
  nothing and with the signatures alone on every core. Then all of them while the keys
  change, CAS before and after ten thousand services are declared, and CAS while a
  federation is read and put away.
- **Help desk**: an agent's pages one after the other, on a demo of its own with that
  many tickets. Opening: people with a session each send the form, evenly over the time,
  while eight agents look at a page each second. Import: an export of Request Tracker in
  ten files, each taken over by a command of its own.
- **Request Tracker**: only when asked for. Debian's packages request-tracker5,
  rt5-db-sqlite and rt5-standalone, RT's own server on the loopback, full text searched
  without an index since its SQLite has none; the same tickets and messages.
- **Start**: from the launch of the process to the first 200 of `+"`/login`"+`.
- **Memory**: VmRSS of the process. Sessions are written into the database of
  the stopped server; then each opens the home page once, and five quiet seconds
  pass.
- **Weight**: bytes on the wire of a first visit, gzip accepted.

Except in the attack, the limits per network address and per account are opened,
since one address and one account play everybody.

## Repeat it

`+"```"+`
make bench                          # about half an hour; writes this page
go run ./bench -quick               # a minute; prints only
go run ./bench -only attack -attempts 20000   # one step, shorter; prints only
go run ./bench -only import -tickets 100000   # the whole of it; prints only
go run ./bench -only "request tracker" -tickets 10000   # beside Debian's RT; prints only
`+"```"+`
`)
	return b.Bytes()
}

// keep writes the page.
func (r *report) keep(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, r.markdown(), 0o644)
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func kilobytes(n int) string { return fmt.Sprintf("%.1f kB", float64(n)/1e3) }

// thousands writes 10000 as "10,000".
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
