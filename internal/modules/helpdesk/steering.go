package helpdesk

import (
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/api"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/figures"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/intake"
)

// steering opens what those who run the desk look at, and what other programs bring.
func (m *Module) steering() {
	m.figures = figures.New(figures.Deps{
		DB: m.DB, Clock: m.Clock, Zone: m.Zone, Tickets: m.tickets, Calendars: m.calendars, Places: m.Places, Services: m.Services,
	})
	m.api = api.New(api.Deps{
		DB: m.DB, Clock: m.Clock, Keys: m.Keys, Base: m.Base, Texts: m.Texts, Tickets: m.tickets, Attached: m.attached, Words: m.words, Register: m.Register, Roll: m.Roll, Notices: m.Notices,
		Places: m.Places, Allowed: m.config.Programs.Networks(), Confirm: m.Confirm,
	})
	m.intake = &intake.Intake{DB: m.DB, Tickets: m.tickets, Files: m.attached, Register: m.Register, Figures: m.figures, Zone: m.Zone}
}

// Intake takes over the tickets of another program.
func (m *Module) Intake() *intake.Intake { return m.intake }

// Figures counts what the desk does.
func (m *Module) Figures() *figures.Figures { return m.figures }
