package listing

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// bulkView is what an act did with each ticket.
type bulkView struct {
	Bulk  bulkAct
	Count int // tickets that changed
}

// bulk does one thing with all ticked tickets.
func (l *Listing) bulk(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	o := order{Act: form.Get("act"), Queue: form.Get("to_queue")}
	if !slices.Contains(acts, o.Act) {
		return ActUnknown
	}
	for _, typed := range form["number"] {
		if number, ok := ticket.ParseNumber(typed); ok && !slices.Contains(o.Numbers, number) {
			o.Numbers = append(o.Numbers, number)
		}
	}
	switch {
	case len(o.Numbers) == 0:
		return NothingTicked
	case len(o.Numbers) > mostTicked:
		return TooManyTicked.With(fault.Args{"limit": mostTicked})
	}
	switch o.Act {
	case actTake:
		o.Assignee = v.Person
	case actAssign:
		agents, err := l.Agents(ctx)
		if err != nil {
			return err
		}
		if o.Assignee = campus.PersonID(form.Get("to_agent")); !slices.Contains(agents, o.Assignee) {
			return ActUnknown
		}
	case actMove:
		if q, err := l.Tickets.Queue(ctx, o.Queue); err != nil || !q.ClosedAt.IsZero() {
			return ticket.QueueGone
		}
	case actPriority:
		for _, p := range ticket.Priorities {
			if form.Get("to_priority") == p.Key() {
				o.Priority = p
			}
		}
		if o.Priority == 0 {
			return ActUnknown
		}
	}
	b, err := l.carryOut(ctx, v, o)
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, "/helpdesk/bulk/"+b.ID)
}

func (l *Listing) bulkPage(w http.ResponseWriter, r *http.Request) error {
	b, err := l.bulkOf(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	view := bulkView{Bulk: b}
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
	return web.SeeOther(w, r, "/helpdesk/tickets")
}
