package privacy

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

func (m *Module) registerPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, registerTempl(m.Processing(r.Context())))
}

func (m *Module) registerCSV(w http.ResponseWriter, r *http.Request) error {
	m.attach(w, "text/csv; charset=utf-8", "csv")
	if err := m.Processing(r.Context()).WriteCSV(r.Context(), w); err != nil {
		return fmt.Errorf("send the register: %w", err)
	}
	return nil
}

func (m *Module) registerJSON(w http.ResponseWriter, r *http.Request) error {
	m.attach(w, "application/json", "json")
	file := json.NewEncoder(w)
	file.SetIndent("", "  ")
	if err := file.Encode(m.Processing(r.Context())); err != nil {
		return fmt.Errorf("send the register: %w", err)
	}
	return nil
}

// attach makes the answer a file to save.
func (m *Module) attach(w http.ResponseWriter, mediaType, ending string) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="register-%s.%s"`, m.Clock.Now().In(m.Zone).Format("2006-01-02"), ending))
}
