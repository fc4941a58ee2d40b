package activation

import (
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// invitedHere reports whether the activation of this browser began with a
// letter, for the way that the last pages show.
func (x *Activation) invitedHere(r *http.Request) bool {
	b, err := x.at(r)
	return err == nil && b.Invitation != "" // without it the longer way is shown
}

// factorPage offers the first second factor to who has just activated their
// account. Who has one, because the way in asked for it, goes on.
func (x *Activation) factorPage(w http.ResponseWriter, r *http.Request) error {
	has, err := x.Factors.HasFactor(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return fmt.Errorf("look for a second factor: %w", err)
	}
	if has {
		return web.SeeOther(w, r, donePath)
	}
	return web.Render(w, r, http.StatusOK, factorTempl(wayOf(stepFactor, x.invitedHere(r))))
}

// justNow is how long after the first password a factor still belongs to the
// activation.
const justNow = time.Hour

// Onward is the last page, for somebody who has just added the factor that the
// page before it offers; "" for everybody else.
func (x *Activation) Onward(r *http.Request) string {
	b, err := x.at(r) // whoever has no activation here goes where they would
	if err != nil || b.Person != web.Viewer(r).Person || b.FinishedAt.IsZero() || x.Clock.Now().Sub(b.FinishedAt.Time()) > justNow {
		return ""
	}
	return donePath
}

// donePath is the last page.
const donePath = "/activate/done"

// doneView is what the last page shows.
type doneView struct {
	Way    way
	Viewer campus.Viewer
	Factor bool // a second factor is registered
}

func (x *Activation) donePage(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	has, err := x.Factors.HasFactor(r.Context(), v.Person)
	if err != nil {
		return fmt.Errorf("look for a second factor: %w", err)
	}
	view := doneView{Way: wayOf(stepDone, x.invitedHere(r)), Viewer: v, Factor: has}
	if !has {
		view.Way.skipped = stepFactor
	}
	return web.Render(w, r, http.StatusOK, doneTempl(view))
}

// addFactorURL is where a second factor is registered.
const addFactorURL = "/identity/factors/add"
