package helpdesk

import (
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
)

// receive opens where people come in person. It leans on opening hours and on codes
// that prove an address.
func (m *Module) receive() {
	m.reception = counter.New(counter.Deps{
		DB: m.DB, Clock: m.Clock, Keys: m.Keys, Texts: m.Texts, Zone: m.Zone, Base: m.Base, Tickets: m.tickets, Calendars: m.calendars, Counters: m.counters,
		Proving: m.proving, Contacts: m.Proofs, Register: m.Register, Seeker: m.Seeker, Places: m.Places, Mailer: m.Mailer, Confirm: m.Confirm,
		InstitutionFrench: m.InstitutionFrench, InstitutionEnglish: m.InstitutionEnglish,
	})
}

// Reception is where people come in person.
func (m *Module) Reception() *counter.Reception { return m.reception }
