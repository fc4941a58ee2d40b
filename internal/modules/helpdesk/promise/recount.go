package promise

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// recountTickets counts the promised times of the requests of some queues anew.
type recountTickets struct {
	Queues []string `json:"queues"`
}

// JobName is the job's name.
func (recountTickets) JobName() string { return "helpdesk.promises.recount" }

// Recount counts the promised times of all requests under way in some queues anew, in
// the background: opening hours or promises changed, and those who decided that want
// it to hold for what was promised already.
func (p *Promises) Recount(ctx context.Context, tx db.Tx, queues []string) error {
	if len(queues) == 0 {
		return nil
	}
	return jobs.Enqueue(ctx, tx, recountTickets{queues})
}

// UnderWay is how many requests of a queue a recount would look at.
func (p *Promises) UnderWay(ctx context.Context, queue string) (int, error) {
	n, err := sqlgen.New(p.DB.Read()).CountUnderWay(ctx, queue)
	if err != nil {
		return 0, fmt.Errorf("count the requests under way: %w", err)
	}
	return int(n), nil
}

// Under lists requests under way in a queue, at most so many.
func (p *Promises) Under(ctx context.Context, queue string, most int) ([]string, error) {
	list, err := sqlgen.New(p.DB.Read()).UnderWayIn(ctx, sqlgen.UnderWayInParams{QueueID: queue, Most: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("list the requests under way: %w", err)
	}
	return list, nil
}

// pageOf is how many tickets are read at once.
const pageOf = 200

func (p *Promises) recount(ctx context.Context, a recountTickets) error {
	q := sqlgen.New(p.DB.Read())
	for _, queue := range a.Queues {
		for _, priority := range ticket.Priorities {
			for _, state := range []ticket.State{ticket.New, ticket.Open, ticket.Waiting, ticket.Postponed} {
				for after := ""; ; {
					list, err := q.UnderWay(ctx, sqlgen.UnderWayParams{QueueID: queue, State: string(state), Priority: int64(priority), After: after, Most: pageOf})
					if err != nil {
						return fmt.Errorf("list the requests under way: %w", err)
					}
					for _, one := range list {
						if err := p.recountOne(ctx, one); err != nil {
							return err
						}
						after = one
					}
					if len(list) < pageOf {
						break
					}
				}
			}
		}
	}
	return nil
}

func (p *Promises) recountOne(ctx context.Context, one string) error {
	return p.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := p.Tickets.Change(ctx, tx, one, ticket.ByHouse, func(w *ticket.Work) error {
			times, calendar, err := p.times(ctx, w.Ticket.Queue, w.Ticket.Priority)
			if err != nil {
				return err
			}
			anew := w.Ticket
			set(&anew, times, calendar)
			if !anew.AnswerDue.Equal(w.Ticket.AnswerDue) || !anew.SolveDue.Equal(w.Ticket.SolveDue) {
				w.Ticket.AnswerDue, w.Ticket.SolveDue = anew.AnswerDue, anew.SolveDue
				w.Happened("promise_moved")
			}
			return nil
		})
		return err
	})
}
