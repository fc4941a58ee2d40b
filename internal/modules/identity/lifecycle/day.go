package lifecycle

import "time"

// An account can be used until the end of a day, in the institution's zone: the
// instant that is stored is the midnight after it.

// endOfDay is the midnight after the day on which an instant lies.
func endOfDay(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// LastDay is a moment on the last day before an end, for people to read. The
// zero time stays zero.
func LastDay(end time.Time) time.Time {
	if end.IsZero() {
		return end
	}
	return end.Add(-time.Second)
}

// daysLeft counts the calendar days from today to the day on which an end falls:
// 1 on the last day. Days of 23 and 25 hours count as one.
func daysLeft(now, end time.Time, zone *time.Location) int {
	return int(date(end, zone).Sub(date(now, zone)) / (24 * time.Hour))
}

func date(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// dayLayout is that of <input type="date">.
const dayLayout = "2006-01-02"

// ParseDay reads a day as a form or the command line has it, and returns the
// instant at which it is over.
func ParseDay(text string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(dayLayout, text, zone)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return time.Time{}, DateForm
	}
	return endOfDay(t, zone), nil
}
