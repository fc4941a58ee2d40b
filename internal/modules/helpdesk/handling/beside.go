package handling

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// beside is what stands beside a ticket: who asked, as far as the agent may know.
type beside struct {
	Name, Login, Number string
	Known               bool // has an account
	Cards               []contract.Card
	Acts                []contract.Act
	Earlier             []ticket.Ticket
}

// earlierSize is how many earlier requests of somebody stand beside one.
const earlierSize = 5

// beside gathers what the rooms know of who asked, and notes that the agent looked.
func (h *Handling) beside(r *http.Request, t ticket.Ticket) (beside, error) {
	ctx, v := r.Context(), web.Viewer(r)
	b := beside{Name: t.RequesterName}
	earlier, err := h.earlier(ctx, v, t.Requester, t.RequesterMail)
	if err != nil {
		return b, err
	}
	for _, e := range earlier {
		if e.ID != t.ID && len(b.Earlier) < earlierSize {
			b.Earlier = append(b.Earlier, e)
		}
	}
	if t.Requester == "" {
		return b, nil
	}
	known, err := h.Register.KnownPeople(ctx, []campus.PersonID{t.Requester})
	if err != nil {
		return b, err
	}
	k, ok := known[t.Requester]
	if !ok {
		return b, nil
	}
	b.Known, b.Name, b.Login, b.Number = true, nameOf(k), k.Subject.Login, k.Subject.StudentNumber
	if err := h.Looks.Looked(ctx, contract.Look{By: v.Person, About: t.Requester, As: campus.RightHelpdesk, What: "helpdesk.handling.look", Why: ticket.Spoken(t.Number)}); err != nil {
		return b, err
	}
	for _, room := range h.Dossiers() {
		cards, err := room.About(ctx, v, t.Requester)
		if err != nil {
			return b, err
		}
		for _, c := range cards {
			if !strings.HasPrefix(c.ID, "helpdesk.") { // their other requests stand here already
				b.Cards = append(b.Cards, c)
			}
		}
	}
	slices.SortStableFunc(b.Cards, func(a, b contract.Card) int { return cmp.Or(a.Rank-b.Rank, cmp.Compare(a.ID, b.ID)) })
	for _, room := range h.Acts() {
		acts, err := room.Acts(ctx, v, t.Requester)
		if err != nil {
			return b, err
		}
		b.Acts = append(b.Acts, acts...)
	}
	return b, nil
}

// earlier lists the requests of somebody that the viewer may handle, newest first.
func (h *Handling) earlier(ctx context.Context, v campus.Viewer, who campus.PersonID, mail string) ([]ticket.Ticket, error) {
	var list []ticket.Ticket
	var err error
	switch {
	case who != "":
		list, err = h.Tickets.Of(ctx, who)
	case mail != "":
		list, err = h.Tickets.OfMail(ctx, mail)
	}
	return slices.DeleteFunc(list, func(t ticket.Ticket) bool { return !ticket.MayHandle(v, t) }), err
}
