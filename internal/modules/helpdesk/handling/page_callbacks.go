package handling

import (
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// mostCallbacks is how many calls the page shows: more are not made in a day.
const mostCallbacks = 200

// callView is a call to be made.
type callView struct {
	ticket.Ticket
	callback
	Assignee string // empty for nobody
	Late     bool   // its time is over
}

// callbacksPage lists the calls that an agent may make: whoever waits by the phone
// is not found in a list of requests.
func (h *Handling) callbacksPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	asked, err := sqlgen.New(h.DB.Read()).OpenCallbacks(ctx, mostCallbacks)
	if err != nil {
		return fmt.Errorf("list calls to be made: %w", err)
	}
	calls, ids := map[string]callback{}, make([]string, len(asked))
	for i, row := range asked {
		calls[row.TicketID], ids[i] = callback{Phone: row.Phone, Wished: row.Wished, Due: row.DueAt.Time()}, row.TicketID
	}
	tickets, err := h.Tickets.ByIDs(ctx, ids)
	if err != nil {
		return err
	}
	var list []callView
	var agents []campus.PersonID
	for _, t := range tickets {
		if t.State.Over() || !ticket.MayHandle(web.Viewer(r), t) {
			continue
		}
		c := calls[t.ID]
		list = append(list, callView{Ticket: t, callback: c, Late: !c.Due.IsZero() && c.Due.Before(h.Clock.Now().Truncate(time.Minute))})
		agents = append(agents, t.Assignee)
	}
	known, err := h.Register.KnownPeople(ctx, agents)
	if err != nil {
		return fmt.Errorf("read who has the requests: %w", err)
	}
	for i := range list {
		if k, ok := known[list[i].Ticket.Assignee]; ok {
			list[i].Assignee = nameOf(k)
		}
	}
	return web.Render(w, r, http.StatusOK, callbacksTempl(list))
}
