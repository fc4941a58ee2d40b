package handling

import (
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// actView is the page on which an act for the person is confirmed, and on which what
// is to be read out stands once.
type actView struct {
	ticket.Ticket
	Act      contract.Act
	Choice   string
	Done     *contract.Done
	Problems web.Problems
}

// offered finds an act among those that the rooms offer the viewer for the requester.
func (h *Handling) offered(r *http.Request, t ticket.Ticket) (contract.Act, contract.Acts, error) {
	if t.Requester == "" {
		return contract.Act{}, nil, UnknownAct
	}
	for _, room := range h.Acts() {
		acts, err := room.Acts(r.Context(), web.Viewer(r), t.Requester)
		if err != nil {
			return contract.Act{}, nil, err
		}
		for _, a := range acts {
			if a.ID == r.PathValue("act") && a.URL == "" {
				return a, room, nil
			}
		}
	}
	return contract.Act{}, nil, UnknownAct
}

func (h *Handling) actPage(w http.ResponseWriter, r *http.Request) error {
	t, err := h.mine(r)
	if err != nil {
		return err
	}
	a, _, err := h.offered(r, t)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, actTempl(actView{Ticket: t, Act: a}))
}

// act does it, and notes in the ticket that it was done.
func (h *Handling) act(w http.ResponseWriter, r *http.Request) error {
	t, values, err := h.posted(r)
	if err != nil {
		return err
	}
	a, room, err := h.offered(r, t)
	if err != nil {
		return err
	}
	view := actView{Ticket: t, Act: a, Choice: values.Get("choice")}
	if len(a.Choices) > 0 && !slices.ContainsFunc(a.Choices, func(c contract.Choice) bool { return c.Value == view.Choice }) {
		view.Problems.Add("choice", "helpdesk.handling.problem.choice")
		return web.Render(w, r, http.StatusUnprocessableEntity, actTempl(view))
	}
	done, err := room.Do(r, t.Requester, a.ID, view.Choice, ticket.Spoken(t.Number))
	if err != nil {
		return err
	}
	if _, err := h.change(r, t, 0, func(_ context.Context, _ db.Tx, work *ticket.Work) error {
		work.Happened("act", "act", a.Key+".done")
		return nil
	}); err != nil {
		return err
	}
	if done.Secret != "" {
		view.Done = &done
		w.Header().Set("Cache-Control", "no-store")
		return web.Render(w, r, http.StatusOK, actTempl(view))
	}
	web.Flash(w, r, a.Key+".done")
	return web.SeeOther(w, r, URL(t.Number))
}
