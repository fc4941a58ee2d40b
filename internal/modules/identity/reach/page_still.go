package reach

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// stillView asks whether everything is still theirs.
type stillView struct {
	Points []Point
	Next   string // local address to go on to
}

// StillURL is the page that asks whether numbers and addresses are still
// theirs; add ?next= with the way back.
const StillURL = "/identity/contacts/still"

func (x *Reach) stillPage(w http.ResponseWriter, r *http.Request) error {
	points, err := x.Points(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	view := stillView{Next: web.Local(r.URL.Query().Get("next"))}
	for _, p := range points {
		if p.Channel != Mail && p.Usable(x.Clock.Now()) {
			view.Points = append(view.Points, p)
		}
	}
	if len(view.Points) == 0 { // nothing to confirm: the list says what to add
		return web.SeeOther(w, r, "/identity/contacts")
	}
	return web.Render(w, r, http.StatusOK, stillTempl(view))
}

func (x *Reach) stillMine(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if err := x.StillMine(r.Context(), web.Viewer(r).Person); err != nil {
		return err
	}
	web.Flash(w, r, "identity.reach.flash.still")
	return web.SeeOther(w, r, web.Local(values.Get("next")))
}
