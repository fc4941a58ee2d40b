package listing

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// bulkView is what an act did with each ticket.
type bulkView struct {
	Bulk  bulkAct
	Count int    // tickets that changed
	Back  Filter // the list from which it was done
}

// bulk does one thing with all ticked tickets. When something is missing, the list
// comes back as it was: its filter and its page stand in the address.
func (l *Listing) bulk(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v, f := r.Context(), web.Viewer(r), ReadFilter(r.URL.Query())
	o, problems, err := l.readOrder(ctx, v, form)
	if err != nil {
		return err
	}
	if problems.Any() {
		return l.show(w, r, f, o, problems)
	}
	b, err := l.carryOut(ctx, v, o)
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, "/helpdesk/bulk/"+b.ID+"?"+f.Query().Encode())
}

// readOrder reads an act on several tickets, and the first thing that is to mend in it.
func (l *Listing) readOrder(ctx context.Context, v campus.Viewer, form url.Values) (o order, problems web.Problems, err error) {
	o = order{Act: form.Get("act"), Assignee: campus.PersonID(form.Get("to_agent")), Queue: form.Get("to_queue")}
	if !slices.Contains(acts, o.Act) {
		return o, nil, ActUnknown
	}
	for _, typed := range form["number"] {
		if number, ok := ticket.ParseNumber(typed); ok && !slices.Contains(o.Numbers, number) {
			o.Numbers = append(o.Numbers, number)
		}
	}
	for _, p := range ticket.Priorities {
		if form.Get("to_priority") == p.Key() {
			o.Priority = p
		}
	}
	switch {
	case len(o.Numbers) == 0:
		problems.Add("number", "helpdesk.listing.problem.nothing_ticked")
		return o, problems, nil
	case len(o.Numbers) > mostTicked:
		problems.Add("number", "helpdesk.listing.problem.too_many", "limit", mostTicked)
		return o, problems, nil
	}
	switch o.Act {
	case actTake:
		o.Assignee = v.Person
	case actAssign:
		agents, err := l.agentsFor(ctx, v)
		if err != nil {
			return o, nil, err
		}
		if !slices.Contains(agents, o.Assignee) {
			problems.Add("to_agent", "helpdesk.listing.problem.to_agent")
		}
	case actMove:
		if q, err := l.Tickets.Queue(ctx, o.Queue); errors.Is(err, ticket.QueueGone) || err == nil && (!q.ClosedAt.IsZero() || !ticket.MayUse(v, q)) {
			problems.Add("to_queue", "helpdesk.listing.problem.to_queue")
		} else if err != nil {
			return o, nil, err
		}
	case actPriority:
		if o.Priority == 0 {
			problems.Add("to_priority", "helpdesk.listing.problem.to_priority")
		}
	}
	return o, problems, nil
}

func (l *Listing) bulkPage(w http.ResponseWriter, r *http.Request) error {
	b, err := l.bulkOf(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	view := bulkView{Bulk: b, Back: ReadFilter(r.URL.Query())}
	for _, d := range b.Done {
		if d.Version != 0 {
			view.Count++
		}
	}
	return web.Render(w, r, http.StatusOK, bulkTempl(view))
}

func (l *Listing) undoBulk(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	b, err := l.bulkOf(ctx, v, r.PathValue("id"))
	if err != nil {
		return err
	}
	back, left, err := l.undo(ctx, v, b)
	if err != nil {
		return err
	}
	if left > 0 {
		web.Flash(w, r, "helpdesk.listing.undone_partly", "count", strconv.Itoa(back), "left", strconv.Itoa(left))
	} else {
		web.Flash(w, r, "helpdesk.listing.undone", "count", strconv.Itoa(back))
	}
	return web.SeeOther(w, r, ReadFilter(r.URL.Query()).URL())
}
