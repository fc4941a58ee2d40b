package setup

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// calendarsView lists the opening hours of all desks.
type calendarsView struct{ Rows [][]ui.Cell }

func (s *Setup) calendarsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	plans, err := s.Calendars.Plans.All(ctx)
	if err != nil {
		return err
	}
	var view calendarsView
	for _, plan := range plans {
		calendar, err := s.Calendars.ByID(ctx, plan.ID)
		if err != nil {
			return err
		}
		users, _, err := s.users(ctx, plan)
		if err != nil {
			return err
		}
		view.Rows = append(view.Rows, []ui.Cell{
			ui.LinkCell(plan.Of.Name.In(i18n.Locale(ctx)), "/helpdesk/setup/calendars/"+plan.ID), ui.TextCell(s.campusName(ctx, plan.Of.Campus)),
			ui.BodyCell(openings.State(openings.Stands(calendar, s.Clock.Now()))), ui.TextCell(strings.Join(users, ", ")),
		})
	}
	return web.Render(w, r, http.StatusOK, calendarsTempl(view))
}

// users are the names of the queues that follow a calendar, and how many requests
// are under way in them.
func (s *Setup) users(ctx context.Context, plan kept.Item[hours.Plan]) (names []string, underWay int, err error) {
	queues, err := s.queuesOf(ctx, plan)
	if err != nil {
		return nil, 0, err
	}
	for _, q := range queues {
		names = append(names, s.queueName(ctx, q))
		n, err := s.Promises.UnderWay(ctx, q.ID)
		if err != nil {
			return nil, 0, err
		}
		underWay += n
	}
	return names, underWay, nil
}

// queuesOf are the open queues that follow a calendar: those that name it, and of the
// house's, those that name none.
func (s *Setup) queuesOf(ctx context.Context, plan kept.Item[hours.Plan]) ([]ticket.Queue, error) {
	all, err := s.Tickets.Queues(ctx)
	if err != nil {
		return nil, err
	}
	plans, err := s.Calendars.Plans.All(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, p := range plans {
		known[p.ID] = true
	}
	var queues []ticket.Queue
	for _, q := range all {
		if q.ClosedAt.IsZero() && (q.Calendar == plan.ID || plan.Of.House && !known[q.Calendar]) {
			queues = append(queues, q)
		}
	}
	return queues, nil
}

// calendarView is the page of one calendar.
type calendarView struct {
	ID, Guide string // Guide is set on the way through the first setup
	Plan      kept.Item[hours.Plan]
	Form      url.Values
	Problems  web.Problems
	Campuses  []ui.Option
	Users     []string
	UnderWay  int
	Week      []hours.Day
	Now       openings.Now
	Today     hours.Date
}

// fresh is the week that a new calendar begins with.
func fresh() hours.Plan {
	p := hours.Plan{Public: hours.France}
	for _, d := range weekdays[:5] {
		p.Week[d] = []hours.Frame{{From: 9 * 60, To: 12*60 + 30}, {From: 13*60 + 30, To: 17 * 60}}
	}
	return p
}

// newID stands in addresses for what is not there yet.
const newID = "new"

// plan reads the calendar of an address; a new one is not kept yet.
func (s *Setup) plan(r *http.Request) (kept.Item[hours.Plan], error) {
	if r.PathValue("id") == newID {
		return kept.Item[hours.Plan]{Of: fresh()}, nil
	}
	return s.Calendars.Plans.One(r.Context(), r.PathValue("id"))
}

func (s *Setup) calendarPage(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.plan(r)
	if err != nil {
		return err
	}
	form := weekText(plan.Of.Week)
	setNamed(form, "name", plan.Of.Name)
	form.Set("campus", plan.Of.Campus)
	form.Set("zone", plan.Of.Zone)
	form.Set("public", string(plan.Of.Public))
	if plan.Of.House {
		form.Set("house", "on")
	}
	return s.showCalendar(w, r, http.StatusOK, plan, form, nil)
}

func (s *Setup) showCalendar(w http.ResponseWriter, r *http.Request, status int, plan kept.Item[hours.Plan], form url.Values, problems web.Problems) error {
	ctx, now := r.Context(), s.Clock.Now()
	view := calendarView{ID: r.PathValue("id"), Plan: plan, Form: form, Problems: problems, Campuses: s.campuses(ctx), Guide: r.URL.Query().Get("guide"), Today: hours.DateIn(now, s.Zone)}
	if plan.ID != "" {
		var err error
		if view.Users, view.UnderWay, err = s.users(ctx, plan); err != nil {
			return err
		}
		calendar, err := s.Calendars.ByID(ctx, plan.ID)
		if err != nil {
			return err
		}
		view.Now = openings.Stands(calendar, now)
		monday := view.Today
		for monday.Weekday() != time.Monday {
			monday--
		}
		for d := range hours.Date(7) {
			view.Week = append(view.Week, calendar.Day(monday+d))
		}
	}
	return web.Render(w, r, status, calendarTempl(view))
}

func (s *Setup) keepCalendar(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.plan(r)
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	plan.Of.Name, plan.Of.Campus, plan.Of.Week = in.named("name", true), s.campus(in), in.week()
	plan.Of.House, plan.Of.Public, plan.Of.Zone = in.Get("house") != "", hours.Public(in.Get("public")), in.line("zone")
	if _, err := time.LoadLocation(plan.Of.Zone); err != nil || plan.Of.Zone == "Local" {
		in.wrong("zone", "zone")
	}
	if _, known := publicNames[plan.Of.Public]; !known {
		in.wrong("public", "choose")
	}
	plan.Version = in.version()
	if in.problems.Any() {
		return s.showCalendar(w, r, http.StatusUnprocessableEntity, plan, in.Values, in.problems)
	}
	if plan, err = s.keepPlan(r, plan, in.Get("recount") != ""); err != nil {
		return err
	}
	if r.URL.Query().Get("guide") != "" {
		return web.SeeOther(w, r, "/helpdesk/setup/begin/"+plan.ID+"/people")
	}
	web.Flash(w, r, "helpdesk.setup.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/calendars/"+plan.ID)
}

// publicNames are the keys of the sets of holidays that are computed.
var publicNames = map[hours.Public]string{hours.NoHolidays: "public_none", hours.France: "public_france", hours.Alsace: "public_alsace"}

// keepPlan writes a calendar. The house has one at most: another one that was it no
// longer is. Recount counts what was promised already anew.
func (s *Setup) keepPlan(r *http.Request, plan kept.Item[hours.Plan], recount bool) (kept.Item[hours.Plan], error) {
	ctx, by := r.Context(), web.Viewer(r).Person
	plans, err := s.Calendars.Plans.All(ctx)
	if err != nil {
		return plan, err
	}
	if len(plans) == 0 {
		plan.Of.House = true // the first one is everybody's until somebody says otherwise
	}
	var ids []string
	if recount {
		queues, err := s.queuesOf(ctx, plan)
		if err != nil {
			return plan, err
		}
		for _, q := range queues {
			ids = append(ids, q.ID)
		}
	}
	var written kept.Item[hours.Plan]
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		for _, other := range plans {
			if plan.Of.House && other.Of.House && other.ID != plan.ID {
				other.Of.House = false
				if _, err := s.Calendars.Plans.Keep(ctx, tx, by, other); err != nil {
					return err
				}
			}
		}
		if written, err = s.Calendars.Plans.Keep(ctx, tx, by, plan); err != nil {
			return err
		}
		return s.Promises.Recount(ctx, tx, ids)
	})
	return written, err
}

// addException adds days on which other hours hold, or none.
func (s *Setup) addException(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.plan(r)
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	e := hours.Exception{Span: in.span(), Name: in.named("why", true), Frames: in.frames("frames")}
	if len(plan.Of.Exceptions) >= mostParts {
		in.wrong("first", "too_many", "limit", mostParts)
	}
	plan.Version = in.version()
	if in.problems.Any() {
		form := weekText(plan.Of.Week)
		for field, values := range in.Values {
			form[field] = values
		}
		setNamed(form, "name", plan.Of.Name)
		return s.showCalendar(w, r, http.StatusUnprocessableEntity, plan, form, in.problems)
	}
	plan.Of.Exceptions = append(plan.Of.Exceptions[:len(plan.Of.Exceptions):len(plan.Of.Exceptions)], e)
	return s.keptPart(w, r, plan)
}

// mostParts bounds the periods and the exceptions of a calendar.
const mostParts = 200

// keptPart writes a calendar of which a part changed, and leads back to it.
func (s *Setup) keptPart(w http.ResponseWriter, r *http.Request, plan kept.Item[hours.Plan]) error {
	if _, err := s.keepPlan(r, plan, false); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/calendars/"+plan.ID)
}

// dropPart takes a period, an exception or all imported holidays out of a calendar.
func (s *Setup) dropPart(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.plan(r)
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	plan.Version = in.version()
	at, err := strconv.Atoi(in.Get("at"))
	if err != nil {
		at = -1
	}
	switch part := in.Get("part"); {
	case part == "period" && at >= 0 && at < len(plan.Of.Periods):
		plan.Of.Periods = without(plan.Of.Periods, at)
	case part == "exception" && at >= 0 && at < len(plan.Of.Exceptions):
		plan.Of.Exceptions = without(plan.Of.Exceptions, at)
	case part == "holidays":
		plan.Of.Holidays = nil
	default:
		return kept.Changed // what was to be dropped is gone
	}
	return s.keptPart(w, r, plan)
}

// without is a list without one of its items.
func without[T any](list []T, at int) []T {
	return append(append(make([]T, 0, len(list)), list[:at]...), list[at+1:]...)
}

// periodView is the form of a period with hours of its own.
type periodView struct {
	Plan     kept.Item[hours.Plan]
	Form     url.Values
	Problems web.Problems
}

func (s *Setup) periodPage(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Calendars.Plans.One(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, periodTempl(periodView{plan, weekText(plan.Of.Week), nil}))
}

func (s *Setup) addPeriod(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Calendars.Plans.One(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	p := hours.Period{Name: in.named("name", true), Span: in.span(), Week: in.week()}
	if len(plan.Of.Periods) >= mostParts {
		in.wrong("first", "too_many", "limit", mostParts)
	}
	if in.problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, periodTempl(periodView{plan, in.Values, in.problems}))
	}
	plan.Version = in.version()
	plan.Of.Periods = append(plan.Of.Periods[:len(plan.Of.Periods):len(plan.Of.Periods)], p)
	return s.keptPart(w, r, plan)
}

func (s *Setup) removeCalendarPage(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Calendars.Plans.One(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	users, underWay, err := s.users(r.Context(), plan)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, removeCalendarTempl(plan, users, underWay))
}

func (s *Setup) removeCalendar(w http.ResponseWriter, r *http.Request) error {
	if err := s.DB.InTx(r.Context(), func(tx db.Tx) error {
		return s.Calendars.Plans.Remove(r.Context(), tx, web.Viewer(r).Person, r.PathValue("id"))
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.removed")
	return web.SeeOther(w, r, "/helpdesk/setup/calendars")
}
