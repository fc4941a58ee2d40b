package guide

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// membersSize is how many members a page lists.
const membersSize = 100

// groupView is the page of one group, for those who keep them.
type groupView struct {
	Group        group.Group
	Members      []line // of the group itself
	IDs          []campus.PersonID
	Unlisted     int // members who are not shown
	Total        int // of the group itself
	Everybody    int // those of nested groups included
	Nested       []namedGroup
	Around       []namedGroup
	Choices      []ui.Option // groups that can be put into it
	Page, Pages  int
	Added        string // what was typed to add somebody
	Problems     web.Problems
	ByHand, Rule bool
}

// namedGroup is a group with what people call it.
type namedGroup struct{ Code, Name string }

func (v groupView) pageURL(page int) string { return pageOf(groupURL(v.Group.Code), "", page) }

func (g *Guide) groupPage(w http.ResponseWriter, r *http.Request) error {
	view, err := g.groupView(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, groupTempl(view))
}

func (g *Guide) groupView(r *http.Request) (groupView, error) {
	ctx, v, code := r.Context(), web.Viewer(r), r.PathValue("code")
	one, err := g.Groups.ByCode(ctx, code)
	if err != nil {
		return groupView{}, err
	}
	people, nested, err := g.Groups.Direct(ctx, code)
	if err != nil {
		return groupView{}, err
	}
	everybody, err := g.Groups.Members(ctx, code)
	if err != nil {
		return groupView{}, err
	}
	around, err := g.Groups.Holding(ctx, code)
	if err != nil {
		return groupView{}, err
	}
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return groupView{}, err
	}
	shown, err := g.Find.Some(ctx, v, people)
	if err != nil {
		return groupView{}, err
	}
	view := groupView{
		Group: one, Total: len(people), Everybody: len(everybody), Unlisted: len(people) - len(shown),
		ByHand: one.Kind == group.ByHand, Rule: one.Kind == group.ByRule,
	}
	view.Page, view.Pages = pageIn(r, len(shown), membersSize)
	shown = shown[min((view.Page-1)*membersSize, len(shown)):min(view.Page*membersSize, len(shown))]
	view.Members = g.linesOf(ctx, v, shown, tree)
	for _, p := range shown {
		view.IDs = append(view.IDs, p.ID)
	}
	all, err := g.Groups.All(ctx)
	if err != nil {
		return groupView{}, err
	}
	for _, other := range all {
		named := namedGroup{other.Code, other.Name(localeOf(ctx))}
		switch {
		case slices.Contains(nested, other.Code):
			view.Nested = append(view.Nested, named)
		case other.Code != code:
			view.Choices = append(view.Choices, ui.Option{Value: other.Code, Label: named.Name})
		}
		if slices.Contains(around, other.Code) {
			view.Around = append(view.Around, named)
		}
	}
	return view, nil
}

// byHand is the group of an address whose members are kept by hand.
func (g *Guide) byHand(r *http.Request) (group.Group, url.Values, error) {
	form, err := web.Form(r)
	if err != nil {
		return group.Group{}, nil, err
	}
	one, err := g.Groups.ByCode(r.Context(), r.PathValue("code"))
	if err == nil && one.Kind != group.ByHand {
		err = group.Owned.With(fault.Args{"code": one.Code})
	}
	return one, form, err
}

// addMember puts somebody into a group, by their identifier or address.
func (g *Guide) addMember(w http.ResponseWriter, r *http.Request) error {
	one, form, err := g.byHand(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	who, err := g.named(ctx, form.Get("who"))
	if err != nil {
		return err
	}
	if who == "" {
		view, err := g.groupView(r)
		if err != nil {
			return err
		}
		view.Added = form.Get("who")
		view.Problems.Add("who", "directory.group.problem.nobody")
		return web.Render(w, r, http.StatusUnprocessableEntity, groupTempl(view))
	}
	err = g.DB.InTx(ctx, func(tx db.Tx) error { return g.Groups.Change(ctx, tx, one.Code, []campus.PersonID{who}, nil) })
	if err != nil {
		return err
	}
	web.Flash(w, r, "directory.group.added")
	return web.SeeOther(w, r, groupURL(one.Code))
}

// named finds somebody by identifier, address or student number; "" for nobody.
func (g *Guide) named(ctx context.Context, text string) (campus.PersonID, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, by := range []contract.Field{contract.FieldLogin, contract.FieldMail, contract.FieldStudentNumber} {
		found, err := g.Register.FindPeople(ctx, by, []string{text})
		if err != nil {
			return "", err
		}
		if who, ok := found[text]; ok {
			return who, nil
		}
	}
	return "", nil
}

func (g *Guide) removeMember(w http.ResponseWriter, r *http.Request) error {
	one, form, err := g.byHand(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	err = g.DB.InTx(ctx, func(tx db.Tx) error {
		return g.Groups.Change(ctx, tx, one.Code, nil, []campus.PersonID{campus.PersonID(form.Get("person"))})
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "directory.group.removed")
	return web.SeeOther(w, r, groupURL(one.Code))
}

func (g *Guide) nestGroup(w http.ResponseWriter, r *http.Request) error {
	return g.renest(w, r, func(nested []string, child string) []string {
		if slices.Contains(nested, child) || child == "" {
			return nested
		}
		return append(nested, child)
	})
}

func (g *Guide) unnestGroup(w http.ResponseWriter, r *http.Request) error {
	return g.renest(w, r, func(nested []string, child string) []string {
		return slices.DeleteFunc(nested, func(code string) bool { return code == child })
	})
}

// renest changes the groups that a group holds.
func (g *Guide) renest(w http.ResponseWriter, r *http.Request, change func(nested []string, child string) []string) error {
	one, form, err := g.byHand(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	_, nested, err := g.Groups.Direct(ctx, one.Code)
	if err != nil {
		return err
	}
	nested = change(nested, form.Get("group"))
	if err := g.DB.InTx(ctx, func(tx db.Tx) error { return g.Groups.Nest(ctx, tx, one.Code, nested) }); err != nil {
		return err
	}
	web.Flash(w, r, "directory.group.nested")
	return web.SeeOther(w, r, groupURL(one.Code))
}

func (g *Guide) deleteGroupPage(w http.ResponseWriter, r *http.Request) error {
	view, err := g.groupView(r)
	if err != nil {
		return err
	}
	if view.Group.Kind == group.FromSource {
		return group.Owned.With(fault.Args{"code": view.Group.Code})
	}
	return web.Render(w, r, http.StatusOK, deleteGroupTempl(view))
}

func (g *Guide) deleteGroup(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	one, err := g.Groups.ByCode(ctx, r.PathValue("code"))
	if err != nil {
		return err
	}
	if one.Kind == group.FromSource {
		return group.Owned.With(fault.Args{"code": one.Code})
	}
	if err := g.DB.InTx(ctx, func(tx db.Tx) error { return g.Groups.Remove(ctx, tx, one.Code) }); err != nil {
		return err
	}
	web.Flash(w, r, "directory.group.deleted")
	return web.SeeOther(w, r, "/directory/groups")
}

// groupForm is a group as it is written: by hand or by a rule.
type groupForm struct {
	New       bool
	Group     group.Group
	Kinds     []campus.Kind
	Campuses  []ui.Option
	Programme []ui.Option
	Units     []ui.Option
	// Preview is who would be in it, when that was asked.
	Previewed bool
	Count     int
	Preview   []line
	Problems  web.Problems
}

func (g *Guide) newGroupPage(w http.ResponseWriter, r *http.Request) error {
	form, err := g.groupForm(r.Context(), groupForm{New: true, Group: group.Group{Kind: group.ByRule}})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, groupFormTempl(form))
}

func (g *Guide) editGroupPage(w http.ResponseWriter, r *http.Request) error {
	one, err := g.Groups.ByCode(r.Context(), r.PathValue("code"))
	if err != nil {
		return err
	}
	form, err := g.groupForm(r.Context(), groupForm{Group: one})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, groupFormTempl(form))
}

// groupForm completes a form with what can be chosen.
func (g *Guide) groupForm(ctx context.Context, f groupForm) (groupForm, error) {
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return f, err
	}
	f.Kinds = campus.Kinds
	for _, p := range g.Places.Campuses() {
		f.Campuses = append(f.Campuses, ui.Option{Value: p.Code, Label: p.Name(localeOf(ctx))})
	}
	for _, p := range g.Places.Programmes() {
		f.Programme = append(f.Programme, ui.Option{Value: p.Code, Label: p.Name(localeOf(ctx))})
	}
	f.Units = unitOptions(ctx, tree)
	return f, nil
}

// readGroup reads a group from its form; the kind and the code of one that exists
// stay.
func readGroup(form url.Values, before *group.Group) (group.Group, web.Problems) {
	one := group.Group{Code: strings.TrimSpace(form.Get("code")), Kind: group.Kind(form.Get("by"))}
	if before != nil {
		one = *before
	}
	var problems web.Problems
	if before == nil && !group.ValidCode(one.Code) {
		problems.Add("code", "directory.group.problem.code")
	}
	if before == nil || one.Kind != group.FromSource {
		one.NameFrench, one.NameEnglish, one.About = strings.TrimSpace(form.Get("name_french")), strings.TrimSpace(form.Get("name_english")), strings.TrimSpace(form.Get("about"))
		if one.NameFrench == "" && one.NameEnglish == "" {
			problems.Add("name_french", "directory.group.problem.name")
		}
	}
	one.Open = form.Get("open") != ""
	switch one.Kind {
	case group.ByRule:
		one.Rule = group.Rule{Campuses: form["campuses"], Programmes: form["programmes"], Units: form["units"]}
		for _, k := range form["kinds"] {
			if slices.Contains(campus.Kinds, campus.Kind(k)) {
				one.Rule.Kinds = append(one.Rule.Kinds, campus.Kind(k))
			}
		}
		if one.Rule.Empty() {
			problems.Add("kinds", "directory.group.problem.rule")
		}
	case group.ByHand:
	case group.FromSource:
		if before == nil {
			problems.Add("by", "directory.group.problem.by")
		}
	default:
		problems.Add("by", "directory.group.problem.by")
	}
	return one, problems
}

func (g *Guide) addGroup(w http.ResponseWriter, r *http.Request) error {
	return g.writeGroup(w, r, nil)
}

func (g *Guide) saveGroup(w http.ResponseWriter, r *http.Request) error {
	before, err := g.Groups.ByCode(r.Context(), r.PathValue("code"))
	if err != nil {
		return err
	}
	return g.writeGroup(w, r, &before)
}

// previewSize is how many people of a rule are named before it is kept.
const previewSize = 12

func (g *Guide) writeGroup(w http.ResponseWriter, r *http.Request, before *group.Group) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	one, problems := readGroup(values, before)
	if before == nil && !problems.Any() {
		if _, err := g.Groups.ByCode(ctx, one.Code); err == nil {
			problems.Add("code", "directory.group.problem.taken")
		}
	}
	if problems.Any() || values.Get("preview") != "" {
		form, err := g.groupForm(ctx, groupForm{New: before == nil, Group: one, Problems: problems})
		if err != nil {
			return err
		}
		status := http.StatusUnprocessableEntity
		if !problems.Any() {
			status = http.StatusOK
			if err := g.preview(ctx, v, &form); err != nil {
				return err
			}
		}
		return web.Render(w, r, status, groupFormTempl(form))
	}
	if err := g.DB.InTx(ctx, func(tx db.Tx) error { return g.Groups.Put(ctx, tx, one, v.Person) }); err != nil {
		return err
	}
	web.Flash(w, r, "directory.group.saved")
	return web.SeeOther(w, r, groupURL(one.Code))
}

// preview says who a rule would admit.
func (g *Guide) preview(ctx context.Context, v campus.Viewer, f *groupForm) error {
	if f.Group.Kind != group.ByRule {
		return nil
	}
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return err
	}
	people, err := g.Find.Those(ctx, v, func(p find.Person) bool { return f.Group.Rule.Admits(p.Affiliations) })
	if err != nil {
		return err
	}
	f.Previewed, f.Count = true, len(people)
	f.Preview = g.linesOf(ctx, v, people[:min(previewSize, len(people))], tree)
	return nil
}
