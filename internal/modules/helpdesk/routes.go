package helpdesk

import "github.com/amphi-campus/amphi/internal/platform/web"

// Routes lists every address of the room: those of its alcoves.
func (m *Module) Routes(r *web.Router) {
	for _, alcove := range m.alcoves() {
		alcove.Routes(r)
	}
}
