package app

import (
	"context"
	"os"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/intake"
)

// helpdeskCommand looks after the help desk from a terminal.
type helpdeskCommand struct {
	Import helpdeskImportCommand `cmd:"" help:"Take over the tickets of Zammad, GLPI or Request Tracker. Run it again to go on, or for what came later."`
}

type helpdeskImportCommand struct {
	configured
	intake.Command
	File string `arg:"" type:"existingfile" help:"Export with one ticket on each line; see docs/helpdesk/import.md."`
}

func (c helpdeskImportCommand) Run(t *terminal) error {
	return c.withHouse(t, string(campus.English), func(ctx context.Context, h *House) error {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer file.Close()
		return c.Command.Import(ctx, h.helpdesk.Intake(), file, t.say)
	})
}
