package operations

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// jobStates lists the states of a job in the order of the filter.
var jobStates = []jobs.State{jobs.Waiting, jobs.Running, jobs.Dead}

// pageSize is how many rows a list shows at once.
const pageSize = 50

// jobRow is one job as the list and its own page show it.
type jobRow struct {
	ID, Name, State      string
	Tone                 ui.Tone
	Attempts             int
	Created, Due, Failed time.Time // Failed is zero when it has not failed
	Why                  explained
	Error, Args          string
	// Stopped: it gave up, and a person may run it again or discard it.
	Stopped bool
}

type jobsView struct {
	Filter []ui.TabLink
	Rows   []jobRow
	Pages  pages
}

func (m *Module) jobs(w http.ResponseWriter, r *http.Request) error {
	state := jobs.State(r.URL.Query().Get("state"))
	if !slices.Contains(jobStates, state) {
		state = "" // all of them: an old or mistyped link is no failure
	}
	ctx := r.Context()
	total, err := m.deps.Board.Count(ctx, jobs.Filter{State: state})
	if err != nil {
		return err
	}
	turn := pagesOf("/operations/jobs", string(state), r.URL.Query().Get("page"), total)
	list, err := m.deps.Board.List(ctx, jobs.Filter{State: state, Limit: pageSize, Offset: turn.offset()})
	if err != nil {
		return err
	}
	view := jobsView{Filter: filterOf(ctx, "/operations/jobs", "operations.job_state", string(state), jobStates), Pages: turn}
	for _, job := range list {
		view.Rows = append(view.Rows, rowOfJob(ctx, job))
	}
	return web.Render(w, r, http.StatusOK, jobsPage(view))
}

func (m *Module) job(w http.ResponseWriter, r *http.Request) error {
	row, err := m.oneJob(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, jobPage(row))
}

func (m *Module) runJob(w http.ResponseWriter, r *http.Request) error {
	if err := goneOr(m.deps.Board.RunAgain(r.Context(), r.PathValue("id"))); err != nil {
		return err
	}
	web.Flash(w, r, "operations.flash.run_again")
	return web.SeeOther(w, r, "/operations/jobs")
}

func (m *Module) confirmDiscard(w http.ResponseWriter, r *http.Request) error {
	row, err := m.oneJob(r)
	if err != nil {
		return err
	}
	if !row.Stopped {
		return JobGone // it runs again by itself: there is nothing to discard
	}
	return web.Render(w, r, http.StatusOK, discardPage(row))
}

func (m *Module) discardJob(w http.ResponseWriter, r *http.Request) error {
	if err := goneOr(m.deps.Board.Discard(r.Context(), r.PathValue("id"))); err != nil {
		return err
	}
	web.Flash(w, r, "operations.flash.discarded")
	return web.SeeOther(w, r, "/operations/jobs?state="+string(jobs.Dead))
}

func (m *Module) oneJob(r *http.Request) (jobRow, error) {
	job, err := m.deps.Board.Job(r.Context(), r.PathValue("id"))
	if err := goneOr(err); err != nil {
		return jobRow{}, err
	}
	return rowOfJob(r.Context(), job), nil
}

// goneOr gives the table's "no such job" the reason that people read.
func goneOr(err error) error {
	if errors.Is(err, jobs.ErrGone) {
		return JobGone.From(err)
	}
	return err
}

func rowOfJob(ctx context.Context, job jobs.Job) jobRow {
	row := jobRow{
		ID: job.ID, Name: job.Name, State: labelled(ctx, "operations.job_state", string(job.State)),
		Attempts: job.Attempts, Created: job.Created.Time(), Due: job.Due.Time(), Failed: job.Failed.Time(),
		Error: job.Error, Args: job.Args, Stopped: job.State == jobs.Dead,
	}
	switch {
	case job.State == jobs.Dead:
		row.Tone = ui.Bad
	case job.Reason != "":
		row.Tone = ui.Warn
	}
	if job.Reason != "" {
		row.Why = explain(ctx, job.Reason)
	}
	return row
}

// filterOf is a filter as a row of links: it works without JavaScript and each choice has an address.
func filterOf[S ~string](ctx context.Context, path, prefix, current string, states []S) []ui.TabLink {
	list := []ui.TabLink{{Label: i18n.T(ctx, "operations.all"), URL: path, Current: current == ""}}
	for _, state := range states {
		list = append(list, ui.TabLink{
			Label: labelled(ctx, prefix, string(state)), URL: path + "?state=" + url.QueryEscape(string(state)), Current: current == string(state),
		})
	}
	return list
}

// pages says where in a list one is.
type pages struct {
	Path, State       string
	Page, Last, Total int
}

// pagesOf reads a page number; anything odd is the nearest page that exists.
func pagesOf(path, state, asked string, total int) pages {
	last := max(1, (total+pageSize-1)/pageSize)
	page, err := strconv.Atoi(asked)
	if err != nil {
		page = 1
	}
	return pages{Path: path, State: state, Page: min(max(page, 1), last), Last: last, Total: total}
}

// pager is how the page leads to its neighbours.
func (p pages) pager() ui.PagerProps { return ui.PagerProps{Page: p.Page, Pages: p.Last, URL: p.url} }

func (p pages) offset() int { return (p.Page - 1) * pageSize }

// url is the address of another page of the same list.
func (p pages) url(page int) string {
	query := url.Values{}
	if p.State != "" {
		query.Set("state", p.State)
	}
	if page > 1 {
		query.Set("page", strconv.Itoa(page))
	}
	if len(query) == 0 {
		return p.Path
	}
	return p.Path + "?" + query.Encode()
}
