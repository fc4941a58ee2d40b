package asking

import (
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// startView is the page on which asking begins.
type startView struct {
	situation
	Words    string
	Question diagnosis.Question
	SignedIn bool
	Open     int // requests of the viewer that are not over
	Desks    []openings.Now
}

// longestSearch bounds what is searched for, in bytes.
const longestSearch = 200

func (a *Asking) startPage(w http.ResponseWriter, r *http.Request) error {
	s, err := a.situation(r, aboutOf(r.URL.Query()))
	if err != nil {
		return err
	}
	foremost, err := a.Foremost(r.Context())
	if err != nil {
		return err
	}
	view := startView{Words: strings.TrimSpace(r.URL.Query().Get("q")), Question: diagnosis.Start(foremost), SignedIn: web.Viewer(r).SignedIn()}
	if len(view.Words) > longestSearch {
		view.Words = strings.ToValidUTF8(view.Words[:longestSearch], "")
	}
	a.suggest(r.Context(), &s, diagnosis.Wanted{Words: view.Words, Campus: campusOf(web.Viewer(r).Affiliations)})
	view.situation = s
	if view.SignedIn {
		mine, err := a.Tickets.Of(r.Context(), web.Viewer(r).Person)
		if err != nil {
			return err
		}
		view.Open = countOpen(mine)
	}
	desks, err := a.Desks(r.Context())
	if err != nil {
		return err
	}
	var campuses []string
	for _, tie := range web.Viewer(r).Affiliations {
		campuses = append(campuses, tie.Campus)
	}
	view.Desks = openings.Near(desks, campuses)
	return web.Render(w, r, http.StatusOK, startTempl(view))
}

func countOpen(list []ticket.Ticket) (n int) {
	for _, t := range list {
		if !t.State.Over() {
			n++
		}
	}
	return n
}
