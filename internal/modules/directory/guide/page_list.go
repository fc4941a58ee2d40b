package guide

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// The kinds of lists.
const (
	programmeList = "programmes"
	groupList     = "groups"
)

// works reports whether the viewer is employed.
func works(v campus.Viewer) bool { return v.Is(campus.Staff) || v.Is(campus.Teacher) }

// keeps reports whether the viewer looks after the whole directory.
func (g *Guide) keeps(v campus.Viewer) bool {
	return v.Can(campus.RightSecretariat) || v.Can(campus.RightDirectory)
}

// hasLists reports whether there are lists for the viewer at all.
func (g *Guide) hasLists(v campus.Viewer) bool {
	return works(v) || g.keeps(v) || v.CanSomewhere(campus.RightSecretariat) || v.CanSomewhere(campus.RightDirectory)
}

// looksAfter reports whether the viewer looks after everybody whom a group can hold: its
// rule stays within one of their mandates.
func looksAfter(v campus.Viewer, one group.Group) bool {
	if one.Kind != group.ByRule {
		return false
	}
	within := func(code string, codes []string) bool {
		return code == "" || len(codes) > 0 && !slices.ContainsFunc(codes, func(other string) bool { return other != code })
	}
	return slices.ContainsFunc(v.Mandates, func(m campus.Mandate) bool {
		return (m.Right == campus.RightSecretariat || m.Right == campus.RightDirectory) &&
			within(m.Campus, one.Rule.Campuses) && within(m.Programme, one.Rule.Programmes) && within(m.Unit, one.Rule.Units)
	})
}

func listURL(kind, code string) string {
	return "/directory/lists/" + kind + "/" + url.PathEscape(code)
}

// listLink leads to one list.
type listLink struct {
	Name, URL string
	Count     int
}

// listsView is the lists of somebody.
type listsView struct{ Programmes, Groups []listLink }

func (g *Guide) listsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	if !g.hasLists(v) {
		return ListMissing
	}
	sizes, err := g.programmesOf(ctx, v)
	if err != nil {
		return err
	}
	view := listsView{}
	for code, n := range sizes {
		view.Programmes = append(view.Programmes, listLink{Name: g.programmeName(ctx, code), URL: listURL(programmeList, code), Count: n})
	}
	codes, err := g.groupsOf(ctx, v)
	if err != nil {
		return err
	}
	for _, code := range codes {
		list, ids, err := g.list(ctx, v, groupList, code)
		if errors.Is(err, ListMissing) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		view.Groups = append(view.Groups, listLink{Name: list.Name, URL: listURL(groupList, code), Count: len(ids)})
	}
	for _, links := range [][]listLink{view.Programmes, view.Groups} {
		slices.SortFunc(links, func(a, b listLink) int { return strings.Compare(campus.Fold(a.Name), campus.Fold(b.Name)) })
	}
	return web.Render(w, r, http.StatusOK, listsTempl(view))
}

// groupsOf are the groups whose lists the viewer has: those that they are in, and those
// of the people whom they look after.
func (g *Guide) groupsOf(ctx context.Context, v campus.Viewer) ([]string, error) {
	codes, err := g.Groups.GroupsOf(ctx, v.Person)
	if err != nil || len(v.Mandates) == 0 {
		return codes, err
	}
	all, err := g.Groups.All(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if looksAfter(v, one.Group) && !slices.Contains(codes, one.Code) {
			codes = append(codes, one.Code)
		}
	}
	return codes, nil
}

// programmesOf counts the students of each programme whose list the viewer has:
// those of the units in which they work, those of their mandates, and all of them for
// those who keep the directory.
func (g *Guide) programmesOf(ctx context.Context, v campus.Viewer) (map[string]int, error) {
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return nil, err
	}
	var units []string
	for _, a := range v.Affiliations {
		if a.Unit == "" || a.Kind != campus.Teacher && a.Kind != campus.Staff {
			continue
		}
		units = append(units, a.Unit)
		units = append(units, tree.Within(a.Unit)...)
	}
	sizes := map[string]int{}
	all := g.keeps(v)
	_, err = g.Find.Those(ctx, v, func(p find.Person) bool {
		counted := ""
		for _, a := range p.Affiliations {
			if a.Kind == campus.Student && a.Programme != "" && a.Programme != counted &&
				(all || slices.Contains(units, a.Unit) || v.CanFor(campus.RightSecretariat, []campus.Affiliation{a})) {
				sizes[a.Programme]++
				counted = a.Programme
			}
		}
		return false
	})
	return sizes, err
}

// listView is one list of people.
type listView struct {
	Name, Kind, Code   string
	People             []line // of this page
	Total, Page, Pages int
}

func (v listView) pageURL(page int) string { return pageOf(listURL(v.Kind, v.Code), "", page) }

// listSize is how many faces a page of a list shows: a lecture of a year fits on one,
// and is printed as one.
const listSize = 200

// list is who stands in a list of the viewer's, by name, or ListMissing.
func (g *Guide) list(ctx context.Context, v campus.Viewer, kind, code string) (listView, []campus.PersonID, error) {
	switch {
	case !g.hasLists(v):
		return listView{}, nil, ListMissing
	case kind == programmeList:
		sizes, err := g.programmesOf(ctx, v)
		if err != nil {
			return listView{}, nil, err
		}
		if sizes[code] == 0 {
			return listView{}, nil, ListMissing
		}
		ids, err := g.Find.Listed(ctx, v, func(p *find.Person) bool { return slices.Contains(programmes(*p), code) })
		return listView{Name: g.programmeName(ctx, code), Kind: kind, Code: code}, ids, err
	case kind == groupList:
		one, err := g.Groups.ByCode(ctx, code)
		if errors.Is(err, group.Missing) {
			return listView{}, nil, ListMissing
		}
		if err != nil {
			return listView{}, nil, err
		}
		mine, err := g.Groups.GroupsOf(ctx, v.Person)
		if err != nil {
			return listView{}, nil, err
		}
		if !slices.Contains(mine, code) && !g.keeps(v) && !looksAfter(v, one) {
			return listView{}, nil, ListMissing
		}
		ids, err := g.Groups.Members(ctx, code)
		if err != nil {
			return listView{}, nil, err
		}
		in := make(map[campus.PersonID]bool, len(ids))
		for _, id := range ids {
			in[id] = true
		}
		ids, err = g.Find.Listed(ctx, v, func(p *find.Person) bool { return in[p.ID] })
		return listView{Name: one.Name(localeOf(ctx)), Kind: kind, Code: code}, ids, err
	default:
		return listView{}, nil, ListMissing
	}
}

func (g *Guide) listPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	view, ids, err := g.list(ctx, v, r.PathValue("kind"), r.PathValue("code"))
	if err != nil {
		return err
	}
	view.Total = len(ids)
	view.Page, view.Pages = pageIn(r, len(ids), listSize)
	ids = ids[min((view.Page-1)*listSize, len(ids)):min(view.Page*listSize, len(ids))]
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return err
	}
	err = g.Find.Each(v, ids, func(p find.Person) error {
		l := g.lineOf(ctx, v, p, tree)
		l.Name = p.ListName()
		view.People = append(view.People, l)
		return nil
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, listTempl(view))
}

// listFile sends a list as a table for spreadsheets, line by line.
func (g *Guide) listFile(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	view, ids, err := g.list(ctx, v, r.PathValue("kind"), r.PathValue("code"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.csv"`, fileName(view.Name)))
	file := table.NewWriter(w)
	err = file.Write([]string{
		i18n.T(ctx, "directory.list.family_name"), i18n.T(ctx, "directory.list.given_name"), i18n.T(ctx, "directory.field.mail"), i18n.T(ctx, "directory.field.studies"),
	})
	if err == nil {
		err = g.Find.Each(v, ids, func(p find.Person) error {
			row := []string{p.FamilyName, p.GivenName, "", ""}
			if p.Shows(v, entry.FieldMail) {
				row[2] = p.Mail
			}
			if p.Shows(v, entry.FieldStudies) {
				var names []string
				for _, code := range programmes(p) {
					names = append(names, g.programmeName(ctx, code))
				}
				row[3] = strings.Join(names, ", ")
			}
			return file.Write(row)
		})
	}
	file.Flush()
	if err := cmp.Or(err, file.Error()); err != nil {
		return fmt.Errorf("send a list: %w", err)
	}
	return nil
}
