package setup

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// holidaysView is the import of holidays: first the file, then what was found in it.
type holidaysView struct {
	Plan     kept.Item[hours.Plan]
	Text     string
	Problems web.Problems

	Read    bool
	Found   []foundDay
	Skipped []hours.Skipped
	Lines   string // what was found, as it is posted back
}

// foundDay is a day that was found in a file.
type foundDay struct {
	hours.Holiday
	Known bool // closed already
}

// years is how far ahead holidays are read.
const years = 3

func (s *Setup) holidaysPage(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Calendars.Plans.One(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, holidaysTempl(holidaysView{Plan: plan}))
}

// readHolidays shows what an iCalendar file, or its pasted content, would add.
// Nothing is kept.
func (s *Setup) readHolidays(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	plan, err := s.Calendars.Plans.One(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	view := holidaysView{Plan: plan, Text: in.Get("text")}
	var source io.Reader = strings.NewReader(view.Text)
	if r.MultipartForm != nil && len(r.MultipartForm.File["file"]) > 0 {
		file, err := r.MultipartForm.File["file"][0].Open()
		if err != nil {
			return err
		}
		defer file.Close()
		source = file
	} else if strings.TrimSpace(view.Text) == "" {
		in.wrong("file", "file_none")
	}
	if !in.problems.Any() {
		today := hours.DateIn(s.Clock.Now(), s.Zone)
		found, skipped, err := hours.ReadHolidays(source, openings.ZoneOf(plan.Of, s.Zone), hours.Span{First: today, Last: today + years*366})
		switch {
		case errors.Is(err, hours.ErrTooMuch):
			in.wrong("file", "file_much")
		case err != nil:
			in.wrong("file", "file_form")
		case len(found) == 0:
			in.wrong("file", "file_empty")
		}
		calendar := hours.New(plan.Of, openings.ZoneOf(plan.Of, s.Zone))
		for _, h := range found {
			view.Found = append(view.Found, foundDay{h, len(calendar.Day(h.On).Frames) == 0})
		}
		view.Skipped, view.Lines = skipped, linesOf(found)
	}
	view.Problems, view.Read = in.problems, !in.problems.Any()
	status := http.StatusOK
	if in.problems.Any() {
		status = http.StatusUnprocessableEntity
	}
	return web.Render(w, r, status, holidaysTempl(view))
}

// linesOf writes holidays as they are posted back: a day and a name on each line.
func linesOf(list []hours.Holiday) string {
	var b strings.Builder
	for _, h := range list {
		b.WriteString(h.On.String() + " " + campus.OneLine(h.Name.French) + "\n")
	}
	return b.String()
}

// mostHolidays bounds what one calendar keeps.
const mostHolidays = 3000

// keepHolidays adds what was found to a calendar, or puts it in the place of what was
// imported before.
func (s *Setup) keepHolidays(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Calendars.Plans.One(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	var list []hours.Holiday
	if in.Get("mode") != "replace" {
		list = slices.Clone(plan.Of.Holidays)
	}
	for line := range strings.Lines(in.Get("lines")) {
		day, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		d, err := hours.ParseDate(day)
		if err != nil || len(name) > 4*maxName {
			in.wrong("file", "file_form")
			break
		}
		if !slices.ContainsFunc(list, func(h hours.Holiday) bool { return h.On == d }) {
			list = append(list, hours.Holiday{On: d, Name: hours.Named{French: name}})
		}
		if len(list) > mostHolidays {
			in.wrong("file", "file_much")
			break
		}
	}
	if in.problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, holidaysTempl(holidaysView{Plan: plan, Problems: in.problems}))
	}
	slices.SortFunc(list, func(a, b hours.Holiday) int { return int(a.On - b.On) })
	plan.Version, plan.Of.Holidays = in.version(), list
	return s.keptPart(w, r, plan)
}
