package hours

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/teambition/rrule-go"

	"github.com/amphi-campus/amphi/internal/campus"
)

// What is wrong with a calendar file as a whole.
var (
	// ErrNotCalendar: it is not iCalendar (RFC 5545), or is cut off.
	ErrNotCalendar = errors.New("not an iCalendar file")
	// ErrTooMuch: it has more events, or events that repeat in a more costly way, than
	// a calendar of holidays has.
	ErrTooMuch = errors.New("too many events for a calendar of holidays")
)

// The bounds of a file.
const (
	longestFile  = 4 << 20 // bytes
	mostEvents   = 5000
	mostRepeated = 200
	mostHolidays = 3000
	mostTime     = 2 * time.Second // for all that repeats
	longestEvent = 100             // days
	longestName  = 120             // letters

	// What a rule of repetition may say: those of calendars are far below, and beyond
	// it following one can take minutes.
	longestRule  = 500 // bytes
	mostInterval = 1000
	mostExcept   = 2000 // days on which it does not take place
)

// Why an event of a file is no holiday.
const (
	PartOfDay = "part_of_day" // it begins or ends during a day
	Cancelled = "cancelled"
	Unclear   = "unclear" // its dates or its rule cannot be read
	TooLong   = "too_long"
	TooOften  = "too_often" // it repeats every hour or more often
)

// Skipped is an event that is no holiday.
type Skipped struct{ Name, Why string }

// ReadHolidays reads the days that the events of a calendar file cover, between two
// days. Events that repeat by a rule (RFC 5545 §3.8.5.3) are followed. What covers
// only part of a day is left out, and said.
func ReadHolidays(r io.Reader, zone *time.Location, within Span) ([]Holiday, []Skipped, error) {
	text, err := io.ReadAll(io.LimitReader(r, longestFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read a calendar file: %w", err)
	}
	if len(text) > longestFile {
		return nil, nil, ErrTooMuch
	}
	file, err := ics.ParseCalendar(bytes.NewReader(text))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNotCalendar, err)
	}
	zones := &zones{own: zone}
	events := file.Events()
	if len(events) > mostEvents {
		return nil, nil, ErrTooMuch
	}
	days := map[Date]string{}
	var skipped []Skipped
	repeated, began := 0, time.Now()
	for _, e := range events {
		name := nameOf(e)
		if e.GetProperty(ics.ComponentPropertyRrule) != nil {
			if repeated++; repeated > mostRepeated || time.Since(began) > mostTime {
				return nil, nil, ErrTooMuch
			}
		}
		spans, why := spansOf(e, zones, within)
		if why != "" {
			skipped = append(skipped, Skipped{name, why})
			continue
		}
		for _, s := range spans {
			for d := max(s.First, within.First); d <= min(s.Last, within.Last); d++ {
				if days[d] == "" {
					days[d] = name
				}
			}
			if len(days) > mostHolidays {
				return nil, nil, ErrTooMuch
			}
		}
	}
	list := make([]Holiday, 0, len(days))
	for d, name := range days {
		list = append(list, Holiday{On: d, Name: Named{French: name}})
	}
	slices.SortFunc(list, func(a, b Holiday) int { return cmp.Compare(a.On, b.On) })
	return list, skipped, nil
}

func nameOf(e *ics.VEvent) string {
	p := e.GetProperty(ics.ComponentPropertySummary)
	if p == nil {
		return ""
	}
	name := []rune(campus.OneLine(strings.ToValidUTF8(strings.ReplaceAll(ics.FromText(p.Value), "\x00", ""), "")))
	return string(name[:min(len(name), longestName)])
}

// spansOf are the runs of days that an event covers, each time it takes place; why
// is set instead when it is no holiday.
func spansOf(e *ics.VEvent, zones *zones, within Span) (spans []Span, why string) {
	if p := e.GetProperty(ics.ComponentPropertyStatus); p != nil && strings.EqualFold(p.Value, "CANCELLED") {
		return nil, Cancelled
	}
	begin, ok := zones.moment(e.GetProperty(ics.ComponentPropertyDtStart))
	if !ok {
		return nil, Unclear
	}
	first := DateIn(begin, begin.Location())
	end := begin.AddDate(0, 0, 1) // without an end, an event that has a date lasts that day
	if p := e.GetProperty(ics.ComponentPropertyDtEnd); p != nil {
		if end, ok = zones.moment(p); !ok {
			return nil, Unclear
		}
	} else if p := e.GetProperty(ics.ComponentPropertyDuration); p != nil {
		days, found := strings.CutPrefix(p.Value, "P")
		var n int
		if _, err := fmt.Sscanf(days, "%dD", &n); !found || err != nil {
			return nil, PartOfDay
		}
		end = begin.AddDate(0, 0, n)
	}
	if !midnight(begin) || !midnight(end) {
		return nil, PartOfDay
	}
	length := int(DateIn(end, end.Location()) - first)
	if length < 1 {
		return nil, Unclear
	}
	if length > longestEvent {
		return nil, TooLong
	}
	rule := e.GetProperty(ics.ComponentPropertyRrule)
	if rule == nil {
		return []Span{{first, first + Date(length) - 1}}, ""
	}
	firsts, why := occurrences(e, rule.Value, first, zones, Span{within.First - longestEvent, within.Last})
	for _, d := range firsts {
		spans = append(spans, Span{d, d + Date(length) - 1})
	}
	return spans, why
}

// occurrences are the days on which an event that repeats begins.
func occurrences(e *ics.VEvent, rule string, first Date, zones *zones, within Span) ([]Date, string) {
	if len(rule) > longestRule {
		return nil, Unclear
	}
	option, err := rrule.StrToROption(rule)
	if err != nil {
		return nil, Unclear
	}
	if option.Freq > rrule.DAILY || len(option.Byhour)+len(option.Byminute)+len(option.Bysecond) > 0 {
		return nil, TooOften
	}
	if option.Interval < 0 || option.Interval > mostInterval || option.Count < 0 {
		return nil, Unclear
	}
	// Days have no clocks that change: the rule is followed in UTC.
	option.Dtstart = first.Time().Truncate(24 * time.Hour)
	if option.Dtstart.Year() < 1900 {
		return nil, Unclear
	}
	r, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, Unclear
	}
	except, excepted := map[Date]bool{}, 0
	for _, p := range e.Properties {
		if p.IANAToken == string(ics.ComponentPropertyExdate) {
			for text := range strings.SplitSeq(p.Value, ",") {
				if excepted++; excepted > mostExcept {
					return nil, Unclear
				}
				one := p
				one.Value = text
				if at, ok := zones.moment(&one); ok {
					except[DateIn(at, at.Location())] = true
				}
			}
		}
	}
	var found []Date
	for _, at := range r.Between(within.First.Time().Add(-12*time.Hour), within.Last.Time().Add(12*time.Hour), true) {
		if d := DateIn(at, time.UTC); !except[d] {
			found = append(found, d)
		}
	}
	return found, ""
}

// zones are those that a file names, each looked up once.
type zones struct {
	own   *time.Location // of the desk
	named map[string]*time.Location
}

func (z *zones) of(name string) *time.Location {
	if found, ok := z.named[name]; ok {
		return found
	}
	found, err := time.LoadLocation(name)
	if err != nil {
		found = z.own
	}
	if z.named == nil {
		z.named = map[string]*time.Location{}
	}
	z.named[name] = found
	return found
}

// moment reads a date, a time in UTC, or a time in a named zone or the desk's
// own (RFC 5545 §3.3.4 and §3.3.5). A zone that this machine does not know is the
// desk's.
func (z *zones) moment(p *ics.IANAProperty) (time.Time, bool) {
	if p == nil {
		return time.Time{}, false
	}
	zone := z.own
	if named := p.ICalParameters["TZID"]; len(named) > 0 {
		zone = z.of(named[0])
	}
	text := strings.TrimSpace(p.Value)
	var t time.Time
	var err error
	switch {
	case len(text) == len("20060102"):
		t, err = time.ParseInLocation("20060102", text, zone)
	case strings.HasSuffix(text, "Z"):
		t, err = time.Parse("20060102T150405Z", text)
		t = t.In(zone)
	default:
		t, err = time.ParseInLocation("20060102T150405", text, zone)
	}
	return t, err == nil
}

func midnight(t time.Time) bool {
	h, m, s := t.Clock()
	return h == 0 && m == 0 && s == 0
}
