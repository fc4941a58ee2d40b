package handling

import (
	"context"
	"errors"
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// named reads the ticket whose number was typed, which the viewer has to handle too.
func (h *Handling) named(r *http.Request, typed string) (ticket.Ticket, error) {
	number, ok := ticket.ParseNumber(typed)
	if !ok {
		return ticket.Ticket{}, ticket.Missing
	}
	return h.handled(r, number)
}

// link ties two tickets together.
func (h *Handling) link(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	other, err := h.named(r, values.Get("with"))
	if err == nil && other.ID == t.ID {
		err = ticket.Missing
	}
	if errors.Is(err, ticket.Missing) {
		form, err := h.startForm(r, t)
		if err != nil {
			return err
		}
		var problems web.Problems
		problems.Add("with", "helpdesk.handling.problem.number")
		return h.again(w, r, t, form, problems, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	if err := h.tie(r, t, other, "linked", func(ctx context.Context, q *sqlgen.Queries) error {
		return q.Link(ctx, sqlgen.LinkParams{TicketID: t.ID, OtherID: other.ID})
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.linked")
	return web.SeeOther(w, r, URL(t.Number))
}

// unlink unties them.
func (h *Handling) unlink(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	other, err := h.named(r, values.Get("with"))
	if err != nil {
		return err
	}
	if err := h.tie(r, t, other, "unlinked", func(ctx context.Context, q *sqlgen.Queries) error {
		return q.Unlink(ctx, sqlgen.UnlinkParams{TicketID: t.ID, OtherID: other.ID})
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.unlinked")
	return web.SeeOther(w, r, URL(t.Number))
}

// tie changes what ties two tickets, and says so in both.
func (h *Handling) tie(r *http.Request, t, other ticket.Ticket, kind string, write func(context.Context, *sqlgen.Queries) error) error {
	_, err := h.change(r, t, 0, func(ctx context.Context, tx db.Tx, work *ticket.Work) error {
		if err := write(ctx, sqlgen.New(tx)); err != nil {
			return err
		}
		work.Happened(kind, "number", ticket.Spoken(other.Number))
		_, err := h.Tickets.Change(ctx, tx, other.ID, work.By(), func(w *ticket.Work) error {
			w.Happened(kind, "number", ticket.Spoken(t.Number))
			return nil
		})
		return err
	})
	return err
}
