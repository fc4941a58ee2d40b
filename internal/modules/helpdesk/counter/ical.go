package counter

import (
	"fmt"
	"net/http"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Calendars are written with the clocks of the counter and the zone that explains
// them (RFC 5545 §3.6.5): who travels still sees the hour of the counter.

const localTime = "20060102T150405"

// calendarOf begins a calendar with a zone as it is between two times.
func calendarOf(name string, zone *time.Location, from, until time.Time) *ics.Calendar {
	c := ics.NewCalendarFor("Amphi")
	c.SetMethod(ics.MethodPublish)
	c.SetXWRCalName(campus.OneLine(name))
	tz := ics.NewTimezone(zone.String())
	// The rule in force at the beginning, and each one that clocks change to.
	for at := from; ; {
		begins, ends := at.In(zone).ZoneBounds()
		abbreviation, offset := at.In(zone).Zone()
		was := offset
		if !begins.IsZero() {
			_, was = begins.Add(-time.Second).In(zone).Zone()
		} else {
			begins = time.Unix(0, 0)
		}
		part := ics.ComponentBase{}
		part.SetProperty(ics.ComponentPropertyDtStart, begins.In(time.FixedZone("", was)).Format(localTime))
		part.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetfrom), offsetText(was))
		part.SetProperty(ics.ComponentProperty(ics.PropertyTzoffsetto), offsetText(offset))
		part.SetProperty(ics.ComponentProperty(ics.PropertyTzname), abbreviation)
		if at.In(zone).IsDST() {
			tz.Components = append(tz.Components, &ics.Daylight{ComponentBase: part})
		} else {
			tz.Components = append(tz.Components, &ics.Standard{ComponentBase: part})
		}
		if ends.IsZero() || ends.After(until) {
			break
		}
		at = ends
	}
	c.AddVTimezone(tz)
	return c
}

// offsetText writes seconds east of UTC as RFC 5545 §3.3.14 does.
func offsetText(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
}

// addEvent writes an appointment. Its identifier stays when it is moved. Texts are one
// line: the library escapes line feeds, and writes carriage returns as they are.
func addEvent(c *ics.Calendar, v Visit, zone *time.Location, now time.Time, summary, place, words, address string) {
	e := ics.NewEvent(v.ID + "@amphi")
	e.SetDtStampTime(now)
	e.SetSequence(int(v.Version))
	e.SetProperty(ics.ComponentPropertyDtStart, v.Begins.In(zone).Format(localTime), ics.WithTZID(zone.String()))
	e.SetProperty(ics.ComponentPropertyDtEnd, v.Ends.In(zone).Format(localTime), ics.WithTZID(zone.String()))
	e.SetSummary(campus.OneLine(summary))
	e.SetLocation(campus.OneLine(place))
	if words != "" {
		e.SetDescription(campus.OneLine(words))
	}
	if address != "" {
		e.SetURL(address)
	}
	if v.State == Cancelled {
		e.SetStatus(ics.ObjectStatusCancelled)
	} else {
		e.SetStatus(ics.ObjectStatusConfirmed)
	}
	c.AddVEvent(e)
}

// serveCalendar answers with a calendar.
func serveCalendar(w http.ResponseWriter, name string, c *ics.Calendar) error {
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.ics"`)
	w.Header().Set("Cache-Control", "private, no-store")
	if err := c.SerializeTo(w, ics.WithNewLineWindows); err != nil {
		return fmt.Errorf("write a calendar: %w", err)
	}
	return nil
}

// appointmentCalendar is the appointment of a letter as a file for calendars.
func (x *Reception) appointmentCalendar(w http.ResponseWriter, r *http.Request) error {
	v, d, calendar, err := x.own(r)
	if err != nil {
		return err
	}
	ctx, zone := r.Context(), calendar.Zone()
	c := calendarOf(d.Name.In(i18n.Locale(ctx)), zone, v.Begins.AddDate(0, 0, -1), v.Ends.AddDate(0, 0, 1))
	p, _ := d.Purpose(v.Purpose) // one that was removed has no name
	addEvent(c, v, zone, x.Clock.Now(), t(ctx, "calendar_title", "purpose", p.Name.In(i18n.Locale(ctx))), x.where(i18n.Locale(ctx), d), p.Bring.In(i18n.Locale(ctx)), x.Base.JoinPath(x.appointmentPath(v)).String())
	return serveCalendar(w, "appointment", c)
}

// How far the calendar of a counter reaches.
const (
	feedBack  = 7  // days
	feedAhead = 90 // days
)

// feed is the calendar of a counter for who works there. It names nobody: calendar
// programs keep what they read, and show it to others.
func (x *Reception) feed(w http.ResponseWriter, r *http.Request) error {
	d, err := x.byKey(r, feedKey)
	if err != nil {
		return err
	}
	ctx, now := r.Context(), x.Clock.Now()
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	from, until := now.AddDate(0, 0, -feedBack), now.AddDate(0, 0, feedAhead)
	list, err := x.appointments(ctx, d.Code, from, until)
	if err != nil {
		return err
	}
	zone, l := calendar.Zone(), i18n.Locale(ctx)
	c := calendarOf(d.Name.In(l), zone, from, until)
	for _, v := range list {
		p, _ := d.Purpose(v.Purpose) // one that was removed has no name
		addEvent(c, v, zone, now, v.Short()+" · "+p.Name.In(l), x.where(l, d), "", x.Base.JoinPath("/helpdesk/counter", d.Code, "visits", v.ID).String())
	}
	return serveCalendar(w, "counter", c)
}
