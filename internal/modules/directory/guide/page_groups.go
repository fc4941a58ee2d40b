package guide

import (
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

func groupURL(code string) string { return "/directory/groups/" + url.PathEscape(code) }

// groupsView is every group, or those whose name or code has some words.
type groupsView struct {
	Words       string
	Groups      []group.Listed
	Total       int
	Page, Pages int
}

// groupsSize is how many groups a page lists.
const groupsSize = 50

func (v groupsView) pageURL(page int) string { return pageOf("/directory/groups", v.Words, page) }

func (g *Guide) groupsPage(w http.ResponseWriter, r *http.Request) error {
	all, err := g.Groups.All(r.Context())
	if err != nil {
		return err
	}
	view := groupsView{Words: queryOf(r).Words}
	wanted := campus.Fold(view.Words)
	var found []group.Listed
	for _, one := range all {
		if contains(campus.Fold(one.Code+" "+one.NameFrench+" "+one.NameEnglish), wanted) {
			found = append(found, one)
		}
	}
	view.Total = len(found)
	view.Page, view.Pages = pageIn(r, len(found), groupsSize)
	view.Groups = found[min((view.Page-1)*groupsSize, len(found)):min(view.Page*groupsSize, len(found))]
	return web.Render(w, r, http.StatusOK, groupsTempl(view))
}
