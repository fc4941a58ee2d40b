// Package lifecycle decides whether an account may be used: the decisions of the
// secretariat with their reasons and dates, and the rules that close the
// accounts of those who are no longer registered.
package lifecycle

import (
	"context"
	"log/slog"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Sessions ends sessions: whoever is suspended is out at once.
type Sessions interface {
	EndSessionsOf(ctx context.Context, tx db.Tx, who campus.PersonID, exceptSession string) (int, error)
}

// Journal keeps what happened.
type Journal interface {
	Write(context.Context, db.Tx, journal.Event) error
}

// Letters writes to people.
type Letters interface {
	Tell(context.Context, db.Tx, account.Person, reach.Letter) error
}

// Deps is what the alcove asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Texts    *i18n.Catalogue
	Zone     *time.Location // the zone in which a day is meant
	People   account.People
	Sessions Sessions
	Journal  Journal
	Letters  Letters
	// Places names campuses and programmes; nil offers none to choose from.
	Places place.Names
	// Changed tells the house that the state of somebody's account is another.
	Changed func(ctx context.Context, tx db.Tx, who campus.PersonID) error
	// Looked notes that an agent opened somebody's account; nil notes nothing.
	Looked func(context.Context, contract.Look) error
}

// Lifecycle is the alcove.
type Lifecycle struct {
	Deps
	config Config
}

// New opens the alcove.
func New(d Deps, c Config) *Lifecycle {
	if d.Places == nil {
		d.Places = place.Fixed{}
	}
	return &Lifecycle{Deps: d, config: c}
}

// Routes lists every address of the alcove. All are the secretariat's.
func (l *Lifecycle) Routes(r *web.Router) {
	everywhere, secretariat := web.Needs(campus.RightSecretariat), web.NeedsSomewhere(campus.RightSecretariat)
	r.Handle("GET /identity/accounts", l.accountsPage, secretariat)
	r.Handle("GET /identity/accounts.csv", l.accountsFile, secretariat)
	r.Handle("GET /identity/accounts/rules", l.rulesPage, everywhere)
	r.Handle("GET /identity/accounts/due", l.duePage, everywhere)
	r.Handle("GET /identity/accounts/{id}", l.accountPage, secretariat)
	r.Handle("GET /identity/accounts/{id}/{act}", l.decidePage, secretariat)
	r.Handle("POST /identity/accounts/{id}/suspend", l.suspend, secretariat)
	r.Handle("POST /identity/accounts/{id}/close", l.close, secretariat)
	r.Handle("POST /identity/accounts/{id}/expire", l.expire, secretariat)
	r.Handle("POST /identity/accounts/{id}/reopen", l.reopen, secretariat)
	r.Handle("POST /identity/accounts/{id}/undo", l.undo, secretariat)
}
