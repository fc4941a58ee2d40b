package enrol

import (
	"errors"
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// removeView says what removing a factor would do.
type removeView struct {
	factor.Factor
	// Left is how many other factors work; Trusted tells that browsers are spared
	// the factor now.
	Left    int
	Trusted bool
	// Refused is why the factor must stay.
	Refused *web.Failure
}

func (x *Enrol) removePage(w http.ResponseWriter, r *http.Request) error {
	view, err := x.removal(r)
	if err != nil {
		return err
	}
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	return web.Render(w, r, http.StatusOK, removeTempl(view))
}

// removal looks at what removing the factor of this address would do.
func (x *Enrol) removal(r *http.Request) (removeView, error) {
	f, err := x.ours(r)
	if err != nil {
		return removeView{}, err
	}
	view, now := removeView{Factor: f}, x.Clock.Now()
	factors, err := x.Factors.Of(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return removeView{}, err
	}
	view.Left = count(factors, now)
	if f.Usable(now) {
		view.Left--
	}
	devices, err := x.Devices.List(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return removeView{}, err
	}
	for _, d := range devices {
		view.Trusted = view.Trusted || d.Trusted(now)
	}
	return view, nil
}

func (x *Enrol) remove(w http.ResponseWriter, r *http.Request) error {
	view, err := x.removal(r)
	if err != nil {
		return err
	}
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	a, err := x.Door.Actor(r)
	if err != nil {
		return err
	}
	err = x.Factors.Remove(r.Context(), factor.At(r, a), view.ID)
	if errors.Is(err, factor.Last) {
		why := fault.Of(err)
		web.Note(r, why)
		failure := web.Explain(r.Context(), why)
		view.Refused = &failure
		return web.Render(w, r, failure.Status, removeTempl(view))
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.enrol.remove.done")
	return web.SeeOther(w, r, ListURL)
}
