// Package openings says when the desks are open now: the calendars that were kept,
// with the starts of term that are planned, made once and asked often.
package openings

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// Kind is the kind of setting that calendars are.
const Kind = "calendar"

// Calendars are those of all desks. It is safe for concurrent use.
type Calendars struct {
	Plans *kept.Shelf[hours.Plan]
	Terms *term.Terms
	Zone  *time.Location // of the institution

	mu    sync.Mutex
	made  made
	stamp [2]int64
}

// made is what was made of the plans.
type made struct {
	byID  map[string]*hours.Calendar
	house *hours.Calendar
}

// ByID is the calendar with an identifier. An empty one, and one that was removed,
// is the calendar of the house; without any, the desk never closes.
func (c *Calendars) ByID(ctx context.Context, calendar string) (*hours.Calendar, error) {
	all, err := c.all(ctx)
	if err != nil {
		return nil, err
	}
	if found := all.byID[calendar]; found != nil {
		return found, nil
	}
	return all.house, nil
}

// Of is the calendar of a queue.
func (c *Calendars) Of(ctx context.Context, q ticket.Queue) (*hours.Calendar, error) {
	return c.ByID(ctx, q.Calendar)
}

func (c *Calendars) all(ctx context.Context) (made, error) {
	plans, planned, err := c.Plans.Stamped(ctx)
	if err != nil {
		return made{}, fmt.Errorf("read the calendars: %w", err)
	}
	terms, termed, err := c.Terms.Shelf.Stamped(ctx)
	if err != nil {
		return made{}, fmt.Errorf("read the starts of term: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if stamp := [2]int64{planned, termed}; c.made.house == nil || c.stamp != stamp {
		c.made, c.stamp = c.make(plans, terms), stamp
	}
	return c.made, nil
}

func (c *Calendars) make(plans []kept.Item[hours.Plan], terms []kept.Item[term.Term]) made {
	m := made{byID: make(map[string]*hours.Calendar, len(plans)), house: hours.Always(c.Zone)}
	for _, plan := range plans {
		var periods []hours.Period
		for _, t := range terms {
			if p, ok := t.Of.Period(plan.ID); ok {
				periods = append(periods, p)
			}
		}
		m.byID[plan.ID] = hours.New(plan.Of, ZoneOf(plan.Of, c.Zone), periods...)
		if plan.Of.House {
			m.house = m.byID[plan.ID]
		}
	}
	return m
}

// ZoneOf is the time zone of a plan: its own, or the institution's when it names
// none or one that this machine does not know.
func ZoneOf(p hours.Plan, institution *time.Location) *time.Location {
	if p.Zone == "" {
		return institution
	}
	if zone, err := time.LoadLocation(p.Zone); err == nil {
		return zone
	}
	return institution
}

// Now is how a desk stands at an instant.
type Now struct {
	Name   hours.Named // of the desk's hours
	Campus string      // code; empty for all
	House  bool
	Open   bool
	Until  time.Time // when it closes; zero when it is closed or never closes
	Next   time.Time // when it opens; zero when it is open or does not open
	Today  hours.Day
	Week   []hours.Day // from today on
	Zone   *time.Location
}

// Now says how every desk stands at an instant, the house's first, then in the order
// in which they were made. It is empty before anybody said when a desk is open.
func (c *Calendars) Now(ctx context.Context, at time.Time) ([]Now, error) {
	all, err := c.all(ctx)
	if err != nil {
		return nil, err
	}
	plans, err := c.Plans.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the calendars: %w", err)
	}
	var list []Now
	for _, plan := range plans {
		calendar := all.byID[plan.ID]
		if calendar == nil {
			continue // kept a moment ago
		}
		now := Stands(calendar, at)
		now.Name, now.Campus, now.House = plan.Of.Name, plan.Of.Campus, plan.Of.House
		if now.House {
			list = append([]Now{now}, list...)
		} else {
			list = append(list, now)
		}
	}
	return list, nil
}

// Stands is how a calendar stands at an instant, without its name.
func Stands(c *hours.Calendar, at time.Time) Now {
	today := hours.DateIn(at, c.Zone())
	now := Now{Open: c.Open(at), Today: c.Day(today), Zone: c.Zone()}
	for d := range hours.Date(7) {
		now.Week = append(now.Week, c.Day(today+d))
	}
	if now.Open {
		now.Until, _ = c.Closes(at) // zero: it never closes
	} else {
		now.Next, _ = c.NextOpening(at) // zero: it does not open
	}
	return now
}

// Near puts the desks of somebody's campuses first, and leaves out those of others
// when there are some.
func Near(list []Now, campuses []string) []Now {
	rank := func(n Now) int {
		switch {
		case slices.Contains(campuses, n.Campus) && n.Campus != "":
			return 1
		case n.Campus == "":
			return 2
		}
		return 3
	}
	var near []Now
	for want := 1; want <= 3; want++ {
		for _, n := range list {
			if rank(n) == want {
				near = append(near, n)
			}
		}
		if want == 2 && len(near) > 0 {
			break
		}
	}
	return near
}
