package operations

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// configuration shows the values in force. They are masked before they get here: this room never
// sees a secret.
func (m *Module) configuration(w http.ResponseWriter, r *http.Request) error {
	var text strings.Builder
	if err := m.deps.Configuration(&text); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return web.Render(w, r, http.StatusOK, configurationPage(text.String()))
}
