package guide

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const (
	// searchSize is how many people a page of answers shows.
	searchSize = 25
	// mostPages ends the browsing: further on, other words find quicker.
	mostPages = 20
	// maxWords is what is searched for short.
	maxWords = 120
)

// searchView is the search and its answer.
type searchView struct {
	Query       find.Query
	Asked       bool // there is something to answer
	TooShort    bool
	Near        bool
	People      []line
	Total       int
	Units       []unit.Unit
	Page, Pages int
	Filtered    bool

	Campuses, UnitOptions []ui.Option
	Kinds                 []campus.Kind
	Lists                 bool // the viewer has lists
}

// queryOf reads a search from an address; what it does not know it leaves out.
func queryOf(r *http.Request) find.Query {
	values := r.URL.Query()
	text := func(name string) string {
		s := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(values.Get(name), "\x00", ""), ""))
		if len(s) > maxWords {
			s = strings.ToValidUTF8(s[:maxWords], "")
		}
		return s
	}
	q := find.Query{Words: text("q"), Campus: text("campus"), Unit: text("unit"), Programme: text("programme"), Most: searchSize}
	if k := campus.Kind(text("kind")); slices.Contains(campus.Kinds, k) {
		q.Kind = k
	}
	return q
}

func (v searchView) pageURL(page int) string {
	q := url.Values{}
	for name, value := range map[string]string{
		"q": v.Query.Words, "campus": v.Query.Campus, "unit": v.Query.Unit, "programme": v.Query.Programme, "kind": string(v.Query.Kind),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	return "/directory?" + q.Encode()
}

func (g *Guide) searchPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	view := searchView{Query: queryOf(r), Page: 1}
	q := &view.Query
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return err
	}
	view.Filtered = q.Campus != "" || q.Unit != "" || q.Kind != "" || q.Programme != ""
	view.Asked = q.Enough()
	view.TooShort = !view.Asked && (q.Words != "" || view.Filtered)
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 1 {
		view.Page = min(n, mostPages)
	}
	if view.Asked {
		if err := g.look(v, g.searches); err != nil {
			return err
		}
		q.From = (view.Page - 1) * searchSize
		found, err := g.Find.Search(ctx, v, *q)
		if err != nil {
			return err
		}
		view.People, view.Total, view.Near, view.Units = g.linesOf(ctx, v, found.People, tree), found.Total, found.Near, found.Units
		view.Pages = min((found.Total+searchSize-1)/searchSize, mostPages)
		if view.Page > 1 {
			view.Units = nil
		}
	}
	for _, c := range g.Places.Campuses() {
		view.Campuses = append(view.Campuses, ui.Option{Value: c.Code, Label: c.Name(localeOf(ctx))})
	}
	view.UnitOptions = unitOptions(ctx, tree)
	view.Kinds = []campus.Kind{campus.Teacher, campus.Staff}
	if works(v) || g.keeps(v) {
		view.Kinds, view.Lists = append(view.Kinds, campus.Student, campus.Guest), true
	}
	return web.Render(w, r, http.StatusOK, searchTempl(view))
}
