// Package setup is the pages of those who run the help desk: queues and who works in
// them, opening hours, promised times, rules, and the start of a term. Every change
// says what it changes, and can be undone or is asked about first.
package setup

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Roll says who holds a right.
type Roll interface {
	HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error)
}

// Register finds people; the identity room keeps it.
type Register interface {
	FindPeople(ctx context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error)
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error)
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Zone      *time.Location // of the institution
	Tickets   *ticket.Tickets
	Calendars *openings.Calendars
	Promises  *promise.Promises
	Routing   *routing.Routing
	Register  Register
	Roll      Roll
	Places    place.Names
}

// Setup is the alcove.
type Setup struct {
	Deps
	history *kept.History
}

// New makes the alcove.
func New(d Deps) *Setup {
	return &Setup{d, &kept.History{DB: d.DB, Shelves: []kept.Undoer{d.Calendars.Plans, d.Calendars.Terms.Shelf, d.Promises.Tables, d.Routing.Rules, d.Routing.Exams}}}
}

// Routes lists the addresses of the alcove.
func (s *Setup) Routes(r *web.Router) {}
