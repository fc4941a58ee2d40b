// Package lifecycle decides whether an account may be used: the decisions of the
// secretariat with their reasons and dates, and the rules that close the
// accounts of those who are no longer registered.
package lifecycle

import (
	"context"
	"log/slog"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Sessions ends sessions: whoever is suspended is out at once.
type Sessions interface {
	EndSessionsOf(ctx context.Context, tx db.Tx, who campus.PersonID, exceptSession string) (int, error)
}

// Deps is what the alcove asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Zone     *time.Location // the zone in which a date on a form is meant
	People   account.People
	Sessions Sessions
}

// Lifecycle is the alcove.
type Lifecycle struct {
	Deps
	config Config
}

// New opens the alcove.
func New(d Deps, c Config) *Lifecycle { return &Lifecycle{Deps: d, config: c} }
