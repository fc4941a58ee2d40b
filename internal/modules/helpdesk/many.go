package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/knowledge"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/outage"
)

var (
	_ contract.Announcer        = (*Module)(nil)
	_ contract.ServiceAnnouncer = (*Module)(nil)
	_ contract.Explainer        = (*Module)(nil)
)

// many opens what is for many at once: incidents, and what the desk knows. It leans on the proof of addresses,
// the starts of term and the rules that place tickets.
func (m *Module) many() {
	m.outages = outage.New(outage.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Keys: m.Keys, Texts: m.Texts, Zone: m.Zone, Base: m.Base, Tickets: m.tickets, Terms: m.calendars.Terms,
		Places: m.Places, Roll: m.Roll, Notices: m.Notices, Mailer: m.Mailer, Proving: m.proving, Proofs: m.Proofs, Services: m.Services, Catalogue: m.Catalogue,
		Next: m.routing, InstitutionFrench: m.InstitutionFrench, InstitutionEnglish: m.InstitutionEnglish,
	})
	m.knowledge = knowledge.New(knowledge.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Tickets: m.tickets, Register: m.Register, Services: m.Services, Catalogue: m.Catalogue,
	})
}

// Outages keeps incidents and maintenance.
func (m *Module) Outages() *outage.Outages { return m.outages }

// Knowledge keeps the articles of the desk.
func (m *Module) Knowledge() *knowledge.Knowledge { return m.knowledge }

// Banners implements contract.Announcer.
func (m *Module) Banners(ctx context.Context, v campus.Viewer) []contract.Banner {
	return m.outages.Banners(ctx, v)
}

// BannersOf implements contract.ServiceAnnouncer.
func (m *Module) BannersOf(ctx context.Context, v campus.Viewer, service string) []contract.Banner {
	return m.outages.BannersOf(ctx, v, service)
}

// Explaining implements contract.Explainer.
func (m *Module) Explaining(ctx context.Context, reason string) (title, url string, ok bool) {
	return m.knowledge.Explaining(ctx, reason)
}
