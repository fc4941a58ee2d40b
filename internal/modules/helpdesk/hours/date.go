package hours

import (
	"fmt"
	"time"
)

// Date is a day without a time zone: days since 1 January 1970.
type Date int

// On is the day with this year, month and day; a day beyond the end of the month
// counts on into the next one, as in [time.Date].
func On(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsADay)
}

// DateIn is the day that an instant is on in a time zone.
func DateIn(at time.Time, zone *time.Location) Date {
	y, m, d := at.In(zone).Date()
	return On(y, m, d)
}

// ParseDate reads "2026-11-22".
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("read a date: %w", err)
	}
	return DateIn(t, time.UTC), nil
}

// Time is noon of the day in UTC, for its names in a calendar.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsADay+secondsADay/2, 0).UTC() }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday {
	// 1 January 1970 was a Thursday.
	return time.Weekday(((int(d)+int(time.Thursday))%7 + 7) % 7)
}

// String is "2026-11-22".
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// MarshalText writes [Date.String].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDate] does.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

const secondsADay = 24 * 60 * 60

// instant is when the clocks of a zone first show so many minutes after the
// midnight that begins a day. A time that clocks leave out in spring is the moment
// they are put forward; one that they show twice in autumn is its first passing. It
// never decreases with the day or the minute, so frames that do not overlap on the
// wall do not overlap in time.
func instant(d Date, minute int, zone *time.Location) int64 {
	wall := int64(d)*secondsADay + int64(minute)*60
	// Clocks differ from UTC by 14 hours at most: these two instants lie on either
	// side of the one that we look for.
	earlier := time.Unix(wall-15*60*60, 0).In(zone)
	_, before := earlier.Zone()
	_, after := time.Unix(wall+15*60*60, 0).In(zone).Zone()
	if before == after {
		return wall - int64(before)
	}
	_, change := earlier.ZoneBounds()
	turn := change.Unix()
	if at := wall - int64(before); at < turn {
		return at
	}
	return max(turn, wall-int64(after))
}
