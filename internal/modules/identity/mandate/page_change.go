package mandate

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// giveView is the form that gives a right.
type giveView struct {
	Login    string
	Mandate  campus.Mandate
	Problems web.Problems
	places   place.Names
}

// readMandate reads a mandate from a form or an address.
func readMandate(v url.Values) campus.Mandate {
	return campus.Mandate{
		Right: campus.Right(v.Get("right")), Campus: strings.TrimSpace(v.Get("campus")), Programme: strings.TrimSpace(v.Get("programme")), Unit: strings.TrimSpace(v.Get("unit")),
	}
}

func (x *Mandates) givePage(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	return web.Render(w, r, http.StatusOK, giveTempl(giveView{Login: r.URL.Query().Get("login"), places: x.Places}))
}

func (x *Mandates) give(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	view := giveView{Login: strings.TrimSpace(values.Get("login")), Mandate: readMandate(values), places: x.Places}
	p, err := x.People.PersonByLogin(ctx, view.Login)
	if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
		return err
	}
	if err != nil {
		view.Problems.Add("login", "identity.mandate.problem.nobody")
	}
	if wrong := check(view.Mandate); wrong != nil {
		field := "right"
		if fault.Of(wrong).Reason == ScopeForm {
			field = "unit"
		}
		view.Problems.Add(field, fault.Of(wrong).Reason.Code()+".field")
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, giveTempl(view))
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error { return x.Give(ctx, tx, p.ID, view.Mandate, journal.From(r)) })
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.mandate.given", "name", p.DisplayName())
	return web.SeeOther(w, r, "/identity/rights")
}

// takeView asks before a right is taken.
type takeView struct {
	Held
	places place.Names
}

func (x *Mandates) takePage(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	view := takeView{places: x.Places}
	view.Mandate = readMandate(r.URL.Query())
	var err error
	if view.Person, err = x.People.PersonByID(r.Context(), campus.PersonID(r.URL.Query().Get("person"))); err != nil {
		return err
	}
	if err := check(view.Mandate); err != nil {
		return Missing.With(fault.Args{"right": string(view.Right)})
	}
	return web.Render(w, r, http.StatusOK, takeTempl(view))
}

func (x *Mandates) take(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	p, err := x.People.PersonByID(ctx, campus.PersonID(values.Get("person")))
	if err != nil {
		return err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error { return x.Take(ctx, tx, p.ID, readMandate(values), journal.From(r)) })
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.mandate.taken", "name", p.DisplayName())
	return web.SeeOther(w, r, "/identity/rights")
}
