// Package activation opens accounts: somebody who is in the register proves who
// they are, on a phone or a computer, and chooses their first password. Students
// begin with what stands on their registration certificate, staff and guests
// with a letter that an agent sends.
package activation

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Register is the list of people, as far as activation changes it.
type Register interface {
	// Activate makes an invited account active. It fails with [NotInvited] when
	// the account is in any other state at that moment, so that of two devices
	// only one wins.
	Activate(ctx context.Context, tx db.Tx, who campus.PersonID) error
	// AddPerson stores a person and returns the identifier made for them.
	AddPerson(ctx context.Context, tx db.Tx, p account.Person) (campus.PersonID, error)
}

// Factors knows second factors.
type Factors interface {
	// HasFactor reports whether somebody has a second factor already.
	HasFactor(ctx context.Context, who campus.PersonID) (bool, error)
}

// Post sends letters to addresses that are not anybody's contact yet.
type Post interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}

// Endings sets the day on which a guest's account ends.
type Endings interface {
	// EndOn makes the account end at this instant.
	EndOn(ctx context.Context, tx db.Tx, who campus.PersonID, at time.Time) error
}

// Deps is what activation asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Texts    *i18n.Catalogue // letters are written in the language of who reads them
	Base     *url.URL        // the address that people type; printed on the sheet and in letters
	People   account.People
	Register Register
	Door     entry.Door
	Factors  Factors
	Post     Post
	Endings  Endings
	// Institution signs letters and heads the printed sheet.
	Institution string
}

// Activation is the alcove. It is safe for concurrent use.
type Activation struct {
	Deps
	config  Config
	network *limit.Limiter // beginnings by network
	number  *limit.Limiter // beginnings by student number, and by address
}

// New makes the alcove for a configuration that Check accepts.
func New(d Deps, c Config) *Activation {
	return &Activation{
		Deps: d, config: c,
		network: limit.New(limit.Rate{Every: c.NetworkEvery, Burst: c.NetworkBurst}, 0, d.Clock),
		number:  limit.New(limit.Rate{Every: c.Every, Burst: c.Burst}, 0, d.Clock),
	}
}

// Routes lists every address of the alcove. /activate is published: it stands on
// the printed sheet, so it is short.
func (x *Activation) Routes(r *web.Router) {
}

// Jobs forgets activations and invitations long after their end.
func (x *Activation) Jobs(r *jobs.Registry) {
	r.Every("identity.forget_activations", 24*time.Hour, x.forget)
}

func (x *Activation) forget(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM identity_activations WHERE expires_at < $1", tx.Now().Add(-keepOver)); err != nil {
			return fmt.Errorf("forget activations: %w", err)
		}
		return nil
	})
}

// keepOver is how long the record of an activation stays after its end, so that
// a browser that comes back late is told what happened.
const keepOver = 30 * 24 * time.Hour
