package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// decided is what a decision about an account says wherever it is taken: somebody
// of the secretariat stands for it. Whoever may run a command gives that right
// first, with amphi person grant, and the journal shows it.
type decided struct {
	configured
	Login string `arg:"" help:"Identifier of the person."`
	By    string `required:"" help:"Identifier of who decides: somebody with the right secretariat." placeholder:"LOGIN"`
	Note  string `help:"For the secretariat alone." placeholder:"TEXT"`
}

// decide finds the person, and who decides about them, and says what the account
// has become.
func (c decided) decide(t *terminal, do func(ctx context.Context, m *identity.Module, by, about identity.Person, e journal.Event) error) error {
	return c.withIdentity(t, func(ctx context.Context, _ *db.DB, m *identity.Module) error {
		by, err := m.PersonByLogin(ctx, c.By)
		if err != nil {
			return err
		}
		about, err := m.PersonByLogin(ctx, c.Login)
		if err != nil {
			return err
		}
		if err := do(ctx, m, by, about, journal.Event{Agent: "amphi person"}); err != nil {
			return err
		}
		if about, err = m.PersonByID(ctx, about.ID); err != nil {
			return err
		}
		t.say("The account of %s is %s.", about.Login, about.State)
		return nil
	})
}

// ordered is a decision that needs a reason.
type ordered struct {
	decided
	Reason string `required:"" help:"Code of the institution's list, such as left; a wrong one is answered with the list." placeholder:"CODE"`
}

func (c ordered) order(t *terminal, o lifecycle.Order) error {
	return c.decide(t, func(ctx context.Context, m *identity.Module, by, about identity.Person, e journal.Event) error {
		o.Reason, o.Note, o.Event = c.Reason, c.Note, e
		_, err := m.Lifecycle().Decide(ctx, by.Viewer(), about.ID, o)
		if errors.Is(err, lifecycle.ReasonMissing) {
			fmt.Fprintf(t.err, "The reasons are %s.\n", strings.Join(m.Lifecycle().Reasons(), ", "))
		}
		return err
	})
}

type personCloseCommand struct{ ordered }

func (c personCloseCommand) Run(t *terminal) error {
	return c.order(t, lifecycle.Order{State: account.Closed})
}

type personSuspendCommand struct {
	ordered
	Until string `help:"Last day of the suspension, such as 2027-08-31; without one it lasts until it is lifted." placeholder:"DAY"`
}

func (c personSuspendCommand) Run(t *terminal) error {
	o := lifecycle.Order{State: account.Suspended}
	if c.Until != "" {
		zone, err := c.zone(t)
		if err != nil {
			return err
		}
		if o.Until, err = lifecycle.ParseDay(c.Until, zone); err != nil {
			return err
		}
	}
	return c.order(t, o)
}

type personReopenCommand struct{ decided }

func (c personReopenCommand) Run(t *terminal) error {
	return c.decide(t, func(ctx context.Context, m *identity.Module, by, about identity.Person, e journal.Event) error {
		held, err := m.Lifecycle().Holding(ctx, about)
		if err != nil {
			return err
		}
		return m.Lifecycle().Lift(ctx, by.Viewer(), about.ID, held, c.Note, e)
	})
}

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
