package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/asking"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/following"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

var (
	_ contract.CardProvider = (*Module)(nil)
	_ contract.Dossier      = (*Module)(nil)
	_ contract.Searcher     = (*Module)(nil)
)

// everybody opens where people ask and follow what they asked. It leans on the
// promised times.
func (m *Module) everybody() {
	m.proving = &proving.Proving{DB: m.DB, Keys: m.Keys, Proofs: m.Proofs}
	m.many()
	m.asking = asking.New(asking.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Tickets: m.tickets, Proving: m.proving, Files: m.attached, SignIns: m.SignIns, Proofs: m.Proofs,
		Register: m.Register, Accounts: m.Accounts, Services: m.Services, Catalogue: m.Catalogue, Help: m.Help, Desks: m.desks, Foremost: m.foremost, SendsSMS: m.Mailer.SendsSMS,
		Suggesters: []diagnosis.Suggester{m.outages, m.knowledge},
	})
	m.following = following.New(following.Deps{
		DB: m.DB, Clock: m.Clock, Keys: m.Keys, Base: m.Base, Texts: m.Texts, Tickets: m.tickets, Proving: m.proving, Proofs: m.Proofs,
		Files: m.attached, Forecast: m.promises, Register: m.Register, Notices: m.Notices, SendsSMS: m.Mailer.SendsSMS,
	})
}

// Tickets keeps the requests.
func (m *Module) Tickets() *ticket.Tickets { return m.tickets }

// Cards implements contract.CardProvider.
func (m *Module) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	return m.following.Cards(ctx, v)
}

// About implements contract.Dossier.
func (m *Module) About(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	return m.following.About(ctx, v, who)
}

// Search implements contract.Searcher: everybody finds their own requests.
func (m *Module) Search(ctx context.Context, v campus.Viewer, words string) ([]contract.Hit, error) {
	return m.following.Search(ctx, v, words)
}

// foremost are the areas of a start of term that runs.
func (m *Module) foremost(ctx context.Context) ([]ticket.Area, error) {
	running, _, err := m.calendars.Terms.Running(ctx, m.Clock.Now())
	return running.Ask, err
}
