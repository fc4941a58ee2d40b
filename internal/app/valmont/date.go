package valmont

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Date is a day of the calendar, without hour or time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// UnmarshalText reads "2026-08-31".
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("a day is written like 2026-08-31: %w", err)
	}
	d.Year, d.Month, d.Day = t.Date()
	return nil
}

// String writes the day as "2026-08-31".
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// AsTime returns the first instant of the day in a time zone.
func (d Date) AsTime(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// Offset places something in time relative to the moment when the university is
// opened, so that the demo's news is fresh on any day: "-2d", "-3h", "+4d6h".
type Offset time.Duration

// UnmarshalText reads a sign and then any of days (d), hours (h), minutes (m).
func (o *Offset) UnmarshalText(text []byte) error {
	s := string(text)
	sign := time.Duration(1)
	switch {
	case strings.HasPrefix(s, "-"):
		sign = -1
	case !strings.HasPrefix(s, "+"):
		return fmt.Errorf("an offset starts with + or -, not %q", s)
	}
	rest, total := s[1:], time.Duration(0)
	if days, after, found := strings.Cut(rest, "d"); found {
		n, err := strconv.Atoi(days)
		if err != nil {
			return fmt.Errorf("days of the offset %q: %w", s, err)
		}
		total, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil {
			return fmt.Errorf("offset %q: %w", s, err)
		}
		total += d
	}
	*o = Offset(sign * total)
	return nil
}

// From returns the instant that lies this far from now.
func (o Offset) From(now time.Time) time.Time { return now.Add(time.Duration(o)) }
