package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Change is what is to change; what is left out stays.
type Change struct {
	State    string `json:"state,omitempty"` // open, waiting, solved or closed
	Priority string `json:"priority,omitempty"`
	Queue    string `json:"queue,omitempty"`
	// Assignee is the address of an agent who may handle the ticket; empty takes it from
	// whoever has it.
	Assignee *string `json:"assignee,omitempty"`
}

// Saying is something to say.
type Saying struct {
	Body     string `json:"body"`
	Internal bool   `json:"internal,omitempty"`
}

// alter changes the ticket of the address when it is the version that the program
// names (RFC 9110 §13.1.1).
func (a *API) alter(w http.ResponseWriter, v visit, status int, do func(*ticket.Work) error) error {
	found, err := a.find(v)
	if err != nil {
		return err
	}
	ctx := v.Context()
	var t ticket.Ticket
	err = a.DB.InTx(ctx, func(tx db.Tx) (err error) {
		t, err = a.Tickets.Change(ctx, tx, found.ID, v.by(), func(work *ticket.Work) error {
			if !v.token.Has(work.Ticket) { // moved away since it was read
				return ticket.Missing
			}
			if want := v.Header.Get("If-Match"); want != "" && want != "*" && want != etag(work.Ticket.Version) {
				return Stale.With(fault.Args{"version": work.Ticket.Version})
			}
			if err := do(work); err != nil {
				return err
			}
			return v.inReach(work.Ticket)
		})
		return err
	})
	if err != nil {
		return err
	}
	return a.answer(w, ctx, status, t, false)
}

// assignee finds the agent with an address. Who may not handle the ticket gets none.
func (a *API) assignee(v visit, address string) (campus.PersonID, error) {
	t, err := a.find(v)
	if err != nil {
		return "", err
	}
	address = strings.ToLower(strings.TrimSpace(address))
	found, err := a.Register.FindPeople(v.Context(), contract.FieldMail, []string{address})
	if err != nil {
		return "", fmt.Errorf("find an agent: %w", err)
	}
	may, err := a.Roll.HoldersFor(v.Context(), campus.RightHelpdesk, []campus.Affiliation{{Campus: t.Campus}})
	if err != nil {
		return "", fmt.Errorf("list the agents: %w", err)
	}
	if who := found[address]; who != "" && slices.Contains(may, who) {
		return who, nil
	}
	return "", Unfit.With(fault.Args{"field": "assignee"})
}

func (a *API) change(w http.ResponseWriter, v visit) error {
	var c Change
	if _, err := v.read(&c); err != nil {
		return err
	}
	var p ticket.Priority
	if c.Priority != "" {
		var err error
		if p, err = priority(c.Priority); err != nil {
			return err
		}
	}
	if c.Queue != "" {
		if err := a.mayPlaceIn(v, c.Queue); err != nil {
			return err
		}
	}
	var who campus.PersonID
	if c.Assignee != nil && *c.Assignee != "" {
		var err error
		if who, err = a.assignee(v, *c.Assignee); err != nil {
			return err
		}
	}
	return a.alter(w, v, http.StatusOK, func(work *ticket.Work) error {
		if p != 0 {
			work.Prioritise(p)
		}
		if c.Queue != "" {
			work.Move(c.Queue)
		}
		if c.Assignee != nil {
			work.Assign(who)
		}
		switch ticket.State(c.State) {
		case "":
			return nil
		case ticket.Open:
			if work.Ticket.State == ticket.Solved || work.Ticket.State == ticket.Closed {
				work.Reopen()
				return nil
			}
			return work.Take()
		case ticket.Waiting:
			return work.Wait()
		case ticket.Solved:
			return work.Solve()
		case ticket.Closed:
			return work.Close()
		}
		return Unfit.With(fault.Args{"field": "state"})
	})
}

func (a *API) say(w http.ResponseWriter, v visit) error {
	var s Saying
	if _, err := v.read(&s); err != nil {
		return err
	}
	if strings.TrimSpace(s.Body) == "" || len(s.Body) > longestBody {
		return Unfit.With(fault.Args{"field": "body"})
	}
	return a.alter(w, v, http.StatusCreated, func(work *ticket.Work) error {
		m := ticket.Message{Body: strings.TrimSpace(s.Body), Channel: ticket.ByAPI}
		if s.Internal {
			work.Note(m)
		} else {
			work.Say(m)
		}
		return nil
	})
}
