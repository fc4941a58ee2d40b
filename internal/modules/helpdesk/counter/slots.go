package counter

import (
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
)

// Slot is a time at which somebody may come.
type Slot struct {
	Begins, Ends time.Time
	Free         int // places
}

// busy is an appointment that takes a place.
type busy struct{ from, until time.Time }

// slotsOf are the times of a day at which an appointment can begin: within opening
// hours, one after another from each opening, not before the lead time is over and
// with a place left. Opening hours that clocks leave out have no time in them, and
// an hour that they show twice has two of it.
func slotsOf(c Counter, calendar *hours.Calendar, day hours.Date, now time.Time, taken []busy) []Slot {
	if calendar.IsAlways() || c.Minutes <= 0 {
		return nil // nobody said when it is open
	}
	earliest := now.Add(time.Duration(c.Lead) * time.Hour)
	var list []Slot
	for _, opening := range openingsOf(calendar, day) {
		for at := opening.from; !at.Add(c.Length()).After(opening.until); at = at.Add(c.Length()) {
			s := Slot{Begins: at, Ends: at.Add(c.Length()), Free: c.AtOnce}
			for _, b := range taken {
				if b.from.Before(s.Ends) && b.until.After(s.Begins) {
					s.Free--
				}
			}
			if s.Free > 0 && !at.Before(earliest) && at.After(now) {
				list = append(list, s)
			}
		}
	}
	return list
}

// openingsOf are the stretches of a day during which a calendar is open.
func openingsOf(c *hours.Calendar, day hours.Date) []busy {
	begin, end := midnight(day, c.Zone()), midnight(day+1, c.Zone())
	var list []busy
	for at := begin; at.Before(end); {
		open, ok := c.NextOpening(at)
		if !ok || !open.Before(end) {
			break
		}
		until, ok := c.Closes(open)
		if !ok || until.After(end) {
			until = end
		}
		list = append(list, busy{open, until})
		at = until
	}
	return list
}

// midnight is when a day begins where the counter is.
func midnight(d hours.Date, zone *time.Location) time.Time {
	y, m, day := d.Time().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, zone)
}

// lastDay is the last day for which appointments can be taken.
func lastDay(c Counter, today hours.Date) hours.Date { return today + hours.Date(c.Horizon) }
