package setup

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// weekdays are the days of the week, from Monday.
var weekdays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

// dayField names the field with the hours of a day.
func dayField(d time.Weekday) string { return "day" + strconv.Itoa(int(d)) }

// dayName is what a day of the week is called.
func dayName(ctx context.Context, d time.Weekday) string {
	return t(ctx, "day."+[...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}[d])
}

// input is a posted form, read field by field; what is wrong is noted as it is met.
type input struct {
	url.Values
	problems web.Problems
}

func read(r *http.Request) (*input, error) {
	values, err := web.Form(r)
	return &input{Values: values}, err
}

// line is a text of one line.
func (in *input) line(field string) string { return campus.OneLine(in.Get(field)) }

// wrong notes a problem of a field.
func (in *input) wrong(field, key string, pairs ...any) {
	in.problems.Add(field, "helpdesk.setup.problem."+key, pairs...)
}

// named reads a name in both languages; one of them is enough.
func (in *input) named(field string, required bool) hours.Named {
	n := hours.Named{French: in.line(field + "_fr"), English: in.line(field + "_en")}
	if required && n == (hours.Named{}) {
		in.wrong(field+"_fr", "name")
	}
	if len(n.French) > maxName || len(n.English) > maxName {
		in.wrong(field+"_fr", "name_long", "limit", maxName)
	}
	return n
}

// date reads a day.
func (in *input) date(field string) hours.Date {
	d, err := hours.ParseDate(in.line(field))
	if err != nil || d < hours.On(2000, 1, 1) || d > hours.On(2199, 12, 31) {
		in.wrong(field, "date")
	}
	return d
}

// longestSpan bounds a run of days: a year and a day.
const longestSpan = 366

// span reads a first and a last day; without a last one, the first is it.
func (in *input) span() hours.Span {
	before := len(in.problems)
	s := hours.Span{First: in.date("first")}
	if s.Last = s.First; in.line("last") != "" {
		s.Last = in.date("last")
	}
	if len(in.problems) == before && (s.Last < s.First || s.Last-s.First > longestSpan) {
		in.wrong("last", "span")
	}
	return s
}

// frames reads the hours of a day.
func (in *input) frames(field string) []hours.Frame {
	frames, err := hours.ParseFrames(in.Get(field))
	switch {
	case errors.Is(err, hours.ErrOverlap):
		in.wrong(field, "overlap")
	case err != nil:
		in.wrong(field, "frames")
	}
	return frames
}

// week reads the hours of seven days.
func (in *input) week() (w hours.Week) {
	for _, d := range weekdays {
		w[d] = in.frames(dayField(d))
	}
	return w
}

// weekText is a week as it is typed.
func weekText(w hours.Week) url.Values {
	v := url.Values{}
	for _, d := range weekdays {
		v.Set(dayField(d), hours.FormatFrames(w[d]))
	}
	return v
}

// setNamed puts a name into a form.
func setNamed(v url.Values, field string, n hours.Named) {
	v.Set(field+"_fr", n.French)
	v.Set(field+"_en", n.English)
}

// version reads which version of a setting somebody saw.
func (in *input) version() int64 {
	n, err := strconv.ParseInt(in.Get("version"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// campuses are the options for a campus.
func (s *Setup) campuses(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, p := range s.Places.Campuses() {
		options = append(options, ui.Option{Value: p.Code, Label: p.Name(i18n.Locale(ctx))})
	}
	return options
}

// campus reads the code of a campus; empty is all of them.
func (s *Setup) campus(in *input) string {
	code := in.line("campus")
	if code != "" && !slices.ContainsFunc(s.Places.Campuses(), func(p place.Place) bool { return p.Code == code }) {
		in.wrong("campus", "campus")
	}
	return code
}

// campusName is what a campus is called; what all have in common for none.
func (s *Setup) campusName(ctx context.Context, code string) string {
	if code == "" {
		return t(ctx, "all_campuses")
	}
	return place.NameOf(s.Places.Campuses(), code, i18n.Locale(ctx))
}

// teamName is what a team is called: one of those the house knows, or its code.
func teamName(ctx context.Context, code string) string {
	if p := i18n.Of(ctx); p != nil && p.Has("helpdesk.setup.team."+code) {
		return t(ctx, "team."+code)
	}
	return code
}

// queueName is what a queue is called, with its campus where it has one.
func (s *Setup) queueName(ctx context.Context, q ticket.Queue) string {
	name := q.Name(i18n.Locale(ctx))
	if q.Campus != "" && !strings.Contains(campus.Fold(name), campus.Fold(s.campusName(ctx, q.Campus))) {
		name += " · " + s.campusName(ctx, q.Campus)
	}
	return name
}

// queueOptions are the open queues to choose from.
func (s *Setup) queueOptions(ctx context.Context, queues []ticket.Queue, but string) []ui.Option {
	var options []ui.Option
	for _, q := range queues {
		if q.ClosedAt.IsZero() && q.ID != but {
			options = append(options, ui.Option{Value: q.ID, Label: s.queueName(ctx, q)})
		}
	}
	return options
}

// spanText words a run of days.
func spanText(ctx context.Context, s hours.Span) string {
	first := i18n.Date(ctx, s.First.Time(), i18n.Day)
	if s.First == s.Last {
		return first
	}
	return t(ctx, "from_to", "first", first, "last", i18n.Date(ctx, s.Last.Time(), i18n.Day))
}
