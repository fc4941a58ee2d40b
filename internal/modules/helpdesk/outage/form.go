package outage

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// The bounds of forms, in characters.
const (
	maxTitle = 120
	maxWords = 4000
)

// read decodes what was kept of a form.
func read[T any](text json.RawMessage) (T, error) {
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("read what was begun: %w", err)
	}
	return v, nil
}

// input is a form as it was typed, with what is to mend in it.
type input struct {
	url.Values
	problems web.Problems
}

func (in *input) text(field string) string {
	return strings.TrimSpace(strings.ReplaceAll(in.Get(field), "\r\n", "\n"))
}

func (in *input) wrong(field, key string, pairs ...any) {
	in.problems.Add(field, "helpdesk.outage.problem."+key, pairs...)
}

// words reads a text in both languages; one of them is enough.
func (in *input) words(field string, most int) hours.Named {
	n := hours.Named{French: in.text(field + "_fr"), English: in.text(field + "_en")}
	if n == (hours.Named{}) {
		in.wrong(field+"_fr", field)
	}
	for _, one := range [][2]string{{field + "_fr", n.French}, {field + "_en", n.English}} {
		if utf8.RuneCountInString(one[1]) > most {
			in.wrong(one[0], "long", "limit", most)
		}
	}
	return n
}

// instant reads a date and a time on the clock of the institution; zero for none.
func (in *input) instant(field string, zone *time.Location) time.Time {
	text := in.Get(field)
	if text == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
	if err != nil || at.Year() < 2000 || at.Year() > 2199 {
		in.wrong(field, "time")
		return time.Time{}
	}
	return at
}

func (in *input) version() int64 {
	n, err := strconv.ParseInt(in.Get("version"), 10, 64)
	if err != nil {
		return 0 // no version is ever 0: the page is told that it changed
	}
	return n
}

// facts reads what an incident is into o.
func (x *Outages) facts(in *input, o *Outage) {
	o.Title = in.words("title", maxTitle)
	o.Title.French, o.Title.English = campus.OneLine(o.Title.French), campus.OneLine(o.Title.English)
	o.Impact = Impact(in.Get("impact"))
	if !slices.Contains(Impacts, o.Impact) {
		in.wrong("impact", "impact")
	}
	o.Campuses = in.Values["campuses"]
	for _, code := range o.Campuses {
		if !slices.ContainsFunc(x.Places.Campuses(), func(p place.Place) bool { return p.Code == code }) {
			in.wrong("campuses", "campus")
		}
	}
	const longest, most = 80, 50
	o.Services = nil
	for _, service := range in.Values["services"] {
		if len(service) <= longest && len(o.Services) < most {
			o.Services = append(o.Services, service)
		}
	}
	o.Begins, o.Ends = in.instant("begins", x.Zone), in.instant("ends", x.Zone)
	if o.Kind == Maintenance {
		switch {
		case o.Begins.IsZero() || o.Ends.IsZero():
			in.wrong("begins", "both_times")
		case !o.Ends.After(o.Begins):
			in.wrong("ends", "order")
		}
	}
}

// formOf is a form filled with an incident.
func (x *Outages) formOf(o Outage) url.Values {
	local := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.In(x.Zone).Format("2006-01-02T15:04")
	}
	return url.Values{
		"title_fr": {o.Title.French}, "title_en": {o.Title.English}, "impact": {string(o.Impact)}, "services": o.Services, "campuses": o.Campuses,
		"begins": {local(o.Begins)}, "ends": {local(o.Ends)},
	}
}
