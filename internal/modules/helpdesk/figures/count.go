package figures

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var _ ticket.Follower = (*Figures)(nil)

// TicketChanged implements [ticket.Follower]: the days on which something happened
// that is no more as it was counted are counted anew.
func (x *Figures) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	if !h.Opened() && counted(h.Before) == counted(h.After) {
		return nil
	}
	return x.Mark(ctx, tx, h.Before, h.After)
}

// facts are what is counted of a ticket.
type facts struct {
	queue, campus, service, reason  string
	area                            ticket.Area
	opened, answered, solved, rated int64
	answerDue, solveDue             int64
	paused, spent                   time.Duration
	reopened                        int
	rating                          ticket.Rating
}

func counted(t ticket.Ticket) facts {
	return facts{
		t.Queue, t.Campus, t.Service, t.Reason, t.Area, micro(t.OpenedAt), micro(t.AnsweredAt), micro(t.SolvedAt), micro(t.RatedAt), micro(t.AnswerDue), micro(t.SolveDue),
		t.Paused, t.Spent, t.Reopened, t.Rating,
	}
}

func micro(at time.Time) int64 { return int64(db.At(at)) }

// Mark has the days of tickets counted anew.
func (x *Figures) Mark(ctx context.Context, tx db.Tx, tickets ...ticket.Ticket) error {
	var days []hours.Date
	for _, t := range tickets {
		for _, at := range []time.Time{t.OpenedAt, t.AnsweredAt, t.SolvedAt, t.RatedAt} {
			if !at.IsZero() {
				days = append(days, hours.DateIn(at, x.Zone))
			}
		}
	}
	return mark(ctx, tx, days)
}

func mark(ctx context.Context, tx db.Tx, days []hours.Date) error {
	slices.Sort(days) // so that two transactions never wait for each other
	for _, day := range slices.Compact(days) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_day_marks (day, changes, counted) VALUES ($1, 1, 0) ON CONFLICT (day) DO UPDATE SET changes = helpdesk_day_marks.changes + 1", int64(day)); err != nil {
			return fmt.Errorf("mark a day: %w", err)
		}
	}
	return nil
}

// MarkAll has every day since the first ticket counted anew: after tickets were
// written past the house, or when opening hours of the past were mended.
func (x *Figures) MarkAll(ctx context.Context) error {
	var first db.Time
	if err := x.DB.Read().QueryRowContext(ctx, "SELECT MIN(opened_at) FROM helpdesk_tickets").Scan(&first); err != nil {
		return fmt.Errorf("look for the first ticket: %w", err)
	}
	if first.IsZero() {
		return nil
	}
	var days []hours.Date
	for day, last := hours.DateIn(first.Time(), x.Zone), hours.DateIn(x.Clock.Now(), x.Zone); day <= last; day++ {
		days = append(days, day)
	}
	for part := range slices.Chunk(days, 500) {
		if err := x.DB.InTx(ctx, func(tx db.Tx) error { return mark(ctx, tx, slices.Clone(part)) }); err != nil {
			return err
		}
	}
	return nil
}

// pending is a day that is to be counted, and up to which change.
type pending struct {
	day     hours.Date
	changes int64
}

// Refresh counts the days that changed. It may run at any time, and twice.
func (x *Figures) Refresh(ctx context.Context) error {
	var marked int
	if err := x.DB.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM helpdesk_day_marks").Scan(&marked); err != nil {
		return fmt.Errorf("look for days to count: %w", err)
	}
	if marked == 0 { // tickets from before there were figures
		if err := x.MarkAll(ctx); err != nil {
			return err
		}
	}
	var list []pending
	err := db.Each(ctx, x.DB.Read(), "SELECT day, changes FROM helpdesk_day_marks WHERE counted < changes ORDER BY day DESC", nil, func(rows *sql.Rows) error {
		var p pending
		err := rows.Scan(&p.day, &p.changes)
		list = append(list, p)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for days to count: %w", err)
	}
	queues, err := x.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	calendars := map[string]*hours.Calendar{}
	for _, q := range queues {
		if calendars[q.ID], err = x.Calendars.Of(ctx, q); err != nil {
			return err
		}
	}
	for _, p := range list {
		if err := x.refreshDay(ctx, p, calendars); err != nil {
			return err
		}
	}
	return nil
}

// place is where something happened.
type place struct{ queue, campus string }

func (x *Figures) refreshDay(ctx context.Context, p pending, calendars map[string]*hours.Calendar) error {
	tallies, err := x.countDay(ctx, p.day, calendars)
	if err != nil {
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		// Who counted a later change already is not overwritten.
		result, err := tx.ExecContext(ctx, "UPDATE helpdesk_day_marks SET counted = $1 WHERE day = $2 AND counted < $1", p.changes, int64(p.day))
		if err != nil {
			return fmt.Errorf("keep the count of a day: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_days WHERE day = $1", int64(p.day)); err != nil {
			return fmt.Errorf("keep the count of a day: %w", err)
		}
		for where, y := range tallies {
			text, err := json.Marshal(y)
			if err != nil {
				return fmt.Errorf("keep the count of a day: %w", err)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_days (day, queue_id, campus, opened, solved, tally) VALUES ($1, $2, $3, $4, $5, $6)", int64(p.day), where.queue, where.campus, y.Opened, y.Solved, string(text)); err != nil {
				return fmt.Errorf("keep the count of a day: %w", err)
			}
		}
		return nil
	})
}

const countedColumns = "queue_id, campus, area, service, reason, channel, opened_at, answered_at, solved_at, rated_at, answer_due_at, solve_due_at, paused, spent, reopened, rating"

// countDay counts one day by where it happened.
func (x *Figures) countDay(ctx context.Context, day hours.Date, calendars map[string]*hours.Calendar) (map[place]*Tally, error) {
	tallies := map[place]*Tally{}
	from, until := db.At(midnight(day, x.Zone)), db.At(midnight(day+1, x.Zone))
	for column, add := range map[string]func(*Tally, ticket.Ticket, *hours.Calendar){
		"opened_at":   func(y *Tally, t ticket.Ticket, _ *hours.Calendar) { y.open(t, x.Zone) },
		"answered_at": (*Tally).answer,
		"solved_at":   (*Tally).solve,
		"rated_at":    func(y *Tally, t ticket.Ticket, _ *hours.Calendar) { y.Ratings[min(max(0, t.Rating), 3)]++ },
	} {
		query := "SELECT " + countedColumns + " FROM helpdesk_tickets WHERE " + column + " >= $1 AND " + column + " < $2 AND " + column + " > 0"
		err := db.Each(ctx, x.DB.Read(), query, []any{from, until}, func(rows *sql.Rows) error {
			t, err := scan(rows)
			if err != nil {
				return err
			}
			calendar := calendars[t.Queue]
			if calendar == nil {
				return errors.New("a ticket lies in a queue that is not there")
			}
			where := place{t.Queue, t.Campus}
			if tallies[where] == nil {
				tallies[where] = &Tally{}
			}
			add(tallies[where], t, calendar)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count the %s: %w", day, err)
		}
	}
	return tallies, nil
}

func scan(rows *sql.Rows) (t ticket.Ticket, err error) {
	var opened, answered, solved, rated, answerDue, solveDue db.Time
	var paused, spent int64
	err = rows.Scan(&t.Queue, &t.Campus, &t.Area, &t.Service, &t.Reason, &t.Channel, &opened, &answered, &solved, &rated, &answerDue, &solveDue, &paused, &spent, &t.Reopened, &t.Rating)
	t.OpenedAt, t.AnsweredAt, t.SolvedAt, t.RatedAt, t.AnswerDue, t.SolveDue = opened.Time(), answered.Time(), solved.Time(), rated.Time(), answerDue.Time(), solveDue.Time()
	t.Paused, t.Spent = time.Duration(paused)*time.Microsecond, time.Duration(spent)*time.Microsecond
	return t, err
}

// midnight is when a day begins in a zone.
func midnight(day hours.Date, zone *time.Location) time.Time {
	y, m, d := day.Time().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}
