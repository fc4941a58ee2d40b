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

// mergeView is the page on which a ticket is merged into another one.
type mergeView struct {
	ticket.Ticket
	Said     string // its first message
	Typed    string
	Other    *ticket.Ticket // found
	OtherSay string
	Likely   []ticket.Ticket // others of the same person that are not over
	Problems web.Problems
}

func (h *Handling) mergePage(w http.ResponseWriter, r *http.Request) error {
	t, err := h.mine(r)
	if err != nil {
		return err
	}
	view := mergeView{Ticket: t, Typed: r.URL.Query().Get("with")}
	if view.Said, err = h.first(r.Context(), t); err != nil {
		return err
	}
	earlier, err := h.earlier(r.Context(), web.Viewer(r), t.Requester, t.RequesterMail)
	if err != nil {
		return err
	}
	for _, e := range earlier {
		if e.ID != t.ID && !e.State.Over() && len(view.Likely) < 2*earlierSize {
			view.Likely = append(view.Likely, e)
		}
	}
	if view.Typed == "" {
		return web.Render(w, r, http.StatusOK, mergeTempl(view))
	}
	other, err := h.named(r, view.Typed)
	switch {
	case errors.Is(err, ticket.Missing) || err == nil && other.ID == t.ID:
		view.Problems.Add("with", "helpdesk.handling.problem.number")
		return web.Render(w, r, http.StatusUnprocessableEntity, mergeTempl(view))
	case err != nil:
		return err
	case other.State == ticket.Merged:
		view.Problems.Add("with", "helpdesk.handling.problem.merged")
		return web.Render(w, r, http.StatusUnprocessableEntity, mergeTempl(view))
	}
	view.Other = &other
	if view.OtherSay, err = h.first(r.Context(), other); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, mergeTempl(view))
}

// first is what a ticket began with.
func (h *Handling) first(ctx context.Context, t ticket.Ticket) (string, error) {
	thread, err := h.Tickets.Thread(ctx, t.ID)
	if err != nil || len(thread.Messages) == 0 {
		return "", err
	}
	return thread.Messages[0].Body, nil
}

// merge ends a ticket in favour of another one. Both say so, so that those who
// follow either of them hear; who watched the one watches the other.
func (h *Handling) merge(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	into, err := h.named(r, values.Get("with"))
	if err != nil {
		return err
	}
	was := t.State
	done, err := h.change(r, t, version(values.Get("version")), func(ctx context.Context, tx db.Tx, work *ticket.Work) error {
		if err := work.MergeInto(into.ID); err != nil {
			return err
		}
		watchers, err := h.watchers(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		for _, who := range watchers {
			if err := sqlgen.New(tx).Watch(ctx, sqlgen.WatchParams{TicketID: into.ID, PersonID: string(who), SinceAt: tx.Now()}); err != nil {
				return err
			}
		}
		_, err = h.Tickets.Change(ctx, tx, into.ID, work.By(), func(other *ticket.Work) error {
			if other.Ticket.State == ticket.Merged { // meanwhile
				return ticket.WrongState
			}
			other.Happened("merged_in", "number", ticket.Spoken(t.Number))
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.merged")
	return h.undoably(w, r, done, undoing{Kind: undoMerge, State: was})
}

// unmerge takes a merge back, in both tickets.
func (h *Handling) unmerge(ctx context.Context, tx db.Tx, work *ticket.Work, to ticket.State) error {
	into := work.Ticket.MergedInto
	if err := work.Unmerge(to); err != nil {
		return err
	}
	_, err := h.Tickets.Change(ctx, tx, into, work.By(), func(other *ticket.Work) error {
		other.Happened("unmerged", "number", ticket.Spoken(work.Ticket.Number))
		return nil
	})
	return err
}
