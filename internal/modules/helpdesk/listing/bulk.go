package listing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// The acts on several tickets.
const (
	actTake     = "take"     // to oneself
	actAssign   = "assign"   // to an agent
	actMove     = "move"     // to a queue
	actPriority = "priority" // another one
	actSolve    = "solve"
	actClose    = "close"
)

var acts = []string{actTake, actAssign, actMove, actPriority, actSolve, actClose}

// mostTicked is how many tickets one act changes: they are one transaction.
const mostTicked = 100

// order is an act on several tickets.
type order struct {
	Act      string
	Numbers  []string
	Assignee campus.PersonID
	Reach    map[string]bool // campuses whose tickets the assignee may handle
	Queue    string
	Priority ticket.Priority
}

// done is what an act did with one ticket.
type done struct {
	Number  string          `json:"number"`
	Subject string          `json:"subject"`
	Reason  string          `json:"reason,omitempty"` // code of what stopped it
	Version int64           `json:"version"`          // after it; 0 when nothing changed
	State   ticket.State    `json:"state"`            // and the rest as it was before
	Who     campus.PersonID `json:"who"`
	Queue   string          `json:"queue"`
	Urgency ticket.Priority `json:"urgency"`
}

// bulkAct is an act on several tickets that was carried out.
type bulkAct struct {
	ID     string
	Act    string
	Done   []done
	At     db.Time
	Undone db.Time
}

// apply does it with one ticket.
func (o order) apply(w *ticket.Work) error {
	switch o.Act {
	case actTake, actAssign:
		if o.Act == actAssign && !o.Reach[w.Ticket.Campus] {
			return AgentElsewhere
		}
		if w.Ticket.State.Over() {
			return ticket.WrongState
		}
		w.Assign(o.Assignee)
	case actMove:
		w.Move(o.Queue)
	case actPriority:
		w.Prioritise(o.Priority)
	case actSolve:
		return w.Solve()
	case actClose:
		return w.Close()
	default:
		return ActUnknown
	}
	return nil
}

// carryOut changes every ticket that the viewer may, and says of each what became
// of it.
func (l *Listing) carryOut(ctx context.Context, v campus.Viewer, o order) (bulkAct, error) {
	b := bulkAct{ID: id.New(), Act: o.Act}
	found, err := l.found(ctx, o.Numbers)
	if err != nil {
		return b, err
	}
	if o.Reach = map[string]bool{}; o.Act == actAssign {
		for _, t := range found {
			if _, asked := o.Reach[t.Campus]; asked {
				continue
			}
			agents, err := l.AgentsOf(ctx, t.Campus)
			if err != nil {
				return b, err
			}
			o.Reach[t.Campus] = slices.Contains(agents, o.Assignee)
		}
	}
	err = l.DB.InTx(ctx, func(tx db.Tx) error {
		b.Done, b.At = nil, tx.Now()
		for _, number := range o.Numbers {
			d, read := done{Number: number}, int64(0)
			after, err := l.change(ctx, tx, v, found[number].ID, func(w *ticket.Work) error {
				was := w.Before()
				d = done{Number: number, Subject: was.Subject, State: was.State, Who: was.Assignee, Queue: was.Queue, Urgency: was.Priority}
				read = was.Version
				return o.apply(w)
			})
			if d.Reason, err = expected(err); err != nil {
				return err
			}
			if after.Version != read { // what did not change has nothing to undo
				d.Version = after.Version
			}
			b.Done = append(b.Done, d)
		}
		text, err := json.Marshal(b.Done)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO helpdesk_bulks (id, agent_id, act, tickets, acted_at, undone_at) VALUES ($1, $2, $3, $4, $5, 0)", b.ID, string(v.Person), b.Act, string(text), b.At)
		return err
	})
	if err != nil {
		return bulkAct{}, fmt.Errorf("act on several tickets: %w", err)
	}
	return b, nil
}

// found are tickets by their numbers; those that are not there are empty.
func (l *Listing) found(ctx context.Context, numbers []string) (map[string]ticket.Ticket, error) {
	list := make(map[string]ticket.Ticket, len(numbers))
	for _, number := range numbers {
		t, err := l.Tickets.ByNumber(ctx, number)
		if err != nil && !errors.Is(err, ticket.Missing) {
			return nil, err
		}
		list[number] = t
	}
	return list, nil
}

// change changes a ticket in an agent's name, if they may handle it.
func (l *Listing) change(ctx context.Context, tx db.Tx, v campus.Viewer, which string, do func(*ticket.Work) error) (ticket.Ticket, error) {
	by := ticket.Actor{Role: ticket.Agent, Person: v.Person, Name: v.DisplayName(), Mail: v.Mail}
	return l.Tickets.Change(ctx, tx, which, by, func(w *ticket.Work) error {
		if !ticket.MayHandle(v, w.Before()) {
			return ticket.Missing
		}
		return do(w)
	})
}

// expected is the code of what can stop one ticket without stopping the others; any
// other error stays one.
func expected(err error) (code string, _ error) {
	for _, r := range []*fault.Reason{ticket.Missing, ticket.WrongState, ticket.Changed, AgentElsewhere} {
		if errors.Is(err, r) {
			return r.Code(), nil
		}
	}
	return "", err
}

// bulkOf reads an act of an agent on several tickets.
func (l *Listing) bulkOf(ctx context.Context, v campus.Viewer, which string) (bulkAct, error) {
	b := bulkAct{ID: which}
	var text string
	err := l.DB.Read().QueryRowContext(ctx, "SELECT act, tickets, acted_at, undone_at FROM helpdesk_bulks WHERE id = $1 AND agent_id = $2", which, string(v.Person)).Scan(&b.Act, &text, &b.At, &b.Undone)
	if errors.Is(err, sql.ErrNoRows) {
		return b, BulkGone
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &b.Done)
	}
	if err != nil {
		return b, fmt.Errorf("read an act on several tickets: %w", err)
	}
	return b, nil
}

// undo gives every ticket back what it was, unless somebody changed it meanwhile;
// left says how many stayed.
func (l *Listing) undo(ctx context.Context, v campus.Viewer, b bulkAct) (back, left int, err error) {
	numbers := make([]string, 0, len(b.Done))
	for _, d := range b.Done {
		numbers = append(numbers, d.Number)
	}
	list, err := l.found(ctx, numbers)
	if err != nil {
		return 0, 0, err
	}
	err = l.DB.InTx(ctx, func(tx db.Tx) error {
		back, left = 0, 0
		taken, err := tx.ExecContext(ctx, "UPDATE helpdesk_bulks SET undone_at = $1 WHERE id = $2 AND agent_id = $3 AND undone_at = 0", tx.Now(), b.ID, string(v.Person))
		if err != nil {
			return err
		}
		if n, err := taken.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, BulkGone)
		}
		for _, d := range b.Done {
			if d.Version == 0 {
				continue
			}
			_, err := l.change(ctx, tx, v, list[d.Number].ID, func(w *ticket.Work) error {
				if err := w.Expect(d.Version); err != nil {
					return err
				}
				w.Move(d.Queue)
				w.Assign(d.Who)
				w.Prioritise(d.Urgency)
				return w.Undo(d.State)
			})
			stopped, err := expected(err)
			if err != nil {
				return err
			}
			if stopped == "" {
				back++
			} else {
				left++
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("undo an act on several tickets: %w", err)
	}
	return back, left, nil
}

func (l *Listing) forgetBulks(ctx context.Context) error {
	err := l.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_bulks WHERE acted_at < $1", tx.Now().Add(-bulkLasts))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget acts on several tickets: %w", err)
	}
	return nil
}
