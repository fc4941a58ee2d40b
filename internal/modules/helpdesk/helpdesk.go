// Package helpdesk is the room where people ask: tickets, the guided diagnosis in
// front of them, opening hours and promised times, mail in and out, incidents that
// many have at once, and what the desk knows.
package helpdesk

import (
	"embed"
	"io/fs"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/api"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/asking"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/figures"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/following"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/intake"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/knowledge"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/outage"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/setup"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
)

// Module is the room.
type Module struct {
	Deps
	config Config

	tickets  *ticket.Tickets
	attached *attached.Attached
	handling *handling.Handling
	words    *words.Index
	listing  *listing.Listing

	proving   *proving.Proving
	asking    *asking.Asking
	following *following.Following
	outages   *outage.Outages
	knowledge *knowledge.Knowledge
	mailroom  *mailroom.Mailroom

	api     *api.API
	figures *figures.Figures
	intake  *intake.Intake

	calendars *openings.Calendars
	promises  *promise.Promises
	routing   *routing.Routing
	setup     *setup.Setup
	counters  *kept.Shelf[counter.Counter]
	reception *counter.Reception
}

var (
	_ contract.Module       = (*Module)(nil)
	_ contract.JobOwner     = (*Module)(nil)
	_ contract.Navigator    = (*Module)(nil)
	_ contract.PersonalData = (*Module)(nil)
	_ contract.Eraser       = (*Module)(nil)
)

// New opens the room.
func New(d Deps, c Config) *Module {
	m := &Module{Deps: d, config: c}
	m.furnish()
	return m
}

// Name is "helpdesk".
func (m *Module) Name() string { return "helpdesk" }

//go:embed migrations
var migrations embed.FS

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return migrations }

//go:embed locales */locales/*.toml
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }
