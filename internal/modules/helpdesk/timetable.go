package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/setup"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
)

// timetable opens what those who run the desk say on its pages: opening hours,
// promised times, rules, and the starts of term.
func (m *Module) timetable() {
	m.calendars = &openings.Calendars{
		Plans: &kept.Shelf[hours.Plan]{DB: m.DB, Kind: openings.Kind},
		Terms: &term.Terms{Shelf: &kept.Shelf[term.Term]{DB: m.DB, Kind: term.Kind}, Zone: m.Zone},
		Zone:  m.Zone,
	}
	m.promises = promise.New(promise.Deps{
		DB: m.DB, Clock: m.Clock, Tickets: m.tickets, Calendars: m.calendars, Tables: &kept.Shelf[promise.Table]{DB: m.DB, Kind: promise.Kind}, Roll: m.Roll, Notices: m.Notices,
	})
	m.routing = routing.New(routing.Deps{
		DB: m.DB, Tickets: m.tickets, Register: m.Register, Roll: m.Roll, Rules: &kept.Shelf[routing.Rule]{DB: m.DB, Kind: routing.Kind},
		Exams: &kept.Shelf[routing.Exams]{DB: m.DB, Kind: routing.ExamsKind}, Zone: m.Zone,
	})
	m.counters = &kept.Shelf[counter.Counter]{DB: m.DB, Kind: counter.Kind}
	m.setup = setup.New(setup.Deps{
		DB: m.DB, Clock: m.Clock, Zone: m.Zone, Tickets: m.tickets, Calendars: m.calendars, Promises: m.promises, Routing: m.routing,
		Register: m.Register, Roll: m.Roll, Places: m.Places,
		Others: []kept.Undoer{m.counters},
	})
}

var _ contract.OpeningHours = (*Module)(nil)

// desks says which desks are open now.
func (m *Module) desks(ctx context.Context) ([]openings.Now, error) {
	return m.calendars.Now(ctx, m.Clock.Now())
}

// OpeningHours implements contract.OpeningHours.
func (m *Module) OpeningHours(ctx context.Context) ([]contract.CardRow, error) {
	list, err := m.desks(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]contract.CardRow, len(list))
	for i, now := range list {
		rows[i] = openings.Row(ctx, now)
	}
	return rows, nil
}

// Setup keeps what those who run the desk say.
func (m *Module) Setup() *setup.Setup { return m.setup }
