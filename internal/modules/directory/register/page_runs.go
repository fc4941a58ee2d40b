package register

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// perPage is how many lines a page of a list has.
const perPage = 50

// runsView is the list of runs as a page.
type runsView struct {
	Source, Name string
	Rows         []Run
	Names        map[string]string
	Pages        ui.PagerProps
}

// pageOf is the page that the address asks for; no number is the first.
func pageOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, 100_000)
}

// pager leads through total lines under an address.
func pager(path string, query url.Values, page, total int) ui.PagerProps {
	return ui.PagerProps{Page: page, Pages: max(1, (total+perPage-1)/perPage), URL: func(n int) string {
		query.Set("page", strconv.Itoa(n))
		return path + "?" + query.Encode()
	}}
}

func (e *Engine) runsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, page := r.Context(), pageOf(r)
	view := runsView{Source: r.URL.Query().Get("source"), Names: map[string]string{}}
	rows, total, err := e.Runs(ctx, view.Source, page, perPage)
	if err != nil {
		return err
	}
	view.Rows, view.Pages = rows, pager("/directory/runs", url.Values{"source": {view.Source}}, page, total)
	for _, run := range rows {
		view.Names[run.Source] = e.SourceName(ctx, run.Source)
	}
	if view.Source != "" {
		view.Name = e.SourceName(ctx, view.Source)
	}
	return web.Render(w, r, http.StatusOK, runsTempl(view))
}

func (v runsView) title(ctx context.Context) string {
	if v.Name != "" {
		return t(ctx, "runs.of", "name", v.Name)
	}
	return t(ctx, "runs.title")
}

func (v runsView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: v.title(ctx), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "column.started")}, {Label: t(ctx, "column.source")}, {Label: t(ctx, "column.state")}, {Label: t(ctx, "column.creations"), Number: true},
		{Label: t(ctx, "column.changes"), Number: true}, {Label: t(ctx, "column.departures"), Number: true}, {Label: t(ctx, "column.conflicts"), Number: true}, {Label: t(ctx, "column.refusals"), Number: true},
	}}
	number := func(n int64) ui.Cell { return ui.TextCell(strconv.FormatInt(n, 10)) }
	for _, r := range v.Rows {
		table.Rows = append(table.Rows, []ui.Cell{
			ui.LinkCell(i18n.Date(ctx, r.Started, i18n.Full), "/directory/runs/"+r.ID), ui.TextCell(v.Names[r.Source]), ui.BodyCell(ui.Tag(r.tone(), t(ctx, "state."+r.State))),
			number(r.Counts.Creations), number(r.Counts.Changes), number(r.Counts.Departures), number(r.Counts.Conflicts), number(r.Counts.Refusals),
		})
	}
	return table
}

// crumbs lead back to the sources, and to a list below them.
func crumbs(ctx context.Context, more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: t(ctx, "title"), URL: "/directory/sources"}}, more...)
}
