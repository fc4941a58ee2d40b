package enrol

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// moveView is what an old phone may hold.
type moveView struct {
	Factors []factor.Factor
}

// movePage asks what is to be moved. Nothing is kept of a move but the key of
// package factor, which stays the same for half an hour; so one can stop at any
// step, and come back to it.
func (x *Enrol) movePage(w http.ResponseWriter, r *http.Request) error {
	factors, err := x.Factors.Of(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	var view moveView
	for _, f := range factors {
		if alone(f) {
			view.Factors = append(view.Factors, f)
		}
	}
	return web.Render(w, r, http.StatusOK, moveTempl(view))
}

// moveOneView is an app on its way to another phone.
type moveOneView struct {
	frame
	Old factor.Factor
	factor.AppEnrolment
	Form appForm
}

// movable is the app that the address names, once its owner has proved again who
// they are; ok is false when they were sent to do so.
func (x *Enrol) movable(w http.ResponseWriter, r *http.Request) (old factor.Factor, a entry.Actor, ok bool, err error) {
	if old, err = x.ours(r); err != nil {
		return old, a, false, err
	}
	if old.Kind != entry.TOTP {
		return old, a, false, MoveNotApp
	}
	if ok, err = x.Door.Confirm(w, r); err != nil || !ok {
		return old, a, false, err
	}
	a, err = x.Door.Actor(r)
	return old, a, err == nil, err
}

func (x *Enrol) moveOnePage(w http.ResponseWriter, r *http.Request) error {
	old, a, ok, err := x.movable(w, r)
	if err != nil || !ok {
		return err
	}
	return x.showMove(w, r, http.StatusOK, frame{Actor: a}, old, appForm{Label: i18n.T(r.Context(), "identity.enrol.move.label_default")})
}

func (x *Enrol) showMove(w http.ResponseWriter, r *http.Request, status int, f frame, old factor.Factor, form appForm) error {
	enrolment, err := x.Factors.BeginApp(r.Context(), f.Actor)
	if err != nil {
		return err
	}
	ctx := r.Context()
	f.Title, f.Lead = i18n.T(ctx, "identity.enrol.move.title"), i18n.T(ctx, "identity.enrol.move.one_lead", "label", old.Label)
	f.Back = ui.Link{Label: i18n.T(ctx, "identity.enrol.move.title"), URL: MoveURL}
	return web.Render(w, r, status, moveOneTempl(moveOneView{f, old, enrolment, form}))
}

// moveOne registers the new phone and removes the old one at the same instant:
// there is no moment with both, and none without either.
func (x *Enrol) moveOne(w http.ResponseWriter, r *http.Request) error {
	old, a, ok, err := x.movable(w, r)
	if err != nil || !ok {
		return err
	}
	form, err := readAppForm(r)
	if err != nil {
		return err
	}
	if problems := form.check(); problems.Any() {
		return x.showMove(w, r, http.StatusUnprocessableEntity, frame{Actor: a, Problems: problems}, old, form)
	}
	f, err := x.Factors.MoveApp(r.Context(), factor.At(r, a), old.ID, form.Enrolment, form.Label, form.Code)
	if err != nil && mendable(err) {
		again, status := x.refused(r, frame{Actor: a}, entry.TOTP, err)
		form.Code, again.AtField = "", status == http.StatusUnprocessableEntity // else the square is a new one
		return x.showMove(w, r, status, again, old, form)
	}
	if err != nil {
		return err
	}
	return x.Door.Proved(w, r, a, entry.Proof{Method: f.Kind, Factor: f.ID}, MoveURL+"/done")
}

// way draws the steps of a move; the page is at the second and third.
func (v moveOneView) way(ctx context.Context) []ui.Stage {
	step := func(state ui.StageState, key string) ui.Stage {
		return ui.Stage{State: state, Title: i18n.T(ctx, "identity.enrol.move."+key), Detail: i18n.T(ctx, "identity.enrol.move."+key+"_detail", "label", v.Old.Label)}
	}
	return []ui.Stage{step(ui.StageDone, "old"), step(ui.StageNow, "new"), step(ui.StageLater, "test"), step(ui.StageLater, "swap")}
}

// movedPage ends a move: the steps, all done, and the recovery codes.
func (x *Enrol) movedPage(w http.ResponseWriter, r *http.Request) error {
	factors, err := x.Factors.Of(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	codes, has := recovery(factors)
	return web.Render(w, r, http.StatusOK, movedTempl(has && codes.CodesLeft > 0, x.offers(entry.Recovery)))
}

// lostView is what somebody has left who has lost the old phone.
type lostView struct {
	Factors   []factor.Factor // those that work
	CodesLeft int
	SMS       bool // a number that the operator gives back with a new card
}

func (x *Enrol) lostPage(w http.ResponseWriter, r *http.Request) error {
	factors, err := x.Factors.Of(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	var view lostView
	now := x.Clock.Now()
	for _, f := range factors {
		switch {
		case f.Kind == entry.Recovery:
			view.CodesLeft = f.CodesLeft
		case f.Usable(now):
			view.Factors = append(view.Factors, f)
			view.SMS = view.SMS || f.Kind == entry.SMS
		}
	}
	return web.Render(w, r, http.StatusOK, lostTempl(view))
}
