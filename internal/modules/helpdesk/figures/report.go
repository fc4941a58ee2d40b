package figures

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Scope is what is added up. Empty fields do not narrow.
type Scope struct {
	First, Last hours.Date // both are in it
	Queue       string
	Campus      string
	within      []string // campuses that the viewer may read of; nil for all
}

// days is how long the scope is.
func (s Scope) days() int { return int(s.Last-s.First) + 1 }

// before is the time of the same length before it.
func (s Scope) before() Scope {
	length := s.Last - s.First + 1
	s.First, s.Last = s.First-length, s.First-1
	return s
}

func (s Scope) where(from, until hours.Date) (string, []any) {
	clause, args := " WHERE day >= $1 AND day <= $2", []any{int64(from), int64(until)}
	if s.Queue != "" {
		args = append(args, s.Queue)
		clause += " AND queue_id = $" + strconv.Itoa(len(args))
	}
	if s.Campus != "" {
		args = append(args, s.Campus)
		clause += " AND campus = $" + strconv.Itoa(len(args))
	}
	if s.within != nil {
		clause += " AND campus IN " + db.In(len(s.within), len(args)+1)
		for _, c := range s.within {
			args = append(args, c)
		}
	}
	return clause, args
}

// dayCount is one day of a report.
type dayCount struct {
	Day            hours.Date
	Opened, Solved int
	Backlog        int // at the end of the day
}

// Report is what happened in a scope.
type Report struct {
	Scope    Scope
	All      Tally
	Days     []dayCount
	Queues   map[string]int // opened
	Campuses map[string]int
}

// Backlog is what was open at the end.
func (r Report) Backlog() int {
	if len(r.Days) == 0 {
		return 0
	}
	return r.Days[len(r.Days)-1].Backlog
}

// Report adds the days of a scope up.
func (x *Figures) Report(ctx context.Context, s Scope) (Report, error) {
	r := Report{Scope: s, Queues: map[string]int{}, Campuses: map[string]int{}, Days: make([]dayCount, s.days())}
	for i := range r.Days {
		r.Days[i].Day = s.First + hours.Date(i)
	}
	clause, args := s.where(s.First, s.Last)
	err := db.Each(ctx, x.DB.Read(), "SELECT day, queue_id, campus, tally FROM helpdesk_days"+clause, args, func(rows *sql.Rows) error {
		var day hours.Date
		var queue, campus, text string
		if err := rows.Scan(&day, &queue, &campus, &text); err != nil {
			return err
		}
		var y Tally
		if err := json.Unmarshal([]byte(text), &y); err != nil {
			return fmt.Errorf("read the count of the %s: %w", day, err)
		}
		r.All.Add(y)
		at := &r.Days[day-s.First]
		at.Opened += y.Opened
		at.Solved += y.Solved
		if y.Opened > 0 {
			r.Queues[queue] += y.Opened
			r.Campuses[campus] += y.Opened
		}
		return nil
	})
	if err != nil {
		return Report{}, fmt.Errorf("add days up: %w", err)
	}
	// What is open is what was opened and not solved, since the first ticket.
	clause, args = s.where(0, s.First-1)
	var open int
	if err := x.DB.Read().QueryRowContext(ctx, "SELECT COALESCE(SUM(opened - solved), 0) FROM helpdesk_days"+clause, args...).Scan(&open); err != nil {
		return Report{}, fmt.Errorf("count what was open: %w", err)
	}
	for i := range r.Days {
		open += r.Days[i].Opened - r.Days[i].Solved
		r.Days[i].Backlog = open
	}
	return r, nil
}
