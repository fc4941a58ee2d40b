package knowledge

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// deskView lists articles for those who write them.
type deskView struct {
	Sort string
	Rows [][]ui.Cell
	More bool // there are more than the page shows
}

// pageSize is how many articles stand on the page.
const pageSize = 200

// sorts are the orders of the list; what is asked for by an address that somebody made
// up is the first.
var sorts = map[string]string{
	"changed": "changed_at DESC", "viewed": "viewed DESC", "helped": "helped DESC",
	// Least helpful: those that most readers left without an answer.
	"unhelped": "unhelped - helped DESC, unhelped DESC",
}

func (k *Knowledge) deskPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	view := deskView{Sort: r.URL.Query().Get("sort")}
	order, ok := sorts[view.Sort]
	if !ok {
		view.Sort, order = "changed", sorts["changed"]
	}
	list, err := articles(ctx, k.DB.Read(), "ORDER BY "+order+", id LIMIT $1", pageSize+1)
	if err != nil {
		return err
	}
	if view.More = len(list) > pageSize; view.More {
		list = list[:pageSize]
	}
	for _, a := range list {
		view.Rows = append(view.Rows, []ui.Cell{
			ui.LinkCell(a.Title.In(i18n.Locale(ctx)), deskURL+"/"+a.ID), ui.BodyCell(ui.Tag(stateTone(a.State), t(ctx, "state."+string(a.State)))), ui.TextCell(internalTag(ctx, a)),
			ui.TextCell(number(a.Viewed)), ui.TextCell(number(a.Helped)), ui.TextCell(number(a.Unhelped)), ui.TextCell(i18n.Date(ctx, a.ChangedAt, i18n.Ago)),
		})
	}
	return web.Render(w, r, http.StatusOK, deskTempl(view))
}

// internalTag says that an article is for agents alone.
func internalTag(ctx context.Context, a Article) string {
	if a.Internal {
		return t(ctx, "internal")
	}
	return ""
}

func stateTone(s State) ui.Tone {
	switch s {
	case Published:
		return ui.Good
	case Draft:
		return ui.Warn
	}
	return ""
}
