package setup

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// monthView is a month of a calendar, as it is pinned to the door of a desk.
type monthView struct {
	Plan           kept.Item[hours.Plan]
	Title          string
	Blank          int // days of the week before the first of the month
	Days           []hours.Day
	Today          hours.Date
	Earlier, Later string // months, as in addresses
}

// monthPage shows a month; "?month=2026-09" says which.
func (s *Setup) monthPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	plan, err := s.Calendars.Plans.One(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	calendar, err := s.Calendars.ByID(ctx, plan.ID)
	if err != nil {
		return err
	}
	now := s.Clock.Now().In(calendar.Zone())
	month, err := time.Parse("2006-01", r.URL.Query().Get("month"))
	if err != nil || month.Year() < 2000 || month.Year() > 2199 {
		month = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	first := hours.DateIn(month, time.UTC)
	view := monthView{
		Plan: plan, Title: monthName(ctx, month), Blank: (int(first.Weekday()) + 6) % 7, Today: hours.DateIn(now, calendar.Zone()),
		Earlier: month.AddDate(0, -1, 0).Format("2006-01"), Later: month.AddDate(0, 1, 0).Format("2006-01"),
	}
	for d := first; d.Time().Month() == month.Month(); d++ {
		view.Days = append(view.Days, calendar.Day(d))
	}
	return web.Render(w, r, http.StatusOK, monthTempl(view))
}

// monthName is "novembre 2026".
func monthName(ctx context.Context, month time.Time) string {
	return t(ctx, "month.name", "month", t(ctx, "month.m"+month.Format("01")), "year", month.Year())
}

// dayKey names the class of a day: how it stands.
func dayKey(d hours.Day) string {
	if len(d.Frames) == 0 {
		return "shut"
	}
	return string(d.Why)
}

// dayWords is a day as screen readers and narrow screens say it.
func dayWords(ctx context.Context, d hours.Day) string { return i18n.Date(ctx, d.On.Time(), i18n.Day) }
