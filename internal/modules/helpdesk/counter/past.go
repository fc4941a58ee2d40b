package counter

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// past is a visit as figures count it: nothing says who came, who helped them, or
// which request it was about.
type past struct {
	Day      hours.Date
	Kind     string // the series
	Purpose  string
	State    State
	Waited   time.Duration
	Served   time.Duration
	Helped   bool // how long they waited is known
	Finished bool // and how long it took
}

// period is what somebody asks for: days, and one counter or all of theirs.
type period struct {
	First, Last hours.Date
	Code        string
}

// longestPeriod is how many days a file may cover.
const longestPeriod = 1100

// mine are the counters whose visits somebody may count: those at which they may
// work, closed ones too.
func (x *Reception) mine(ctx context.Context, v campus.Viewer) ([]Desk, error) {
	items, err := x.Counters.All(ctx)
	if err != nil {
		return nil, err
	}
	var list []Desk
	for _, item := range items {
		if item.Of.MayServe(v) {
			list = append(list, Desk{item.ID, item.Of})
		}
	}
	return list, nil
}

// pastOf hears of every visit of a counter in a period, in the order of their times.
func (x *Reception) pastOf(ctx context.Context, d Desk, p period, each func(past) error) error {
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	from, until := midnight(p.First, calendar.Zone()), midnight(p.Last+1, calendar.Zone())
	err = db.Each(ctx, x.DB.Read(),
		"SELECT series, purpose, state, begins_at, arrived_at, called_at, served_at, done_at FROM helpdesk_visits WHERE counter_id = $1 AND begins_at >= $2 AND begins_at < $3 ORDER BY begins_at, number",
		[]any{d.Code, db.At(from), db.At(until)}, func(rows *sql.Rows) error {
			var one past
			var begins, arrived, called, served, done db.Time
			if err := rows.Scan(&one.Kind, &one.Purpose, &one.State, &begins, &arrived, &called, &served, &done); err != nil {
				return err
			}
			one.Day = hours.DateIn(begins.Time(), calendar.Zone())
			one.measure(Visit{State: one.State, Series: one.Kind, Begins: begins.Time(), Arrived: arrived.Time(), Called: called.Time(), Served: served.Time(), Ended: done.Time()})
			return each(one)
		})
	if err != nil {
		return fmt.Errorf("count visits: %w", err)
	}
	return nil
}

// measure says how long somebody waited and was helped. Who came early for an
// appointment waited from its time on only.
func (p *past) measure(v Visit) {
	begun := cmpTime(v.Served, v.Called)
	if begun.IsZero() || v.State != Serving && v.State != Done {
		return
	}
	since := v.Arrived
	if since.IsZero() || v.ByAppointment() && v.Begins.After(since) {
		since = v.Begins
	}
	p.Helped, p.Waited = true, max(0, begun.Sub(since))
	if v.State == Done {
		p.Finished, p.Served = true, max(0, v.Ended.Sub(begun))
	}
}

// total is a counter over a period.
type total struct {
	Appointments, Numbers, Absent int
	waits, lengths                []time.Duration
}

func (t *total) add(p past) {
	switch {
	case p.State == Cancelled:
		return
	case p.Kind == byAppointment:
		t.Appointments++
	default:
		t.Numbers++
	}
	if p.State == Absent {
		t.Absent++
	}
	if p.Helped {
		t.waits = append(t.waits, p.Waited)
	}
	if p.Finished {
		t.lengths = append(t.lengths, p.Served)
	}
}

// middle is the median of some lengths of time; false for none.
func middle(list []time.Duration) (time.Duration, bool) {
	if len(list) == 0 {
		return 0, false
	}
	slices.Sort(list)
	return list[len(list)/2], true
}
