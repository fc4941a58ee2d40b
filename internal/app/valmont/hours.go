package valmont

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Hours are the opening hours of a place, one line per group of days.
type Hours []Opening

// Opening says that a place is open on some days from one time to another.
type Opening struct {
	Days Days
	From ClockTime
	To   ClockTime
}

// Open reports whether the place is open at t, which carries its time zone.
func (h Hours) Open(t time.Time) bool {
	now := ClockTime(t.Hour()*60 + t.Minute())
	return slices.ContainsFunc(h, func(o Opening) bool {
		return slices.Contains(o.Days, t.Weekday()) && o.From <= now && now < o.To
	})
}

// Lines writes the hours as people read them, one line per group of days:
// "du lundi au vendredi, de 7 h 30 à 20 h", "Monday to Friday, 07:30 to 20:00".
func (h Hours) Lines(l campus.Locale) []string {
	lines := make([]string, 0, len(h))
	for _, o := range h {
		form := "%s, de %s à %s"
		if l == campus.English {
			form = "%s, %s to %s"
		}
		lines = append(lines, fmt.Sprintf(form, o.Days.In(l), o.From.In(l), o.To.In(l)))
	}
	return lines
}

// ClockTime is a time of day in minutes after midnight.
type ClockTime int

// UnmarshalText reads "07:30"; "24:00" is the end of the day.
func (c *ClockTime) UnmarshalText(text []byte) error {
	var hour, minute int
	if _, err := fmt.Sscanf(string(text), "%d:%d", &hour, &minute); err != nil {
		return fmt.Errorf("a time of day is written like 07:30: %w", err)
	}
	if hour < 0 || minute < 0 || minute > 59 || hour*60+minute > 24*60 {
		return fmt.Errorf("there is no time of day %q", text)
	}
	*c = ClockTime(hour*60 + minute)
	return nil
}

// String writes the time as "07:30".
func (c ClockTime) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// In writes the time as people read it: "7 h 30" and "7 h" in French, with
// narrow no-break spaces, "07:30" in English.
func (c ClockTime) In(l campus.Locale) string {
	if l == campus.English {
		return c.String()
	}
	if c%60 == 0 {
		return fmt.Sprintf("%d\u202fh", int(c)/60)
	}
	return fmt.Sprintf("%d\u202fh\u202f%02d", int(c)/60, int(c)%60)
}

// Days are days of the week in their order.
type Days []time.Weekday

var dayCodes = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var dayNames = map[campus.Locale][]string{
	campus.French:  {"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
	campus.English: {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
}

// UnmarshalText reads "mon", "mon-fri" or "tue,thu".
func (d *Days) UnmarshalText(text []byte) error {
	*d = nil
	for part := range strings.SplitSeq(string(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := slices.Index(dayCodes, first), slices.Index(dayCodes, last)
		if from < 0 || to < from {
			return fmt.Errorf("days are written like mon-fri or tue,thu, not %q", text)
		}
		for day := from; day <= to; day++ {
			*d = append(*d, time.Weekday(day))
		}
	}
	return nil
}

// In names the days as people say them: "du lundi au vendredi", "le samedi",
// "mardi et jeudi".
func (d Days) In(l campus.Locale) string {
	names := dayNames[l]
	to, and, from, on := " au ", " et ", "du ", "le "
	if l == campus.English {
		to, and, from, on = " to ", " and ", "", ""
	}
	first, last := d[0], d[len(d)-1]
	switch {
	case len(d) == 1:
		return on + names[first]
	case len(d) > 2 && int(last-first) == len(d)-1:
		return from + names[first] + to + names[last]
	}
	words := make([]string, len(d))
	for i, day := range d {
		words[i] = on + names[day]
	}
	return strings.Join(words[:len(words)-1], ", ") + and + words[len(words)-1]
}
