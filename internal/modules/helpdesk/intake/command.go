package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Command is what somebody at a terminal says about an import.
type Command struct {
	From   string `enum:"zammad,glpi,rt" required:"" help:"Program of the export: zammad, glpi or rt."`
	As     string `help:"Name of this very installation, when several of one program are taken over; its own name otherwise."`
	Queue  string `help:"Team or name of the queue for tickets of queues that are not here. Without it they are refused."`
	DryRun bool   `help:"Say what would be taken over and what not, and write nothing."`
}

// errRefused tells the terminal that not everything was taken over.
var errRefused = errors.New("some lines were not taken over; mend them and run it again: what is here already stays as it is")

// every is after how many tickets the terminal hears how far it is.
const every = 5000

// Import takes an export over, and says what came of it line by line.
func (c Command) Import(ctx context.Context, x *Intake, file io.Reader, say func(format string, args ...any)) error {
	told := 0
	report, err := x.Run(ctx, Order{
		From: c.From, Source: c.As, Queue: c.Queue, DryRun: c.DryRun,
		Refused: func(r Refusal) { say("%s", r) },
		Unkept:  func(u Unkept) { say("%s", u) },
		Done: func(r Report) {
			if r.Tickets/every > told {
				told = r.Tickets / every
				say("%d tickets so far", r.Tickets)
			}
		},
	}, file)
	verb := "Taken over"
	if c.DryRun {
		verb = "Would be taken over"
	}
	say("%s: %d tickets with %d messages and %d files. Here before: %d. Refused: %d. Files without content or not kept: %d. Requesters unknown here: %d.",
		verb, report.Tickets, report.Messages, report.Files, report.Known, report.Refused, report.Unkept, report.Unmatched)
	if err != nil {
		return fmt.Errorf("stopped at line %d: %w", report.Lines, err)
	}
	if report.Refused > 0 {
		return errRefused
	}
	return nil
}
