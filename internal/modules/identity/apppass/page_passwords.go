package apppass

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// pageURL is where people manage their application passwords.
const pageURL = "/identity/app-passwords"

// maxLabel is how long the name of a program may be, in characters.
const maxLabel = 60

// Routes lists the addresses of the alcove. All are for people who have signed in.
func (x *Passwords) Routes(r *web.Router) {
	r.Handle("GET "+pageURL, x.page)
	r.Handle("GET "+pageURL+"/new", x.newPage)
	r.Handle("POST "+pageURL+"/new", x.add)
	r.Handle("GET "+pageURL+"/{id}/end", x.endPage)
	r.Handle("POST "+pageURL+"/{id}/end", x.endOne)
}

func (x *Passwords) page(w http.ResponseWriter, r *http.Request) error {
	list, err := x.list(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, listTempl(list))
}

// newView is the form that makes a password.
type newView struct {
	Label    string
	Purposes []contract.AppPurpose
	Problems web.Problems
}

func (x *Passwords) newPage(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	return web.Render(w, r, http.StatusOK, newTempl(newView{Purposes: contract.AppPurposes}))
}

// madeView shows a password, once.
type madeView struct {
	Label, Secret, Login, Server string
	Purposes                     []contract.AppPurpose
}

func (x *Passwords) add(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); err != nil || !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view := newView{Label: strings.Join(strings.Fields(values.Get("label")), " ")}
	for _, p := range contract.AppPurposes {
		if slices.Contains(values["purposes"], string(p)) {
			view.Purposes = append(view.Purposes, p)
		}
	}
	switch {
	case view.Label == "":
		view.Problems.Add("label", "identity.apppass.problem.label_missing")
	case utf8.RuneCountInString(view.Label) > maxLabel:
		view.Problems.Add("label", "identity.apppass.problem.label_long", "limit", maxLabel)
	}
	if len(view.Purposes) == 0 {
		view.Problems.Add("purposes", "identity.apppass.problem.purpose_missing")
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, newTempl(view))
	}
	p, err := x.People.PersonByID(ctx, v.Person)
	if err != nil {
		return err
	}
	secret, err := x.make(ctx, p, view.Label, view.Purposes, journal.From(r))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return web.Render(w, r, http.StatusOK, madeTempl(madeView{Label: view.Label, Secret: secret, Login: p.Login, Server: x.Server, Purposes: view.Purposes}))
}

// find is one of the viewer's own passwords, or [Missing].
func (x *Passwords) find(r *http.Request) (Password, error) {
	list, err := x.list(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return Password{}, err
	}
	i := slices.IndexFunc(list, func(p Password) bool { return p.ID == r.PathValue("id") })
	if i < 0 {
		return Password{}, Missing
	}
	return list[i], nil
}

func (x *Passwords) endPage(w http.ResponseWriter, r *http.Request) error {
	p, err := x.find(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, endTempl(p))
}

func (x *Passwords) endOne(w http.ResponseWriter, r *http.Request) error {
	p, err := x.find(r)
	if err != nil {
		return err
	}
	e := journal.From(r)
	e.Facts = map[string]string{"label": p.Label}
	err = x.DB.InTx(r.Context(), func(tx db.Tx) error { return x.end(r.Context(), tx, web.Viewer(r).Person, p.ID, e) })
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.apppass.ended", "label", p.Label)
	return web.SeeOther(w, r, pageURL)
}
