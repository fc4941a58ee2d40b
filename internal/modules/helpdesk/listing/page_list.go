package listing

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// listView is a list of tickets.
type listView struct {
	Filter  Filter
	Rows    []Row
	Count   int // up to a thousand and one; -1 for a search
	Next    string
	Tabs    []listTab
	Views   []View
	Queues  []ticket.Queue // all that there are, to name them
	Agents  []agent
	Manages bool // may keep lists for everybody

	Order    order // an act on several that has something to mend
	Problems web.Problems

	names  map[campus.PersonID]string
	places place.Names
	by     campus.Viewer
	now    time.Time
}

// listTab is one of the lists that every agent has.
type listTab struct {
	Key     string
	Query   url.Values
	Count   int
	Current bool
}

type agent struct {
	ID   campus.PersonID
	Name string
}

// tabs are the lists that every agent has, in the order of a day's work.
var tabs = []struct {
	key    string
	filter url.Values
}{
	{"mine", url.Values{"assignee": {Me}}},
	{"unassigned", url.Values{"assignee": {None}}},
	{"soon", url.Values{"due": {DueSoon}}},
	{"all", url.Values{}},
	{"waiting", url.Values{"state": {Waiting}}},
	{"over", url.Values{"state": {Over}}},
}

func (l *Listing) listPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	f := ReadFilter(r.URL.Query())
	if number, ok := ticket.ParseNumber(f.Words); ok {
		if t, err := l.Tickets.ByNumber(ctx, number); err == nil && ticket.MayHandle(v, t) {
			return web.SeeOther(w, r, "/helpdesk/tickets/"+number)
		}
	}
	return l.show(w, r, f, order{}, nil)
}

// show shows a list, and what is to mend in an act on several of its tickets.
func (l *Listing) show(w http.ResponseWriter, r *http.Request, f Filter, o order, problems web.Problems) error {
	ctx, v := r.Context(), web.Viewer(r)
	queues, err := l.QueuesOf(ctx, v.Person)
	if err != nil {
		return err
	}
	f = f.For(v, queues)
	view := listView{Filter: f, Count: -1, Manages: v.Can(campus.RightDesks), Order: o, Problems: problems, places: l.Places, by: v, now: l.Clock.Now()}
	if view.Rows, view.Next, err = l.List(ctx, f, f.size()); err != nil {
		return err
	}
	if strings.TrimSpace(f.Words) == "" {
		if view.Count, err = l.Count(ctx, f); err != nil {
			return err
		}
	}
	current := f.Query()
	for _, tab := range tabs {
		of := ReadFilter(tab.filter).For(v, queues)
		t := listTab{Key: tab.key, Query: maps.Clone(tab.filter)}
		if of.Size = f.Size; of.Size != 0 {
			t.Query.Set("size", strconv.Itoa(of.Size))
		}
		t.Current = maps.EqualFunc(of.Query(), current, slices.Equal)
		if of.States != Over {
			if t.Count, err = l.Count(ctx, of); err != nil {
				return err
			}
		}
		view.Tabs = append(view.Tabs, t)
	}
	if view.Views, err = l.viewsOf(ctx, v.Person); err != nil {
		return err
	}
	if view.Queues, err = l.Tickets.Queues(ctx); err != nil {
		return err
	}
	if err := l.fillNames(ctx, &view); err != nil {
		return err
	}
	status := http.StatusOK
	if problems.Any() {
		status = http.StatusUnprocessableEntity
	}
	return web.Render(w, r, status, listTempl(view))
}

// fillNames names the agents of the list, and those to whom it can be given.
func (l *Listing) fillNames(ctx context.Context, view *listView) error {
	agents, err := l.agentsFor(ctx, view.by)
	if err != nil {
		return err
	}
	ids := slices.Clone(agents)
	for _, row := range view.Rows {
		if row.Assignee != "" && !slices.Contains(ids, row.Assignee) {
			ids = append(ids, row.Assignee)
		}
	}
	if view.names, err = l.names(ctx, ids); err != nil {
		return err
	}
	for _, who := range agents {
		if name := view.names[who]; name != "" {
			view.Agents = append(view.Agents, agent{who, name})
		}
	}
	slices.SortFunc(view.Agents, func(a, b agent) int { return strings.Compare(campus.Fold(a.Name), campus.Fold(b.Name)) })
	return nil
}

// queueName is a queue's name for the reader.
func (v listView) queueName(ctx context.Context, queue string) string {
	for _, q := range v.Queues {
		if q.ID == queue {
			return q.Name(i18n.Locale(ctx))
		}
	}
	return ""
}

func (v listView) nextURL() string {
	f := v.Filter
	f.After = v.Next
	return f.URL()
}

func (v listView) fileURL() string { return "/helpdesk/tickets.csv?" + v.Filter.Query().Encode() }

func (v listView) firstURL() string {
	f := v.Filter
	f.After = ""
	return f.URL()
}

// sizeURL is the list from its beginning, with so many tickets on a page.
func (v listView) sizeURL(size int) string {
	f := v.Filter
	if f.After, f.Size = "", size; size == Sizes[0] {
		f.Size = 0
	}
	return f.URL()
}

// fileMost bounds a file: a longer one is for the API.
const fileMost = 100_000

// listFile sends the same list as a table, page by page. Once the first line is sent
// a failure can only cut the file short.
func (l *Listing) listFile(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	queues, err := l.QueuesOf(ctx, v.Person)
	if err != nil {
		return err
	}
	f := ReadFilter(r.URL.Query()).For(v, queues)
	f.After = ""
	known, err := l.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	called := listView{Queues: known}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="tickets-%s.csv"`, l.Clock.Now().In(l.Zone).Format(time.DateOnly)))
	file := table.NewWriter(w)
	var head []string
	for _, name := range []string{"number", "subject", "requester", "state", "priority", "queue", "campus", "service", "reason", "opened", "changed", "answered", "solved"} {
		head = append(head, i18n.T(ctx, "helpdesk.listing.file."+name))
	}
	if err := file.Write(head); err != nil {
		return fmt.Errorf("send the tickets: %w", err)
	}
	for sent := 0; sent < fileMost; {
		rows, next, err := l.List(ctx, f, 1000)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := file.Write([]string{
				ticket.Spoken(row.Number), row.Subject, row.Requester, i18n.T(ctx, "helpdesk.state."+string(row.State)), i18n.T(ctx, "helpdesk.priority."+row.Priority.Key()),
				called.queueName(ctx, row.Queue), row.Campus, row.Service, row.Reason,
				l.moment(row.OpenedAt.Time()), l.moment(row.ChangedAt.Time()), l.moment(row.AnsweredAt.Time()), l.moment(row.SolvedAt.Time()),
			}); err != nil {
				return fmt.Errorf("send the tickets: %w", err)
			}
		}
		if sent += len(rows); next == "" {
			break
		}
		f.After = next
	}
	file.Flush()
	return file.Error()
}

// moment is a time for spreadsheets, in the institution's zone.
func (l *Listing) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(l.Zone).Format("2006-01-02 15:04")
}
