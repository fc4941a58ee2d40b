package setup

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// promisesView lists who promises what.
type promisesView struct{ Rows [][]ui.Cell }

func (s *Setup) promisesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	tables, err := s.Promises.Tables.All(ctx)
	if err != nil {
		return err
	}
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	own := map[string]promise.Table{}
	for _, item := range tables {
		own[item.ID] = item.Of
	}
	view := promisesView{Rows: [][]ui.Cell{promiseRow(ctx, t(ctx, "promise.house"), promise.House, own)}}
	for _, q := range queues {
		if q.ClosedAt.IsZero() {
			view.Rows = append(view.Rows, promiseRow(ctx, s.queueName(ctx, q), q.ID, own))
		}
	}
	return web.Render(w, r, http.StatusOK, promisesTempl(view))
}

func promiseRow(ctx context.Context, name, id string, own map[string]promise.Table) []ui.Cell {
	cells := []ui.Cell{ui.LinkCell(name, "/helpdesk/setup/promises/"+id)}
	table, has := own[id]
	for _, p := range ticket.Priorities {
		text := t(ctx, "promise.nothing")
		switch times := table.Of(p); {
		case times != (promise.Times{}):
			text = t(ctx, "promise.both", "answer", orDash(hoursText(times.Answer)), "solve", orDash(hoursText(times.Solve)))
		case !has && id != promise.House:
			text = t(ctx, "promise.as_house")
		}
		cells = append(cells, ui.TextCell(text))
	}
	return cells
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// promiseView is the form of what one queue promises, or the house.
type promiseView struct {
	ID, Name string
	Version  int64
	Form     url.Values
	Problems web.Problems
	UnderWay int
}

// promised reads whose promises an address means: their name, and the queues that a
// change concerns.
func (s *Setup) promised(r *http.Request) (item kept.Item[promise.Table], name string, queues []ticket.Queue, err error) {
	ctx, id := r.Context(), r.PathValue("id")
	tables, err := s.Promises.Tables.All(ctx)
	if err != nil {
		return item, "", nil, err
	}
	own := map[string]bool{}
	item.ID = id
	for _, other := range tables {
		own[other.ID] = true
		if other.ID == id {
			item = other
		}
	}
	if id != promise.House {
		q, err := s.Tickets.Queue(ctx, id)
		return item, s.queueName(ctx, q), []ticket.Queue{q}, err
	}
	all, err := s.Tickets.Queues(ctx)
	if err != nil {
		return item, "", nil, err
	}
	for _, q := range all {
		if q.ClosedAt.IsZero() && !own[q.ID] {
			queues = append(queues, q)
		}
	}
	return item, t(ctx, "promise.house"), queues, nil
}

func (s *Setup) promisePage(w http.ResponseWriter, r *http.Request) error {
	item, name, queues, err := s.promised(r)
	if err != nil {
		return err
	}
	form := url.Values{}
	for _, p := range ticket.Priorities {
		form.Set("answer_"+p.Key(), hoursText(item.Of.Of(p).Answer))
		form.Set("solve_"+p.Key(), hoursText(item.Of.Of(p).Solve))
	}
	return s.showPromise(w, r, http.StatusOK, promiseView{ID: item.ID, Name: name, Version: item.Version, Form: form}, queues)
}

func (s *Setup) showPromise(w http.ResponseWriter, r *http.Request, status int, view promiseView, queues []ticket.Queue) error {
	for _, q := range queues {
		n, err := s.Promises.UnderWay(r.Context(), q.ID)
		if err != nil {
			return err
		}
		view.UnderWay += n
	}
	return web.Render(w, r, status, promiseTempl(view))
}

// longestPromise is in hours of opening.
const longestPromise = 2000

// minutes reads hours of opening as somebody types them: "0.5", "1,5", "16".
func (in *input) minutes(field string) int {
	text := strings.ReplaceAll(in.line(field), ",", ".")
	if text == "" {
		return 0
	}
	hours, err := strconv.ParseFloat(text, 64)
	if err != nil || !(hours > 0 && hours <= longestPromise) { // NaN is neither
		in.wrong(field, "hours", "limit", longestPromise)
		return 0
	}
	return max(1, int(hours*60+.5))
}

func (s *Setup) keepPromise(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	item, name, queues, err := s.promised(r)
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	for i, p := range ticket.Priorities {
		times := promise.Times{Answer: in.minutes("answer_" + p.Key()), Solve: in.minutes("solve_" + p.Key())}
		if times.Answer > 0 && times.Solve > 0 && times.Solve < times.Answer {
			in.wrong("solve_"+p.Key(), "sooner")
		}
		item.Of[i] = times
	}
	item.Version = in.version()
	if in.problems.Any() {
		return s.showPromise(w, r, http.StatusUnprocessableEntity, promiseView{ID: item.ID, Name: name, Version: item.Version, Form: in.Values, Problems: in.problems}, queues)
	}
	var recount []string
	if in.Get("recount") != "" {
		for _, q := range queues {
			recount = append(recount, q.ID)
		}
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		if item.Of == (promise.Table{}) && item.ID != promise.House && item.Version > 0 { // nothing of its own: the house's
			if err := s.Promises.Tables.Remove(ctx, tx, web.Viewer(r).Person, item.ID); err != nil {
				return err
			}
		} else if _, err := s.Promises.Tables.Keep(ctx, tx, web.Viewer(r).Person, item); err != nil {
			return err
		}
		return s.Promises.Recount(ctx, tx, recount)
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/promises")
}
