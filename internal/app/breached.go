package app

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/breached"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
)

// breachedCommand works on filters of known passwords; docs/passwords.md says
// where lists come from.
type breachedCommand struct {
	Build breachedBuildCommand `cmd:"" help:"Build a filter of known passwords from a list of them."`
	Check breachedCheckCommand `cmd:"" help:"Read a password from standard input and say whether the filter holds it. The exit code is 1 when it does."`
}

type breachedBuildCommand struct {
	From   string `required:"" help:"The list, - for standard input." placeholder:"FILE"`
	To     string `required:"" help:"The filter to write. It is replaced once the new one is whole." placeholder:"FILE" type:"path"`
	Format string `default:"plain" enum:"plain,hibp" help:"plain: one password a line. hibp: SHA1:count a line, as Have I Been Pwned gives it out."`
	Seen   int    `default:"1" help:"With hibp, leave out what was seen fewer times: a smaller filter."`
	Source string `help:"What the list is, for the header of the filter. The name of the file by default."`
}

func (c breachedBuildCommand) Run(t *terminal) (err error) {
	list, size := io.Reader(os.Stdin), int64(1)<<33 // of no known length: shards for a long one
	if c.From != "-" {
		file, err := os.Open(c.From)
		if err != nil {
			return err
		}
		defer file.Close() // only read from
		info, err := file.Stat()
		if err != nil {
			return err
		}
		list, size = file, info.Size()
	}
	started := time.Now()
	header, err := breached.Build(t, list, breached.Recipe{
		Format: breached.Format(c.Format), Source: cmp.Or(c.Source, filepath.Base(c.From)), Date: started, Seen: c.Seen, Size: size,
		Told: func(read int64) {
			switch {
			case read == 0:
				fmt.Fprintln(t.err, "The list is read; building.")
			case c.From != "-":
				fmt.Fprintf(t.err, "%d %% read\n", 100*read/max(1, size))
			default:
				fmt.Fprintf(t.err, "%d MB read\n", read>>20)
			}
		},
	}, c.To)
	if err != nil {
		return err
	}
	info, err := os.Stat(c.To)
	if err != nil {
		return err
	}
	t.say("%s holds %d passwords in %d bytes, made in %v.", c.To, header.Entries, info.Size(), time.Since(started).Round(time.Millisecond))
	t.say("A password that is not in the list passes for one about once in %.0f times.", 1/header.FalsePositives)
	t.say("To use it, set identity.password.breached_file and restart.")
	return nil
}

type breachedCheckCommand struct {
	Filter string `help:"The filter to look into; the shipped one by default." placeholder:"FILE" type:"path"`
}

// errKnown makes the command's exit code 1.
var errKnown = errors.New("this password is known: attackers try it")

func (c breachedCheckCommand) Run(t *terminal) error {
	filter, err := breached.Shipped()
	if c.Filter != "" {
		filter, err = breached.Open(c.Filter)
	}
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 1<<16)).ReadString('\n')
	if err != nil && err != io.EOF {
		return fmt.Errorf("read standard input: %w", err)
	}
	for _, form := range rules.Known(strings.TrimRight(line, "\r\n")) {
		if filter.Has(form) {
			return errKnown
		}
	}
	h := filter.Header()
	t.say("This password is not among the %d of %s (%s).", h.Entries, h.Source, h.Date)
	return nil
}
