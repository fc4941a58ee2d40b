// Package hours is the arithmetic of opening hours: when a desk is open, when it
// opens next, and how much opening time lies between two instants. It does no input
// or output.
//
// A desk has a regular week, and periods (the start of term, the summer) with a week
// of their own. Holidays close it, and exceptions say for some days which hours hold
// instead, none included. What is nearer to the day wins: exception, holiday, period,
// week.
package hours

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Frame is a time of day during which a desk is open: from one minute after
// midnight until another one, which is not in it. 24:00 is 1440.
type Frame struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Week holds the frames of each day, by [time.Weekday]: Sunday first.
type Week [7][]Frame

// Named is a name in both languages.
type Named struct {
	French  string `json:"fr,omitempty"`
	English string `json:"en,omitempty"`
}

// In is the name in a language, or in the other one.
func (n Named) In(l campus.Locale) string {
	if l == campus.English {
		return cmp.Or(n.English, n.French)
	}
	return cmp.Or(n.French, n.English)
}

// Span is a run of days, the last one included.
type Span struct {
	First Date `json:"first"`
	Last  Date `json:"last"`
}

// Has reports whether a day is in the span.
func (s Span) Has(d Date) bool { return s.First <= d && d <= s.Last }

// Period is a run of days with a week of its own, planned ahead.
type Period struct {
	Span
	Name Named `json:"name"`
	Week Week  `json:"week"`
}

// Exception is what holds on some days instead of anything else.
type Exception struct {
	Span
	Name   Named   `json:"name"`
	Frames []Frame `json:"frames,omitempty"` // none: closed
}

// Holiday is a day on which the desk is closed.
type Holiday struct {
	On   Date  `json:"on"`
	Name Named `json:"name"`
}

// Plan is what somebody who runs a desk says about its hours.
type Plan struct {
	Name       Named       `json:"name"`
	Campus     string      `json:"campus,omitempty"` // code; empty for all
	Zone       string      `json:"zone,omitempty"`   // IANA name; empty for the institution's
	House      bool        `json:"house,omitempty"`  // of every queue that names no other
	Week       Week        `json:"week"`
	Periods    []Period    `json:"periods,omitempty"`
	Exceptions []Exception `json:"exceptions,omitempty"`
	Public     Public      `json:"public,omitempty"`   // public holidays that are computed
	Holidays   []Holiday   `json:"holidays,omitempty"` // the others
}

// Calendar answers questions about one plan. It is safe for concurrent use.
type Calendar struct {
	plan     Plan
	zone     *time.Location
	holidays map[Date]Named
	always   bool

	// days remembers the days that were asked for: the arithmetic goes through the
	// same few weeks again and again.
	mu   sync.RWMutex
	days map[Date][]stretch
}

// stretch is a frame of one day in seconds since 1970.
type stretch struct{ from, to int64 }

// New makes the calendar of a plan in a time zone. Terms add periods that are
// planned elsewhere.
func New(p Plan, zone *time.Location, terms ...Period) *Calendar {
	p.Periods = append(slices.Clone(p.Periods), terms...)
	c := &Calendar{plan: p, zone: zone, holidays: make(map[Date]Named, len(p.Holidays)), days: map[Date][]stretch{}}
	for _, h := range p.Holidays {
		c.holidays[h.On] = h.Name
	}
	return c
}

// Always is a calendar that never closes: that of a desk which said nothing.
func Always(zone *time.Location) *Calendar {
	c := New(Plan{}, zone)
	c.always = true
	return c
}

// Zone is the time zone of the desk.
func (c *Calendar) Zone() *time.Location { return c.zone }

// IsAlways reports whether nobody said when the desk is open.
func (c *Calendar) IsAlways() bool { return c.always }

// Why says which part of a plan decides about a day.
type Why string

// The parts of a plan.
const (
	ByWeek      Why = "week"
	ByPeriod    Why = "period"
	ByHoliday   Why = "holiday"
	ByException Why = "exception"
)

// Day is what holds on one day.
type Day struct {
	On     Date
	Frames []Frame // in order; none: closed
	Why    Why
	Name   Named // of the period, the holiday or the exception
}

// Day is what holds on a day. Of two periods or exceptions that cover it, the one
// that begins later holds, as the more particular one; of two that begin together,
// the one that was added last.
func (c *Calendar) Day(d Date) Day {
	if c.always {
		return Day{On: d, Frames: []Frame{{0, wholeDay}}, Why: ByWeek}
	}
	day := Day{On: d, Frames: c.plan.Week[d.Weekday()], Why: ByWeek}
	since := Date(0)
	for _, p := range c.plan.Periods {
		if p.Has(d) && (day.Why == ByWeek || p.First >= since) {
			day.Frames, day.Why, day.Name, since = p.Week[d.Weekday()], ByPeriod, p.Name, p.First
		}
	}
	if name, is := c.holiday(d); is {
		day.Frames, day.Why, day.Name = nil, ByHoliday, name
	}
	for _, e := range c.plan.Exceptions {
		if e.Has(d) && (day.Why != ByException || e.First >= since) {
			day.Frames, day.Why, day.Name, since = e.Frames, ByException, e.Name, e.First
		}
	}
	return day
}

func (c *Calendar) holiday(d Date) (Named, bool) {
	if name, is := c.holidays[d]; is {
		return name, true
	}
	return c.plan.Public.On(d)
}

// wholeDay is a day in minutes.
const wholeDay = 24 * 60

// remembered bounds how many days a calendar remembers: ten years.
const remembered = 3700

// of are the stretches of a day.
func (c *Calendar) of(d Date) []stretch {
	c.mu.RLock()
	known, ok := c.days[d]
	c.mu.RUnlock()
	if ok {
		return known
	}
	list := []stretch{}
	for _, f := range Tidy(c.Day(d).Frames) {
		s := stretch{instant(d, f.From, c.zone), instant(d, f.To, c.zone)}
		if s.from < s.to { // a frame that clocks leave out has no time in it
			list = append(list, s)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.days) >= remembered {
		clear(c.days)
	}
	c.days[d] = list
	return list
}

// Tidy puts the frames of a day in order, joins those that touch or overlap, and
// leaves out what has no length or is not within a day.
func Tidy(frames []Frame) []Frame {
	sorted := slices.SortedFunc(slices.Values(frames), func(a, b Frame) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	var tidy []Frame
	for _, f := range sorted {
		f.From, f.To = max(f.From, 0), min(f.To, wholeDay)
		if f.From >= f.To {
			continue
		}
		if n := len(tidy); n > 0 && f.From <= tidy[n-1].To {
			tidy[n-1].To = max(tidy[n-1].To, f.To)
			continue
		}
		tidy = append(tidy, f)
	}
	return tidy
}

// horizon is how many days ahead an opening is looked for: a desk that is closed for
// two years is closed.
const horizon = 2 * 366

// Open reports whether the desk is open at an instant.
func (c *Calendar) Open(at time.Time) bool {
	_, open := c.closes(at)
	return open
}

// Closes is when the desk, open at an instant, closes next; ok is false when it is
// closed, and when it never closes.
func (c *Calendar) Closes(at time.Time) (end time.Time, ok bool) {
	sec, open := c.closes(at)
	if !open {
		return time.Time{}, false
	}
	// A desk that is open around midnight goes on in the frame of the next day.
	for d := DateIn(time.Unix(sec, 0), c.zone); ; d++ {
		next := c.of(d)
		i := slices.IndexFunc(next, func(s stretch) bool { return s.from == sec })
		if i < 0 {
			return time.Unix(sec, 0).UTC(), true
		}
		sec = next[i].to
		if sec-at.Unix() > horizon*secondsADay {
			return time.Time{}, false
		}
	}
}

func (c *Calendar) closes(at time.Time) (int64, bool) {
	for _, s := range c.of(DateIn(at, c.zone)) {
		if s.from <= at.Unix() && at.Unix() < s.to {
			return s.to, true
		}
	}
	return 0, false
}

// NextOpening is the instant itself when the desk is open, and otherwise when it
// opens next; ok is false when it does not within two years.
func (c *Calendar) NextOpening(at time.Time) (open time.Time, ok bool) {
	first := DateIn(at, c.zone)
	for d := first; d <= first+horizon; d++ {
		for _, s := range c.of(d) {
			if s.to > at.Unix() {
				if s.from <= at.Unix() {
					return at.UTC(), true
				}
				return time.Unix(s.from, 0).UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// AddOpen is the instant at which so much opening time has passed since another
// one: the earliest t for which OpenBetween(from, t) is d. Ok is false when there
// is not that much within two years of closed days in a row. A duration of zero or
// less gives from back.
func (c *Calendar) AddOpen(from time.Time, d time.Duration) (t time.Time, ok bool) {
	if d <= 0 {
		return from.UTC(), true
	}
	day := DateIn(from, c.zone)
	for last := day + horizon; day <= last; day++ {
		for _, s := range c.of(day) {
			begin := time.Unix(s.from, 0)
			if begin.Before(from) {
				begin = from
			}
			here := time.Unix(s.to, 0).Sub(begin)
			if here <= 0 {
				continue
			}
			if d <= here {
				return begin.Add(d).UTC(), true
			}
			d -= here
			last = day + horizon
		}
	}
	return time.Time{}, false
}

// OpenBetween is the opening time from one instant until another one; zero when the
// second is not later.
func (c *Calendar) OpenBetween(from, until time.Time) time.Duration {
	if !from.Before(until) {
		return 0
	}
	var sum time.Duration
	for d, last := DateIn(from, c.zone), DateIn(until, c.zone); d <= last; d++ {
		for _, s := range c.of(d) {
			begin, end := time.Unix(s.from, 0), time.Unix(s.to, 0)
			if begin.Before(from) {
				begin = from
			}
			if end.After(until) {
				end = until
			}
			if begin.Before(end) {
				sum += end.Sub(begin)
			}
		}
	}
	return sum
}
