// Package figures counts what the desk does, so that whoever runs it can see how it
// goes: how much, how fast, how well, of what, and when. A job counts each day once
// and again when something of it changed; pages add days up.
package figures

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	placed "github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Services names the programs behind single sign-on.
type Services interface {
	ServiceCalled(ctx context.Context, service string) (name, address string)
}

// Deps is what figures need.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Zone      *time.Location // of the institution: where days begin
	Tickets   *ticket.Tickets
	Calendars *openings.Calendars
	Places    placed.Names
	Services  Services
}

// Figures is the alcove.
type Figures struct{ Deps }

// New opens it.
func New(d Deps) *Figures { return &Figures{d} }

// Routes are the alcove's addresses: for who runs the desk, and for agents as far as
// their right reaches.
func (x *Figures) Routes(r *web.Router) {
	readers := web.NeedsSomewhere(campus.RightHelpdesk, campus.RightDesks)
	r.Handle("GET /helpdesk/figures", x.page, readers)
	r.Handle("GET /helpdesk/figures/{table}", x.file, readers)
	r.Handle("POST /helpdesk/figures/recount", x.recount, web.Needs(campus.RightDesks))
}

// Jobs registers the alcove's jobs.
func (x *Figures) Jobs(r *jobs.Registry) {
	r.EveryWith("helpdesk.figures", 5*time.Minute, x.Refresh, jobs.Policy{Timeout: 30 * time.Minute})
	jobs.Handle(r, func(ctx context.Context, _ refresh) error { return x.Refresh(ctx) }, jobs.Policy{Timeout: 30 * time.Minute})
}

// refresh counts now what changed.
type refresh struct{}

// JobName is the job's name.
func (refresh) JobName() string { return "helpdesk.figures.now" }
