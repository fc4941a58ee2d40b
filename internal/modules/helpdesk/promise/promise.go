// Package promise is what the desk says about time: until when somebody is answered
// and helped, counted in opening hours; warnings before that and escalation after;
// and how long such requests really took in the last weeks.
package promise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Kind is the kind of setting that promised times are.
const Kind = "promise"

// House is the identifier of the promised times that hold for every queue which has
// none of its own.
const House = "house"

// Times are what is promised to a request of one priority, in minutes of opening
// hours; 0 promises nothing.
type Times struct {
	Answer int `json:"answer,omitempty"`
	Solve  int `json:"solve,omitempty"`
}

// Table is what is promised by priority, the most urgent first.
type Table [4]Times

// Of is what is promised to a priority.
func (t Table) Of(p ticket.Priority) Times {
	if p < ticket.Urgent || p > ticket.Low {
		return Times{}
	}
	return t[p-1]
}

// Roll says who holds a right.
type Roll interface {
	HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error)
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Tickets   *ticket.Tickets
	Calendars *openings.Calendars
	Tables    *kept.Shelf[Table]
	Roll      Roll
	Notices   contract.Notices
}

// Promises is the alcove. It is safe for concurrent use.
type Promises struct{ Deps }

var (
	_ ticket.Promiser = (*Promises)(nil)
	_ ticket.Follower = (*Promises)(nil)
)

// New makes the alcove.
func New(d Deps) *Promises { return &Promises{d} }

// times are what is promised to a ticket, and in which calendar it is counted.
func (p *Promises) times(ctx context.Context, queue string, priority ticket.Priority) (Times, *hours.Calendar, error) {
	q, err := p.Tickets.Queue(ctx, queue)
	if err != nil && !errors.Is(err, ticket.QueueGone) { // made in this transaction: the house's hours
		return Times{}, nil, err
	}
	calendar, err := p.Calendars.Of(ctx, q)
	if err != nil {
		return Times{}, nil, err
	}
	tables, err := p.Tables.All(ctx)
	if err != nil {
		return Times{}, nil, fmt.Errorf("read the promised times: %w", err)
	}
	var times Times
	for _, item := range tables { // the queue's own win over the house's
		if item.ID == queue || item.ID == House && times == (Times{}) {
			if own := item.Of.Of(priority); own != (Times{}) {
				times = own
			}
		}
	}
	return times, calendar, nil
}

// Promise implements [ticket.Promiser]. What was promised stays: it moves with the
// priority and the queue, and by what the ticket stood still. Changed opening hours
// move nothing by themselves; see [Promises.Recount].
func (p *Promises) Promise(ctx context.Context, tx db.Tx, before ticket.Ticket, t *ticket.Ticket) error {
	stood := stoodStill(before, *t)
	opened := before.ID == ""
	if !opened && stood.IsZero() && before.Priority == t.Priority && before.Queue == t.Queue {
		return nil
	}
	times, calendar, err := p.times(ctx, t.Queue, t.Priority)
	if err != nil {
		return err
	}
	if !stood.IsZero() {
		t.Paused += calendar.OpenBetween(stood, tx.Now().Time())
	}
	set(t, times, calendar)
	return nil
}

// set counts the promised times of a ticket. What has happened already is no longer
// promised anew, and what was taken over from another program never was.
func set(t *ticket.Ticket, times Times, calendar *hours.Calendar) {
	if t.Channel == ticket.ByImport {
		return
	}
	due := func(minutes int) time.Time {
		if minutes <= 0 {
			return time.Time{}
		}
		at, ok := calendar.AddOpen(t.OpenedAt, time.Duration(minutes)*time.Minute+t.Paused)
		if !ok {
			return time.Time{} // a desk that does not open promises nothing
		}
		return at.Truncate(time.Minute)
	}
	if t.AnsweredAt.IsZero() {
		t.AnswerDue = due(times.Answer)
	}
	if !t.State.Over() {
		t.SolveDue = due(times.Solve)
	}
}

// stoodStill is since when a ticket stood still that goes on now: it waited for the
// person, was put off, or had been solved. Zero when it did not, or still does.
func stoodStill(before, after ticket.Ticket) time.Time {
	switch {
	case before.ID == "" || before.State == after.State:
		return time.Time{}
	case before.State == ticket.Waiting || before.State == ticket.Postponed:
		return before.WaitingSince
	case before.State.Over() && !after.State.Over():
		return before.SolvedAt
	}
	return time.Time{}
}

// bells are the moments at which something has to be said about a ticket, by letter:
// a lower case letter warns, a capital says that it is late.
func bells(t ticket.Ticket, calendar *hours.Calendar) map[byte]time.Time {
	rings := map[byte]time.Time{}
	if !t.State.Running() {
		return rings
	}
	add := func(near, late byte, due time.Time) {
		rings[late] = due
		promised := calendar.OpenBetween(t.OpenedAt, due)
		if warn, ok := calendar.AddOpen(t.OpenedAt, promised-(promised-t.Paused)/4); ok && warn.Before(due) {
			rings[near] = warn
		}
	}
	if t.AnsweredAt.IsZero() && !t.AnswerDue.IsZero() {
		add('a', 'A', t.AnswerDue)
	}
	if !t.SolveDue.IsZero() {
		add('s', 'S', t.SolveDue)
	}
	return rings
}

// letters are those of [bells], in the order in which they ring.
var letters = []byte("aAsS")

// next is when the first bell rings that has not been heard, and what has been said
// and still holds: what was promised anew can be missed anew.
func next(rings map[byte]time.Time, said string, now time.Time) (at time.Time, still string) {
	for _, letter := range letters {
		ring, pending := rings[letter]
		heard := slices.Contains([]byte(said), letter)
		switch {
		case heard && (!pending || !ring.After(now)):
			still += string(letter)
		case pending && (at.IsZero() || ring.Before(at)):
			at = ring
		}
	}
	return at, still
}
