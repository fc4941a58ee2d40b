// Package recovery brings somebody back who has lost every way to prove who they
// are: two agents vouch for them, the owner of the account is warned on every
// channel, time passes, then a code opens it once.
package recovery

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Journal keeps what happened.
type Journal interface {
	Write(context.Context, db.Tx, journal.Event) error
}

// Letters writes to people on every channel that is theirs.
type Letters interface {
	Tell(context.Context, db.Tx, account.Person, reach.Letter) error
}

// Passwords judges and stores the new password; package renewal does.
type Passwords interface {
	Fields(p account.Person, loginField string, problems web.Problems) renewal.NewPasswordProps
	Problems(ctx context.Context, p account.Person, plain, again string) (web.Problems, error)
	Hash(ctx context.Context, plain string) (renewal.Secret, error)
	Store(ctx context.Context, tx db.Tx, p account.Person, s renewal.Secret, e journal.Event) error
}

// Sessions ends sessions.
type Sessions interface {
	EndSessionsOf(ctx context.Context, tx db.Tx, who campus.PersonID, exceptSession string) (int, error)
}

// Factors and trusted devices go when somebody has lost everything: they may be
// in other hands.
type (
	// Factors removes every second factor of somebody.
	Factors interface {
		Forget(ctx context.Context, tx db.Tx, who campus.PersonID) error
	}
	// Devices forgets every device of somebody.
	Devices interface {
		ForgetAll(ctx context.Context, tx db.Tx, e journal.Event) (int, error)
	}
)

// Deps is what the alcove asks of the house.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Keys      *crypt.Keyring
	Codes     *code.Store
	People    account.People
	Journal   Journal
	Letters   Letters
	Passwords Passwords
	Sessions  Sessions
	Factors   Factors
	Devices   Devices
	Door      entry.Door
	BaseURL   *url.URL
}

// Recovery is the alcove.
type Recovery struct {
	Deps
	config Config
}

// New opens the alcove.
func New(d Deps, c Config) *Recovery { return &Recovery{Deps: d, config: c} }

// Routes lists every address of the alcove. The public ones are for people who
// cannot sign in: what they show is behind a link that nobody can guess.
func (x *Recovery) Routes(r *web.Router) {
	agents := web.Needs(campus.RightHelpdesk)
	r.Handle("GET /identity/recovery", x.ladderPage, web.Public)
	r.Handle("POST /identity/recovery", x.ask, web.Public)
	r.Handle("GET /identity/recovery/{token}", x.followPage, web.Public)
	r.Handle("GET /identity/recovery/stop/{token}", x.stopPage, web.Public)
	r.Handle("POST /identity/recovery/stop/{token}", x.stop, web.Public)
	r.Handle("GET /identity/recovery/open/{token}", x.openPage, web.Public)
	r.Handle("POST /identity/recovery/open/{token}", x.open, web.Public)
	r.Handle("GET /identity/support/recoveries", x.listPage, agents)
	r.Handle("GET /identity/support/recoveries/new", x.newPage, agents)
	r.Handle("POST /identity/support/recoveries", x.begin, agents)
	r.Handle("GET /identity/support/recoveries/{id}", x.requestPage, agents)
	r.Handle("POST /identity/support/recoveries/{id}/approve", x.approve, agents)
	r.Handle("POST /identity/support/recoveries/{id}/refuse", x.refuse, agents)
	r.Handle("POST /identity/support/recoveries/{id}/give", x.give, agents)
}

// Jobs registers the alcove's jobs.
func (x *Recovery) Jobs(reg *jobs.Registry) {
	reg.Every("identity.recoveries_lapse", time.Hour, x.lapse)
	reg.Every("identity.forget_supervised", 24*time.Hour, func(ctx context.Context) error {
		return x.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := sqlgen.New(tx).ForgetOld(ctx, tx.Now().Add(-keepEnded))
			return err
		})
	})
}

// keepEnded is how long a recovery that is over can still be looked into.
const keepEnded = 400 * 24 * time.Hour
