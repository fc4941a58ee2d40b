package register

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// conflictsView is the list of questions as a page.
type conflictsView struct {
	Words string
	Rows  []Conflict
	Names map[string]string // of sources
	Total int
	Pages ui.PagerProps
	Held  []heldIdentities
}

// heldIdentities is a source that has used up its budget, and how much waits.
type heldIdentities struct {
	Source, Name, Budget string
	Records              int64
}

// key begins the sentences about a budget.
func (h heldIdentities) key() string {
	if h.Budget == budgetCreations {
		return budgetCreations
	}
	return "identities"
}

func (e *Engine) conflictsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, page := r.Context(), pageOf(r)
	words := r.URL.Query().Get("q")
	view := conflictsView{Words: strings.ToValidUTF8(words[:min(len(words), maxWords)], ""), Names: map[string]string{}}
	var err error
	if view.Rows, view.Total, err = e.Conflicts(ctx, view.Words, page, perPage); err != nil {
		return err
	}
	view.Pages = pager("/directory/conflicts", url.Values{"q": {view.Words}}, page, view.Total)
	for _, c := range view.Rows {
		view.Names[c.Source] = e.SourceName(ctx, c.Source)
	}
	for _, budget := range []string{budgetWaysIn, budgetCreations} {
		held, err := e.heldByBudget(ctx, budget)
		if err != nil {
			return err
		}
		for _, h := range held {
			view.Held = append(view.Held, heldIdentities{h.Source, e.SourceName(ctx, h.Source), budget, h.Records})
		}
	}
	return web.Render(w, r, http.StatusOK, conflictsTempl(view))
}

// pass lets a source do what a budget held back.
func (e *Engine) pass(budget string) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		src := r.PathValue("id")
		if err := e.LetPass(r.Context(), web.Viewer(r), src, budget); err != nil {
			return err
		}
		web.Flash(w, r, "directory.register."+heldIdentities{Budget: budget}.key()+".passing", "name", e.SourceName(r.Context(), src))
		return web.SeeOther(w, r, "/directory/conflicts")
	}
}

func (v conflictsView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: t(ctx, "conflicts.title"), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "column.name")}, {Label: t(ctx, "column.reason")}, {Label: t(ctx, "column.source")}, {Label: t(ctx, "column.since")},
	}}
	for _, c := range v.Rows {
		name := c.Name
		if name == "" {
			name = c.Key
		}
		table.Rows = append(table.Rows, []ui.Cell{
			ui.LinkCell(name, "/directory/conflicts/"+c.ID), ui.TextCell(Words(ctx, c.Reason)), ui.TextCell(v.Names[c.Source]), ui.BodyCell(ui.When(c.Opened, i18n.Ago)),
		})
	}
	return table
}
