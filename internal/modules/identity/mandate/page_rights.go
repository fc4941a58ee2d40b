package mandate

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// rightsSize is how many mandates a page lists.
const rightsSize = 100

// rightsView is the list of who may do what.
type rightsView struct {
	List        []Held
	Of          campus.Right
	Total       int
	Page, Pages int
	places      place.Names
}

func (x *Mandates) listPage(w http.ResponseWriter, r *http.Request) error {
	view := rightsView{Page: 1, places: x.Places}
	if of := campus.Right(r.URL.Query().Get("right")); slices.Contains(campus.Rights, of) {
		view.Of = of
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 && n < 10_000 {
		view.Page = n
	}
	list, total, err := x.list(r.Context(), view.Of, rightsSize, (view.Page-1)*rightsSize)
	if err != nil {
		return err
	}
	view.List, view.Total, view.Pages = list, int(total), max(1, (int(total)+rightsSize-1)/rightsSize)
	return web.Render(w, r, http.StatusOK, rightsTempl(view))
}

func (v rightsView) pageURL(page int) string {
	return "/identity/rights?" + url.Values{"right": {string(v.Of)}, "page": {strconv.Itoa(page)}}.Encode()
}

// rightName names a right for people.
func rightName(ctx context.Context, r campus.Right) string {
	return i18n.T(ctx, "identity.mandate.right."+string(r))
}

// within says over whom a mandate is held.
func within(ctx context.Context, names place.Names, m campus.Mandate) string {
	if m.Everywhere() {
		return i18n.T(ctx, "identity.mandate.everywhere")
	}
	l := i18n.Locale(ctx)
	var parts []string
	add := func(key, code, name string) {
		if code != "" {
			parts = append(parts, i18n.T(ctx, "identity.mandate.within."+key, "name", name))
		}
	}
	add("campus", m.Campus, place.NameOf(names.Campuses(), m.Campus, l))
	add("programme", m.Programme, place.NameOf(names.Programmes(), m.Programme, l))
	add("unit", m.Unit, m.Unit)
	return strings.Join(parts, ", ")
}

// rightOptions are all rights, for a choice.
func rightOptions(ctx context.Context) []ui.Option {
	options := make([]ui.Option, len(campus.Rights))
	for i, r := range campus.Rights {
		options[i] = ui.Option{Value: string(r), Label: rightName(ctx, r)}
	}
	return options
}

// takeURL is the page that asks before a mandate is taken.
func (h Held) takeURL() string {
	return "/identity/rights/take?" + url.Values{
		"person": {string(h.Person.ID)}, "right": {string(h.Right)}, "campus": {h.Campus}, "programme": {h.Programme}, "unit": {h.Unit},
	}.Encode()
}
