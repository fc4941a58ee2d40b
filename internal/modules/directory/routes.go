package directory

import "github.com/amphi-campus/amphi/internal/platform/web"

// Routes lists every address of the room.
func (m *Module) Routes(*web.Router) {}
