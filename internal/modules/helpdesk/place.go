package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// firstQueue puts every ticket into the first open queue, and makes one when there
// is none: asking works before anybody set the desk up.
type firstQueue struct{ tickets *ticket.Tickets }

func (f firstQueue) Place(ctx context.Context, tx db.Tx, t *ticket.Ticket) error {
	queues, err := f.tickets.Queues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if q.ClosedAt.IsZero() {
			t.Queue = q.ID
			return nil
		}
	}
	made, err := f.tickets.KeepQueue(ctx, tx, ticket.Queue{Team: "general", NameFrench: "Assistance", NameEnglish: "Help desk"})
	t.Queue = made.ID
	return err
}

// noPromise promises no times.
type noPromise struct{}

func (noPromise) Promise(context.Context, db.Tx, ticket.Ticket, *ticket.Ticket) error { return nil }
