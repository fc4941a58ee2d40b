package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// alcove is a part of the room with addresses of its own.
type alcove interface{ Routes(*web.Router) }

// jobOwner is an alcove with jobs.
type jobOwner interface{ Jobs(*jobs.Registry) }

// furnish opens the alcoves, those that others lean on first.
func (m *Module) furnish() {
	m.tickets = &ticket.Tickets{DB: m.DB}
	m.attached = &attached.Attached{DB: m.DB, Files: m.Files, Tickets: m.tickets}
	m.words = &words.Index{DB: m.DB}
	m.listing = listing.New(listing.Deps{
		DB: m.DB, Clock: m.Clock, Zone: m.Zone, Tickets: m.tickets, Words: m.words, Register: m.Register, Places: m.Places, Agents: m.agents, AgentsOf: m.agentsOf,
	})
	m.timetable()
	m.everybody()
	m.receive()
	m.handling = handling.New(handling.Deps{
		DB: m.DB, Clock: m.Clock, Keys: m.Keys, Texts: m.Texts, Zone: m.Zone, Base: m.Base, Tickets: m.tickets, Files: m.attached, Register: m.Register, Seeker: m.Seeker,
		Proofs: m.Proofs, Places: m.Places, Services: m.Services, Looks: m.Looks, Notices: m.Notices, AgentsOf: m.agentsOf, Dossiers: m.Dossiers, Acts: m.Acts,
		Answers: m.knowledge.ForAgents, OutageTitled: m.outages.Titled,
	})
	m.post()
	m.steering()
	m.tickets.Connect(m.outages, m.promises, m.words, m.promises, m.following, m.handling, m.outages, m.mailroom, m.figures, m.api)
}

// alcoves lists them. What they bring besides their addresses is found by their
// interfaces.
func (m *Module) alcoves() []alcove {
	return []alcove{m.listing, m.attached, m.handling, m.setup, m.proving, m.asking, m.following, m.outages, m.knowledge, m.mailroom, m.figures, m.api, m.reception}
}

// those are the alcoves that bring a T.
func those[T any](alcoves []alcove) []T {
	var found []T
	for _, a := range alcoves {
		if t, ok := a.(T); ok {
			found = append(found, t)
		}
	}
	return found
}

// Jobs registers those of the alcoves.
func (m *Module) Jobs(r *jobs.Registry) {
	m.tickets.Jobs(r)
	m.promises.Jobs(r)
	for _, owner := range those[jobOwner](m.alcoves()) {
		owner.Jobs(r)
	}
}

// agents are those who may handle tickets, on one campus at least.
func (m *Module) agents(ctx context.Context) ([]campus.PersonID, error) {
	everywhere := []campus.Affiliation{}
	for _, p := range m.Places.Campuses() {
		everywhere = append(everywhere, campus.Affiliation{Campus: p.Code})
	}
	return m.Roll.HoldersFor(ctx, campus.RightHelpdesk, everywhere)
}

// agentsOf are those who may handle the tickets of a campus: the same as
// ticket.MayHandle lets in.
func (m *Module) agentsOf(ctx context.Context, code string) ([]campus.PersonID, error) {
	return m.Roll.HoldersFor(ctx, campus.RightHelpdesk, []campus.Affiliation{{Campus: code}})
}
