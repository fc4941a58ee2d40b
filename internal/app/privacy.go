package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// privacyCommand does from a shell what the data protection officer does in pages,
// also while the workspace runs.
type privacyCommand struct {
	Register privacyRegisterCommand `cmd:"" help:"Print the register of processing (GDPR, article 30)."`
	Export   privacyExportCommand   `cmd:"" help:"Write everything that is held about somebody into a zip file."`
	Erase    privacyEraseCommand    `cmd:"" help:"Say what an erasure would do (--dry-run), or erase somebody whose account is closed."`
}

// known finds somebody by their login.
func (h *House) known(ctx context.Context, login string) (contract.Known, error) {
	found, err := h.identity.FindPeople(ctx, contract.FieldLogin, []string{login})
	if err != nil {
		return contract.Known{}, err
	}
	people, err := h.identity.KnownPeople(ctx, []campus.PersonID{found[login]})
	if err != nil {
		return contract.Known{}, err
	}
	k, ok := people[found[login]]
	if !ok {
		return contract.Known{}, erasure.PersonMissing
	}
	return k, nil
}

type privacyRegisterCommand struct {
	configured
	Format   string `enum:"csv,json" default:"csv" help:"csv or json."`
	Language string `default:"fr" help:"fr or en."`
}

func (c privacyRegisterCommand) Run(t *terminal) error {
	return c.withHouse(t, c.Language, func(ctx context.Context, h *House) error {
		register := h.privacy.Processing(ctx)
		if c.Format == "csv" {
			return register.WriteCSV(ctx, t.out)
		}
		file := json.NewEncoder(t.out)
		file.SetIndent("", "  ")
		return file.Encode(register)
	})
}

type privacyExportCommand struct {
	configured
	Login string `arg:"" help:"Whose data."`
	Out   string `required:"" type:"path" help:"The file to write. It must not be there yet."`
}

func (c privacyExportCommand) Run(t *terminal) error {
	return c.withHouse(t, string(campus.French), func(ctx context.Context, h *House) (err error) {
		who, err := h.known(ctx, c.Login)
		if err != nil {
			return err
		}
		file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("write the copy: %w", err)
		}
		if err := errors.Join(h.privacy.Archives().Write(ctx, file, who), file.Close()); err != nil {
			return errors.Join(err, os.Remove(c.Out))
		}
		t.say("%s holds what is kept about %s. It is for nobody else.", c.Out, c.Login)
		return nil
	})
}

type privacyEraseCommand struct {
	configured
	Login  string `arg:"" help:"Whom."`
	DryRun bool   `help:"Only say what would be erased, made anonymous and kept."`
}

func (c privacyEraseCommand) Run(t *terminal) error {
	return c.withHouse(t, string(campus.English), func(ctx context.Context, h *House) error {
		known, err := h.known(ctx, c.Login)
		if err != nil {
			return err
		}
		engine := h.privacy.Erasures()
		who, _, err := engine.Traced(ctx, known.ID)
		if err != nil {
			return err
		}
		plans, err := engine.Preview(ctx, who, known, nil)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if p.Hold {
				t.say("%s: everything stays, by a legal hold: %s", p.Room, p.Kept)
				continue
			}
			for _, l := range p.Lines {
				t.say("%s\t%s\t%d\t%s\t%s", p.Room, l.Table, l.Rows, l.Fate, l.Why)
			}
			for _, name := range p.Elsewhere {
				t.say("%s\tthe account in %s is deleted there", p.Room, name)
			}
		}
		if c.DryRun {
			return nil
		}
		t.say("This cannot be undone. Type the login once more to erase %s:", c.Login)
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil || strings.TrimSpace(line) != c.Login {
			return errors.New("nothing was erased: the login was not typed")
		}
		return h.eraseNow(ctx, t, engine, known.ID)
	})
}

// eraseNow orders an erasure and carries it out.
func (h *House) eraseNow(ctx context.Context, t *terminal, engine *erasure.Engine, who campus.PersonID) error {
	place, err := engine.Prepare(ctx, erasure.Order{Person: who, Cause: erasure.WhenDue, Rule: "amphi privacy erase"})
	if err != nil {
		return err
	}
	var order string
	if err := h.DB.InTx(ctx, func(tx db.Tx) error { order, err = place(ctx, tx); return err }); err != nil {
		return err
	}
	if err := engine.CarryOut(ctx, order); err != nil {
		return err
	}
	steps, err := engine.Steps(ctx, order)
	if err != nil {
		return err
	}
	t.say("Done: %d columns of tables were dealt with, and the proof is kept.", len(steps))
	asked, err := engine.Elsewhere(ctx, order)
	if err != nil {
		return err
	}
	for _, a := range asked {
		if a.Open() {
			t.say("Still to do: the account in %s. The running workspace has it removed, and adds that to the proofs.", a.Name)
		}
	}
	return nil
}
