package portal

import (
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/catalogue"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// searchView is what the one search box found.
type searchView struct {
	Words    string
	TooShort bool
	Groups   []hitGroup
	Total    int
	Silent   []silence
	// Suggested are services to go on with when there is nothing.
	Suggested []catalogue.Entry
}

const suggestions = 4

func (m *Module) searchPage(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	view := searchView{Words: wordsOf(r)}
	switch {
	case view.Words == "":
	case !worthSearching(view.Words):
		view.TooShort = true
	default:
		view.Groups, view.Silent = m.searchEverywhere(r.Context(), v, view.Words)
		for _, g := range view.Groups {
			view.Total += len(g.Hits)
		}
	}
	if view.Total == 0 {
		entries, _, err := m.services(r.Context(), v)
		if err != nil {
			return err
		}
		view.Suggested = catalogue.Shown(entries, suggestions)
	}
	return web.Render(w, r, http.StatusOK, searchTempl(view))
}

// hitLeaves reports whether a hit ends on another site: at once, or behind the
// redirect that notes the use of a service.
func hitLeaves(h contract.Hit) bool {
	return !strings.HasPrefix(h.URL, "/") || strings.HasPrefix(h.URL, "/portal/services/")
}
