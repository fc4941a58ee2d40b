package handling

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// changeState does one of the acts that change how far a ticket is.
func (h *Handling) changeState(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	to, was := values.Get("to"), t.State
	done, err := h.change(r, t, version(values.Get("version")), func(_ context.Context, _ db.Tx, work *ticket.Work) error {
		switch to {
		case "take":
			return work.Take()
		case "wait":
			return work.Wait()
		case "solve":
			return work.Solve()
		case "close":
			return work.Close()
		case "reopen":
			if !was.Over() || was == ticket.Merged {
				return ticket.WrongState
			}
			work.Reopen()
			return nil
		}
		return UnknownAct
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.state")
	if done.State.Over() {
		return h.undoably(w, r, done, undoing{Kind: undoState, State: was, Put: t.PostponedUntil.Unix()})
	}
	return web.SeeOther(w, r, URL(t.Number))
}

// takeMyself gives the ticket to the viewer.
func (h *Handling) takeMyself(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	had := t.Assignee
	done, err := h.change(r, t, version(values.Get("version")), func(_ context.Context, _ db.Tx, work *ticket.Work) error {
		work.Assign(work.By().Person)
		if work.Ticket.State == ticket.New {
			return work.Take()
		}
		return nil
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.mine")
	return h.undoably(w, r, done, undoing{Kind: undoAssign, Assignee: had, State: t.State})
}

// changePlace changes who has the ticket, its queue, its priority, until when it is
// put off, and the time spent: one form, each part of which may stay as it is. A
// word with it goes to who gets it.
func (h *Handling) changePlace(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	form, err := h.readPlace(r, t, values)
	if err != nil {
		return err
	}
	if form.problems.Any() {
		start, err := h.startForm(r, t)
		if err != nil {
			return err
		}
		return h.again(w, r, t, start, form.problems, http.StatusUnprocessableEntity)
	}
	had := t.Assignee
	done, err := h.change(r, t, version(values.Get("version")), func(_ context.Context, _ db.Tx, work *ticket.Work) error {
		if form.queue != t.Queue {
			work.Move(form.queue)
		}
		if form.assignee != t.Assignee {
			work.Assign(form.assignee)
		}
		if form.priority != t.Priority {
			work.Prioritise(form.priority)
		}
		work.Spend(form.spent)
		if form.note != "" {
			work.Note(ticket.Message{Body: form.note})
		}
		if !form.until.IsZero() {
			return work.Postpone(form.until)
		}
		return nil
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.place")
	if done.Assignee != had {
		return h.undoably(w, r, done, undoing{Kind: undoAssign, Assignee: had, Queue: t.Queue, State: t.State})
	}
	return web.SeeOther(w, r, URL(t.Number))
}

// placeForm is what changePlace was asked for.
type placeForm struct {
	queue    string
	assignee campus.PersonID
	priority ticket.Priority
	until    time.Time
	spent    time.Duration
	note     string
	problems web.Problems
}

// momentForm is how forms write a day and a minute.
const momentForm = "2006-01-02T15:04"

func (h *Handling) readPlace(r *http.Request, t ticket.Ticket, values url.Values) (placeForm, error) {
	form := placeForm{queue: values.Get("queue"), assignee: campus.PersonID(values.Get("assignee")), priority: t.Priority, note: strings.TrimSpace(values.Get("note"))}
	view := ticketView{Ticket: t, Me: web.Viewer(r).Person}
	if err := h.addAgents(r.Context(), &view, ticket.Names{}); err != nil {
		return form, err
	}
	if form.assignee != "" && form.assignee != t.Assignee && !slices.ContainsFunc(view.Agents, func(o ui.Option) bool { return o.Value == string(form.assignee) }) {
		form.problems.Add("assignee", "helpdesk.handling.problem.assignee")
	}
	if form.queue != t.Queue {
		q, err := h.Tickets.Queue(r.Context(), form.queue)
		if err != nil {
			return form, err
		}
		if !q.ClosedAt.IsZero() || !ticket.MayUse(web.Viewer(r), q) {
			return form, ticket.QueueGone
		}
	}
	if p, err := strconv.Atoi(values.Get("priority")); err == nil && slices.Contains(ticket.Priorities, ticket.Priority(p)) {
		form.priority = ticket.Priority(p)
	}
	if typed := values.Get("until"); typed != "" {
		until, err := time.ParseInLocation(momentForm, typed, h.Zone)
		if err != nil || !until.After(h.Clock.Now()) || until.After(h.Clock.Now().AddDate(2, 0, 0)) {
			form.problems.Add("until", "helpdesk.handling.problem.until")
		}
		form.until = until
	}
	spent, ok := writeForm{Minutes: strings.TrimSpace(values.Get("spent"))}.minutes()
	if form.spent = spent; !ok {
		form.problems.Add("spent", "helpdesk.handling.problem.minutes")
	}
	return form, nil
}

// watch begins to tell the viewer of every change, or ends it.
func (h *Handling) watch(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	ctx, who := r.Context(), string(web.Viewer(r).Person)
	on := values.Get("on") != ""
	if err := h.DB.InTx(ctx, func(tx db.Tx) error {
		if on {
			return sqlgen.New(tx).Watch(ctx, sqlgen.WatchParams{TicketID: t.ID, PersonID: who, SinceAt: tx.Now()})
		}
		return sqlgen.New(tx).Unwatch(ctx, sqlgen.UnwatchParams{TicketID: t.ID, PersonID: who})
	}); err != nil {
		return err
	}
	key := "helpdesk.handling.done.unwatched"
	if on {
		key = "helpdesk.handling.done.watched"
	}
	web.Flash(w, r, key)
	return web.SeeOther(w, r, URL(t.Number))
}

// calledBack notes that the person was called.
func (h *Handling) calledBack(w http.ResponseWriter, r *http.Request) error {
	t, form, err := h.posted(r)
	if err != nil {
		return err
	}
	if _, err := h.change(r, t, 0, func(ctx context.Context, tx db.Tx, work *ticket.Work) error {
		n, err := sqlgen.New(tx).CalledBack(ctx, sqlgen.CalledBackParams{TicketID: t.ID, DoneAt: tx.Now()})
		if err != nil || n == 0 {
			return err // somebody called meanwhile
		}
		work.Happened("called_back")
		return nil
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.called")
	if form.Get("back") == "callbacks" {
		return web.SeeOther(w, r, callbacksURL)
	}
	return web.SeeOther(w, r, URL(t.Number)+"#write")
}

// posted reads the ticket of the address and the form that was posted to it.
func (h *Handling) posted(r *http.Request) (ticket.Ticket, url.Values, error) {
	t, err := h.mine(r)
	if err != nil {
		return t, nil, err
	}
	values, err := web.Form(r)
	return t, values, err
}

// What can be taken back for a while.
const (
	undoState  = "state"
	undoAssign = "assign"
	undoMerge  = "merge"
)

// undoLasts is how long.
const undoLasts = 2 * time.Minute

// undoPurpose is what the signed mark of an act is good for.
const undoPurpose = "helpdesk.handling_undo"

// undoing is how a ticket was before an act. It travels signed in the address of the
// page after it: nothing is kept for acts that nobody takes back.
type undoing struct {
	Kind     string
	Ticket   string
	Agent    campus.PersonID
	Version  int64 // after the act; a later change keeps it from being taken back
	Until    int64 // Unix seconds
	State    ticket.State
	Assignee campus.PersonID
	Queue    string
	Put      int64 // off until, Unix seconds, of a ticket that was postponed
	Sent     bool  // with an answer, which stays sent
}

// undoably leads to the page of a ticket, with the way to take the act back.
func (h *Handling) undoably(w http.ResponseWriter, r *http.Request, t ticket.Ticket, u undoing) error {
	u.Ticket, u.Agent, u.Version, u.Until = t.ID, web.Viewer(r).Person, t.Version, h.Clock.Now().Add(undoLasts).Unix()
	mark, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, URL(t.Number)+"?"+url.Values{"undo": {h.Keys.Sign(undoPurpose, string(mark))}}.Encode())
}

// readUndo reads the mark of an act of the viewer on this ticket, which can still be
// taken back.
func (h *Handling) readUndo(r *http.Request, t ticket.Ticket, mark string) (undoing, bool) {
	var u undoing
	signed, err := h.Keys.Verify(undoPurpose, mark)
	if err != nil || json.Unmarshal([]byte(signed), &u) != nil {
		return u, false
	}
	return u, u.Ticket == t.ID && u.Agent == web.Viewer(r).Person && u.Version == t.Version && h.Clock.Now().Unix() < u.Until
}

// undoable is the mark when it is still good, or empty, and whether an answer was sent
// with the act.
func (h *Handling) undoable(r *http.Request, t ticket.Ticket, mark string) (good string, sent bool) {
	u, ok := h.readUndo(r, t, mark)
	if !ok {
		return "", false
	}
	return mark, u.Sent
}

// undo takes an act back.
func (h *Handling) undo(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	u, ok := h.readUndo(r, t, values.Get("undo"))
	if !ok {
		return TooLate
	}
	if _, err := h.change(r, t, u.Version, func(ctx context.Context, tx db.Tx, work *ticket.Work) error {
		switch u.Kind {
		case undoMerge:
			return h.unmerge(ctx, tx, work, u.State)
		case undoAssign:
			if u.Queue != "" && u.Queue != work.Ticket.Queue {
				work.Move(u.Queue)
			}
			work.Assign(u.Assignee)
		}
		if err := work.Undo(u.State); err != nil || u.State != ticket.Postponed {
			return err
		}
		work.Ticket.PostponedUntil = time.Unix(u.Put, 0)
		return nil
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.undone")
	return web.SeeOther(w, r, URL(t.Number))
}
