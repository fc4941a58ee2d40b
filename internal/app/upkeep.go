package app

import (
	"io"
	"log/slog"

	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/log"
)

type migrateCommand struct {
	configured
	DryRun bool `help:"Only list the steps that are missing."`
}

func (c migrateCommand) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	if err := cfg.makeDataDir(); err != nil {
		return err
	}
	d, err := db.Open(t, db.Config{DSN: cfg.dsn(), Log: log.New(cfg.Log, t.err)})
	if err != nil {
		return err
	}
	defer d.Close()
	if c.DryRun {
		pending, err := d.Pending(t, schemas())
		if err != nil {
			return err
		}
		for _, step := range pending {
			t.say("missing: %v", step)
		}
		t.say("%d step(s) missing", len(pending))
		return nil
	}
	if err := d.Migrate(t, schemas()); err != nil {
		return err
	}
	t.say("The database has the schema of this version.")
	return nil
}

// quiet is for commands whose only words are their own.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

type keyCommand struct {
	Rotate keyRotateCommand `cmd:"" help:"Add a new key. It seals from the next start on; the old ones still open what they sealed."`
}

type keyRotateCommand struct{ configured }

func (c keyRotateCommand) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	id, err := crypt.Rotate(cfg.keyFile())
	if err != nil {
		return err
	}
	t.say("%s has the new key %s. Restart the workspace, and copy the file to where you keep it.", cfg.keyFile(), id)
	return nil
}
