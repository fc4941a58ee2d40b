// Package listing is the agents' view of many tickets: lists, search, lists kept
// under a name, acts on several at once.
package listing

import (
	"context"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what lists need.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Zone     *time.Location
	Tickets  *ticket.Tickets
	Words    *words.Index
	Register contract.Register
	Places   place.Names
	// Agents are those who hold the right to handle tickets.
	Agents func(ctx context.Context) ([]campus.PersonID, error)
	// AgentsOf are those who may handle the tickets of a campus.
	AgentsOf func(ctx context.Context, code string) ([]campus.PersonID, error)
}

// Listing is the alcove.
type Listing struct{ Deps }

// New opens it.
func New(d Deps) *Listing { return &Listing{d} }

// Routes are the alcove's addresses.
func (l *Listing) Routes(r *web.Router) {
	agents := web.NeedsSomewhere(campus.RightHelpdesk)
	r.Handle("GET "+listURL, l.listPage, agents)
	r.Handle("GET /helpdesk/tickets.csv", l.listFile, agents)
	r.Handle("POST "+listURL, l.bulk, agents) // where a page that comes back can be opened again
	r.Handle("GET /helpdesk/bulk/{id}", l.bulkPage, agents)
	r.Handle("POST /helpdesk/bulk/{id}/undo", l.undoBulk, agents)
	r.Handle("POST /helpdesk/views", l.keepView, agents)
	r.Handle("POST /helpdesk/views/{id}/delete", l.dropView, agents)
}

// listURL is the address of the list.
const listURL = "/helpdesk/tickets"

// bulkLasts is how long an act on several tickets can be undone.
const bulkLasts = 24 * time.Hour

// Jobs registers the alcove's jobs.
func (l *Listing) Jobs(r *jobs.Registry) {
	r.Every("helpdesk.forget_bulks", 24*time.Hour, l.forgetBulks)
}

// agentsFor are the agents whom somebody can choose: those of the campuses in their
// reach.
func (l *Listing) agentsFor(ctx context.Context, v campus.Viewer) ([]campus.PersonID, error) {
	everywhere, within := ticket.Reach(v)
	if everywhere {
		return l.Agents(ctx)
	}
	var list []campus.PersonID
	for _, code := range within {
		of, err := l.AgentsOf(ctx, code)
		if err != nil {
			return nil, err
		}
		list = append(list, of...)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// names are what people are called.
func (l *Listing) names(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]string, error) {
	known, err := l.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	names := make(map[campus.PersonID]string, len(known))
	for who, k := range known {
		names[who] = campus.Viewer{GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName, Login: k.Subject.Login}.DisplayName()
	}
	return names, nil
}
