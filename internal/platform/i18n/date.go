package i18n

import (
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Style is how much of an instant is said. The standard library and x/text have
// no localised dates, and two languages need only two tables.
type Style int

// The styles of a date.
const (
	Day    Style = iota // dimanche 22 novembre · Sunday 22 November
	Short               // 22 nov. · 22 Nov
	Clock               // 18 h 05 · 18:05
	Moment              // dimanche 22 novembre à 18 h 05 · Sunday 22 November at 18:05
	Ago                 // il y a 3 minutes, hier · 3 minutes ago, yesterday
	Full                // 22 novembre 2026 à 18 h 05 · 22 November 2026 at 18:05
)

// thin is the narrow no-break space of French typography.
const thin = "\u202f"

type calendar struct {
	days, months, short [12]string
	clock               func(h, m int) string
	at                  string
}

var calendars = map[campus.Locale]calendar{
	campus.French: {
		days:   [12]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
		months: [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
		short:  [12]string{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
		clock: func(h, m int) string {
			if m == 0 {
				return fmt.Sprintf("%d%sh", h, thin)
			}
			return fmt.Sprintf("%d%sh%s%02d", h, thin, thin, m)
		},
		at: " à ",
	},
	campus.English: {
		days:   [12]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		short:  [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		clock:  func(h, m int) string { return fmt.Sprintf("%02d:%02d", h, m) },
		at:     " at ",
	},
}

// Zone is the time zone in which this printer says the time.
func (p *Printer) Zone() *time.Location { return p.zone }

// Date words t. The year is said when it is not the current one.
func (p *Printer) Date(t time.Time, style Style) string {
	c := calendars[p.locale]
	t = t.In(p.zone)
	now := p.clock.Now().In(p.zone)
	year := ""
	if t.Year() != now.Year() {
		year = fmt.Sprintf(" %d", t.Year())
	}
	clock := c.clock(t.Hour(), t.Minute())
	switch style {
	case Short:
		return fmt.Sprintf("%s %s%s", p.ordinal(t.Day()), c.short[t.Month()-1], year)
	case Clock:
		return clock
	case Moment:
		return p.Date(t, Day) + c.at + clock
	case Full:
		return fmt.Sprintf("%s %s %d", p.ordinal(t.Day()), c.months[t.Month()-1], t.Year()) + c.at + clock
	case Ago:
		return p.ago(t, now)
	default:
		return fmt.Sprintf("%s %s %s%s", c.days[t.Weekday()], p.ordinal(t.Day()), c.months[t.Month()-1], year)
	}
}

// ordinal is the day of the month: French says "1er" for the first.
func (p *Printer) ordinal(day int) string {
	if day == 1 && p.locale == campus.French {
		return "1er"
	}
	return fmt.Sprint(day)
}

// ago says how far t lies from now while that is easier to grasp than a date.
func (p *Printer) ago(t, now time.Time) string {
	past := now.Sub(t)
	distance := past.Abs()
	if distance > time.Hour { // from afar, minutes say nothing
		distance = distance.Truncate(time.Hour)
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, p.zone)
	switch {
	case distance < time.Minute:
		return p.T("platform.time.now")
	case distance < 12*time.Hour && past > 0:
		return p.T("platform.time.past", "duration", p.Duration(distance))
	case distance < 12*time.Hour:
		return p.T("platform.time.future", "duration", p.Duration(distance))
	case past > 0 && !t.Before(midnight):
		return p.T("platform.time.today")
	case past > 0 && !t.Before(midnight.AddDate(0, 0, -1)):
		return p.T("platform.time.yesterday")
	default:
		return p.Date(t, Day)
	}
}

// Duration words d with its one or two largest units.
func (p *Printer) Duration(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Minute:
		return p.T("platform.time.seconds", "count", max(1, int(d.Round(time.Second)/time.Second)))
	case d < time.Hour:
		return p.T("platform.time.minutes", "count", int(d.Round(time.Minute)/time.Minute))
	case d < 48*time.Hour:
		hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
		if minutes == 0 || hours >= 12 {
			return p.T("platform.time.hours", "count", hours)
		}
		return p.T("platform.time.hours", "count", hours) + " " + p.T("platform.time.minutes", "count", minutes)
	default:
		return p.T("platform.time.days", "count", int(d.Round(24*time.Hour)/(24*time.Hour)))
	}
}
