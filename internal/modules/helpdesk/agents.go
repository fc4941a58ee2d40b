package helpdesk

import "github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"

// Handling is a ticket as agents work on it, and the texts that they insert.
func (m *Module) Handling() *handling.Handling { return m.handling }
