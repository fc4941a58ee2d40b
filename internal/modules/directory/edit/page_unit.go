package edit

import (
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// unitView is the form of a unit.
type unitView struct {
	formView
	Name     string
	MayClose bool
}

func (d *Desk) unitPage(w http.ResponseWriter, r *http.Request) error {
	view, _, err := d.unitView(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, unitTempl(view))
}

func (d *Desk) unitView(r *http.Request) (unitView, subject, error) {
	ctx, v := r.Context(), web.Viewer(r)
	u, tree, err := d.unit(ctx, v, r.PathValue("code"))
	if err != nil {
		return unitView{}, subject{}, err
	}
	s, err := d.unitSubject(ctx, v, u, tree)
	if err != nil {
		return unitView{}, s, err
	}
	view := unitView{Name: u.Name(i18n.Locale(ctx)), MayClose: MayArrange(v, tree, u)}
	view.Back = unitURL(u.Code)
	view.URL = view.Back + "/edit"
	if view.Slots, err = d.slots(ctx, s); err != nil {
		return view, s, err
	}
	view.History, err = d.history(ctx, s)
	return view, s, err
}

func (d *Desk) saveUnit(w http.ResponseWriter, r *http.Request) error {
	view, s, err := d.unitView(r)
	if err != nil {
		return err
	}
	saved, err := d.save(w, r, s, &view.formView)
	if err != nil || saved {
		return err
	}
	return web.Render(w, r, http.StatusUnprocessableEntity, unitTempl(view))
}

// newUnitView is the form of a unit that is not there yet.
type newUnitView struct {
	Code, Name, Parent, Kind string
	Parents, Kinds           []ui.Option
	Problems                 web.Problems
}

// newUnit is an empty form for those who keep the directory, or EditMissing. Who keeps a
// part of the chart creates units in that part.
func (d *Desk) newUnit(r *http.Request) (newUnitView, unit.Tree, error) {
	ctx, v := r.Context(), web.Viewer(r)
	tree, err := d.Find.Units(ctx)
	if err != nil {
		return newUnitView{}, tree, err
	}
	view := newUnitView{Kind: string(unit.Service)}
	for _, o := range unitOptions(ctx, tree, nil) {
		if u, _ := tree.Of(o.Value); MayArrange(v, tree, u) {
			view.Parents = append(view.Parents, o)
		}
	}
	if len(view.Parents) == 0 && !v.Can(campus.RightDirectory) {
		return view, tree, byhand.EditMissing
	}
	for _, k := range unit.Kinds {
		view.Kinds = append(view.Kinds, ui.Option{Value: string(k), Label: i18n.T(ctx, "directory.unit_kind."+string(k))})
	}
	return view, tree, nil
}

func (d *Desk) newUnitPage(w http.ResponseWriter, r *http.Request) error {
	view, _, err := d.newUnit(r)
	if err != nil {
		return err
	}
	view.Parent = r.URL.Query().Get("parent")
	return web.Render(w, r, http.StatusOK, newUnitTempl(view))
}

func (d *Desk) addUnit(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	view, tree, err := d.newUnit(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view.Code, view.Name = strings.TrimSpace(form.Get("code")), strings.TrimSpace(form.Get("name_french"))
	view.Parent, view.Kind = form.Get("parent"), form.Get("kind")
	taken, err := unit.SourceOf(ctx, d.DB.Read(), view.Code) // closed ones as well
	if err != nil {
		return err
	}
	switch {
	case !group.ValidCode(view.Code) || view.Code == "new" || view.Code == "closed": // addresses of pages
		view.Problems.Add("code", "directory.edit.problem.code")
	case taken != "":
		view.Problems.Add("code", "directory.edit.problem.taken")
	}
	if view.Name == "" || len([]rune(view.Name)) > longest {
		view.Problems.Add("name_french", "directory.edit.problem.name")
	}
	inScope := slices.ContainsFunc(view.Parents, func(o ui.Option) bool { return o.Value == view.Parent })
	if !inScope && (view.Parent != "" || !v.Can(campus.RightDirectory)) {
		view.Problems.Add("parent", "directory.edit.problem.choice")
	}
	if !unit.Kind(view.Kind).Valid() {
		view.Problems.Add("kind", "directory.edit.problem.choice")
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, newUnitTempl(view))
	}
	above, _ := tree.Of(view.Parent)
	made := unit.Unit{Code: view.Code, Parent: view.Parent, Kind: unit.Kind(view.Kind), NameFrench: view.Name, Campus: above.Campus}
	err = d.DB.InTx(ctx, func(tx db.Tx) error {
		if err := unit.Put(ctx, tx, made, unit.SourceHand); err != nil {
			return err
		}
		return byhand.Put(ctx, tx, byhand.Change{Kind: byhand.Unit, Subject: made.Code, Part: unit.PartOpened, Value: "true", By: v.Person})
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "directory.edit.unit_made")
	return web.SeeOther(w, r, unitURL(made.Code)+"/edit")
}

// closeView is the page before a unit is closed.
type closeView struct {
	Name, Above, URL string
	Below            int
	People           int
	Source           string // that speaks of the unit
}

func (d *Desk) closing(r *http.Request) (closeView, unit.Unit, error) {
	ctx, v := r.Context(), web.Viewer(r)
	u, tree, err := d.unit(ctx, v, r.PathValue("code"))
	if err == nil && !MayArrange(v, tree, u) {
		err = byhand.EditMissing
	}
	if err != nil {
		return closeView{}, u, err
	}
	source, err := unit.SourceOf(ctx, d.DB.Read(), u.Code)
	if err != nil {
		return closeView{}, u, err
	}
	view := closeView{Name: u.Name(i18n.Locale(ctx)), URL: unitURL(u.Code), Below: len(tree.Below(u.Code))}
	if above, ok := tree.Of(u.Parent); ok {
		view.Above = above.Name(i18n.Locale(ctx))
	}
	view.Source, _ = d.Sources.SourceNamed(ctx, source)
	people, err := d.Find.In(ctx, u.Code)
	view.People = people
	return view, u, err
}

func (d *Desk) closePage(w http.ResponseWriter, r *http.Request) error {
	view, _, err := d.closing(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, closeTempl(view))
}

func (d *Desk) closeUnit(w http.ResponseWriter, r *http.Request) error {
	_, u, err := d.closing(r)
	if err != nil {
		return err
	}
	c := byhand.Change{Kind: byhand.Unit, Subject: u.Code, Part: unit.PartClosed, Value: "true", By: web.Viewer(r).Person}
	return d.finish(w, r, []byhand.Change{c}, "/directory/units/closed", "directory.edit.closed")
}
