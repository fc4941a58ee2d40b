package app

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// noEnd is what stands in place of a day for somebody who stays.
const noEnd = "none"

type personUntilCommand struct {
	configured
	Login string `arg:"" help:"Identifier of the person."`
	Day   string `arg:"" help:"Last day of the registration or contract, such as 2027-08-31, or none for no end."`
	Kind  string `default:"student" enum:"student,teacher,staff,guest" help:"student, teacher, staff or guest"`
}

// Run records until when somebody belongs to the institution. The rules for
// those who have left start from this day.
func (c personUntilCommand) Run(t *terminal) error {
	zone, err := c.zone(t)
	if err != nil {
		return err
	}
	var until time.Time
	if c.Day != noEnd {
		if until, err = lifecycle.ParseDay(c.Day, zone); err != nil {
			return err
		}
	}
	return c.change(t, c.Login, "Noted for %s.", func(ctx context.Context, tx db.Tx, _ *identity.Module, p identity.Person) error {
		return lifecycle.Register(ctx, tx, p.ID, campus.Kind(c.Kind), until, "command line")
	})
}

// zone is that in which the institution means a day.
func (c configured) zone(t *terminal) (*time.Location, error) {
	cfg, err := c.read(t)
	if err != nil {
		return nil, err
	}
	return time.LoadLocation(cfg.Institution.TimeZone)
}
