package app

import "github.com/amphi-campus/amphi/internal/platform/crypt"

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
