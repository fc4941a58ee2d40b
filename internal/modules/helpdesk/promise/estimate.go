package promise

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// What estimates are made from.
const (
	lookBack    = 8 * 7 * 24 * time.Hour
	mostPast    = 50_000 // tickets, the newest first
	enoughCases = 10     // fewer say nothing
	lateShare   = 80     // per cent of the cases that are done by then
)

// How a past request is like another one of its queue and priority.
const (
	sameReason = "reason"
	sameArea   = "area"
	sameQueue  = ""
)

// group is what requests that are like one another have in common.
type group struct {
	queue    string
	priority int64
	likeness string
	liked    string
}

// lengths are how long the requests of a group took, in opening hours.
type lengths struct{ answer, solve []time.Duration }

// Estimate counts anew how long requests took in the last weeks.
func (p *Promises) Estimate(ctx context.Context) error {
	now := p.Clock.Now()
	rows, err := sqlgen.New(p.DB.Read()).Past(ctx, sqlgen.PastParams{SinceAt: db.At(now.Add(-lookBack)), Most: mostPast})
	if err != nil {
		return fmt.Errorf("read how long requests took: %w", err)
	}
	queues, err := p.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	calendars := make(map[string]*hours.Calendar, len(queues))
	for _, q := range queues {
		if calendars[q.ID], err = p.Calendars.Of(ctx, q); err != nil {
			return err
		}
	}
	groups := map[group]*lengths{}
	for _, row := range rows {
		calendar := calendars[row.QueueID]
		if calendar == nil {
			continue // a queue that was made a moment ago
		}
		for _, g := range likes(row.QueueID, ticket.Priority(row.Priority), row.Reason, ticket.Area(row.Area)) {
			l := groups[g]
			if l == nil {
				l = &lengths{}
				groups[g] = l
			}
			if !row.AnsweredAt.IsZero() {
				l.answer = append(l.answer, calendar.OpenBetween(row.OpenedAt.Time(), row.AnsweredAt.Time()))
			}
			if !row.SolvedAt.IsZero() {
				took := calendar.OpenBetween(row.OpenedAt.Time(), row.SolvedAt.Time()) - time.Duration(row.Paused)*time.Microsecond
				l.solve = append(l.solve, max(took, 0))
			}
		}
	}
	return p.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.ForgetEstimates(ctx); err != nil {
			return fmt.Errorf("keep estimates: %w", err)
		}
		for g, l := range groups {
			if len(l.answer) < enoughCases && len(l.solve) < enoughCases {
				continue
			}
			answer, answerLate := middleAndLate(l.answer)
			solve, solveLate := middleAndLate(l.solve)
			if err := q.InsertEstimate(ctx, sqlgen.InsertEstimateParams{
				QueueID: g.queue, Priority: g.priority, Likeness: g.likeness, Liked: g.liked,
				AnswerCases: int64(len(l.answer)), AnswerMedian: answer.Microseconds(), AnswerLate: answerLate.Microseconds(),
				SolveCases: int64(len(l.solve)), SolveMedian: solve.Microseconds(), SolveLate: solveLate.Microseconds(), CountedAt: tx.Now(),
			}); err != nil {
				return fmt.Errorf("keep an estimate: %w", err)
			}
		}
		return nil
	})
}

// likes are the groups of a ticket, the most alike first.
func likes(queue string, priority ticket.Priority, reason string, area ticket.Area) []group {
	g := group{queue: queue, priority: int64(priority)}
	list := make([]group, 0, 3)
	if reason != "" {
		list = append(list, group{g.queue, g.priority, sameReason, reason})
	}
	return append(list, group{g.queue, g.priority, sameArea, string(area)}, g)
}

// middleAndLate are the median of durations and the one that [lateShare] of them do
// not exceed.
func middleAndLate(list []time.Duration) (middle, late time.Duration) {
	if len(list) == 0 {
		return 0, 0
	}
	slices.Sort(list)
	rank := func(share int) time.Duration { return list[max(0, (len(list)*share+99)/100-1)] }
	return rank(50), rank(lateShare)
}

// Estimate is when something may be expected, from what such requests really took.
type Estimate struct {
	Usual time.Time // half of them were done by then
	Late  time.Time // four in five
	Cases int       // how many there were; 0 when there are not enough to say anything
	// Overdue says that it takes longer than four in five took.
	Overdue bool
}

// Outlook is what can honestly be said about when somebody is helped.
type Outlook struct {
	AnswerDue, SolveDue time.Time // promised; zero when nothing is
	// Still says why the promised times stand still: waiting, postponed; or that it is
	// over. Empty while they run.
	Still  ticket.State
	Answer Estimate // of the first answer; without cases once there is one
	Solve  Estimate
	// Ahead is how many requests of the queue come first; -1 when that says nothing any
	// more, because somebody has answered.
	Ahead int
	Desk  struct {
		Open        bool
		Until, Next time.Time
	}
	Zone *time.Location // of the desk
}

// Outlook says when the person behind a ticket may expect an answer and a solution.
// It costs two queries that indexes answer.
func (p *Promises) Outlook(ctx context.Context, t ticket.Ticket) (Outlook, error) {
	now := p.Clock.Now()
	queue, err := p.Tickets.Queue(ctx, t.Queue)
	if err != nil {
		return Outlook{}, err
	}
	calendar, err := p.Calendars.Of(ctx, queue)
	if err != nil {
		return Outlook{}, err
	}
	o := Outlook{AnswerDue: t.AnswerDue, SolveDue: t.SolveDue, Ahead: -1, Zone: calendar.Zone()}
	o.Desk.Open = calendar.Open(now)
	if o.Desk.Open {
		o.Desk.Until, _ = calendar.Closes(now) // zero: it never closes
	} else {
		o.Desk.Next, _ = calendar.NextOpening(now) // zero: it does not open
	}
	if !t.State.Running() {
		o.Still = t.State
		return o, nil
	}
	q := sqlgen.New(p.DB.Read())
	rows, err := q.Estimates(ctx, sqlgen.EstimatesParams{QueueID: t.Queue, Priority: int64(t.Priority)})
	if err != nil {
		return Outlook{}, fmt.Errorf("read estimates: %w", err)
	}
	for _, g := range likes(t.Queue, t.Priority, t.Reason, t.Area) {
		i := slices.IndexFunc(rows, func(row sqlgen.HelpdeskEstimate) bool { return row.Likeness == g.likeness && row.Liked == g.liked })
		if i < 0 {
			continue
		}
		row := rows[i]
		if o.Answer.Cases == 0 && t.AnsweredAt.IsZero() {
			o.Answer = estimate(t, calendar, now, row.AnswerCases, row.AnswerMedian, row.AnswerLate)
		}
		if o.Solve.Cases == 0 {
			o.Solve = estimate(t, calendar, now, row.SolveCases, row.SolveMedian, row.SolveLate)
		}
	}
	if t.AnsweredAt.IsZero() {
		o.Ahead = 0
		for _, state := range []ticket.State{ticket.New, ticket.Open} {
			n, err := q.Ahead(ctx, sqlgen.AheadParams{QueueID: t.Queue, State: string(state), Priority: int64(t.Priority), OpenedAt: db.At(t.OpenedAt)})
			if err != nil {
				return Outlook{}, fmt.Errorf("count the requests that come first: %w", err)
			}
			o.Ahead += int(n)
		}
	}
	return o, nil
}

// estimate says when something of a ticket may be expected from how long it took
// elsewhere, in microseconds of opening hours.
func estimate(t ticket.Ticket, calendar *hours.Calendar, now time.Time, cases, median, late int64) Estimate {
	if cases < enoughCases {
		return Estimate{}
	}
	at := func(length int64) time.Time {
		when, ok := calendar.AddOpen(t.OpenedAt, time.Duration(length)*time.Microsecond+t.Paused)
		if !ok || when.Before(now) {
			return time.Time{} // that would be in the past
		}
		return when
	}
	e := Estimate{Usual: at(median), Late: at(late), Cases: int(cases)}
	e.Overdue = e.Late.IsZero()
	return e
}
