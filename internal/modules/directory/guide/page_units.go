package guide

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

func unitURL(code string) string { return "/directory/units/" + url.PathEscape(code) }

// box is one unit of the chart, with what stands below it.
type box struct {
	Unit  unit.Unit
	Head  line // without a name when nobody leads it, or the viewer does not see who
	Below []box
}

// chart makes boxes of everything below a unit; of everything for "".
func (g *Guide) chart(ctx context.Context, v campus.Viewer, tree unit.Tree, code string) ([]box, error) {
	var boxes []box
	for _, u := range tree.Below(code) {
		below, err := g.chart(ctx, v, tree, u.Code)
		if err != nil {
			return nil, err
		}
		head, err := g.leader(ctx, v, tree, u.Head)
		if err != nil {
			return nil, err
		}
		boxes = append(boxes, box{Unit: u, Head: head, Below: below})
	}
	return boxes, nil
}

// leader is who leads a unit, or answers for them, if the viewer sees them.
func (g *Guide) leader(ctx context.Context, v campus.Viewer, tree unit.Tree, who campus.PersonID) (line, error) {
	if who == "" {
		return line{}, nil
	}
	people, err := g.Find.Some(ctx, v, []campus.PersonID{who})
	if err != nil || len(people) == 0 {
		return line{}, err
	}
	return g.lineOf(ctx, v, people[0], tree), nil
}

func (g *Guide) unitsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return err
	}
	boxes, err := g.chart(ctx, v, tree, "")
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, unitsTempl(boxes, g.hasLists(v), arranges(v, tree)))
}

// arranges reports whether the viewer creates and closes units somewhere in the chart.
func arranges(v campus.Viewer, tree unit.Tree) bool {
	return v.Can(campus.RightDirectory) || slices.ContainsFunc(tree.Units(), func(u unit.Unit) bool { return edit.MayArrange(v, tree, u) })
}

// unitView is the page of one unit.
type unitView struct {
	Unit   unit.Unit
	Crumbs []ui.Link
	Facts  []ui.Fact
	Head   line
	Deputy line   // who answers while the head is away; without a name for nobody
	Edit   string // address of the form, for those who mend the unit
	New    string // address of the form of a unit below it, for those who arrange the chart
	Below  []unit.Unit
	People []line
}

func (g *Guide) unitPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return err
	}
	u, ok := tree.Of(r.PathValue("code"))
	if !ok {
		return unit.Missing
	}
	l := localeOf(ctx)
	view := unitView{Unit: u, Below: tree.Below(u.Code), Crumbs: []ui.Link{{Label: i18n.T(ctx, "directory.units.title"), URL: "/directory/units"}}}
	for _, above := range tree.Above(u.Code) {
		view.Crumbs = append(view.Crumbs, ui.Link{Label: above.Name(l), URL: unitURL(above.Code)})
	}
	if view.Head, err = g.leader(ctx, v, tree, u.Head); err != nil {
		return err
	}
	if view.Deputy, err = g.leader(ctx, v, tree, u.Deputy); err != nil {
		return err
	}
	if edit.MayUnit(v, tree, u) {
		view.Edit = unitURL(u.Code) + "/edit"
	}
	if edit.MayArrange(v, tree, u) {
		view.New = "/directory/units/new?parent=" + url.QueryEscape(u.Code)
	}
	view.Facts = g.unitFacts(ctx, u)
	people, err := g.Find.Those(ctx, v, func(p find.Person) bool {
		return p.ID != u.Head && p.Shows(v, entry.FieldFunctions) && slices.Contains(p.Units(), u.Code)
	})
	if err != nil {
		return err
	}
	view.People = g.linesOf(ctx, v, people, tree)
	return web.Render(w, r, http.StatusOK, unitTempl(view))
}

// unitFacts are how a unit is reached.
func (g *Guide) unitFacts(ctx context.Context, u unit.Unit) []ui.Fact {
	var facts []ui.Fact
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "directory.field."+key), Text: text})
		}
	}
	if u.Phone != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "directory.field.phone"), Body: phoneLink(u.Phone)})
	}
	if u.Mail != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "directory.field.mail"), Body: mailLink(u.Mail)})
	}
	place := u.Place
	if u.Campus != "" {
		place = join([]string{u.Place, g.campusName(ctx, u.Campus)})
	}
	add("office", place)
	add("hours", u.Hours(localeOf(ctx)))
	return facts
}

// functionsView is who does what.
type functionsView struct {
	Groups []functionGroup
	Lists  bool
}

// functionGroup is the units of one kind that people come to with a question.
type functionGroup struct {
	Kind  unit.Kind
	Units []unit.Unit
}

func (g *Guide) functionsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return err
	}
	view := functionsView{Lists: g.hasLists(web.Viewer(r))}
	for _, kind := range []unit.Kind{unit.Service, unit.Association} {
		var units []unit.Unit
		for _, u := range tree.Units() {
			if u.Kind == kind {
				units = append(units, u)
			}
		}
		slices.SortFunc(units, func(a, b unit.Unit) int {
			return strings.Compare(campus.Fold(a.Name(localeOf(ctx))), campus.Fold(b.Name(localeOf(ctx))))
		})
		if len(units) > 0 {
			view.Groups = append(view.Groups, functionGroup{kind, units})
		}
	}
	return web.Render(w, r, http.StatusOK, functionsTempl(view))
}

// unitOptions are the units as a list to choose from, each below the one it is part
// of.
func unitOptions(ctx context.Context, tree unit.Tree) []ui.Option {
	var options []ui.Option
	for _, u := range tree.Units() {
		indent := strings.Repeat("\u2003", len(tree.Above(u.Code)))
		options = append(options, ui.Option{Value: u.Code, Label: indent + u.Name(localeOf(ctx))})
	}
	return options
}
