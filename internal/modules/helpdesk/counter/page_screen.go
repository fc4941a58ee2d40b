package counter

import (
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// screenView is the screen above the counter: numbers, and nothing about anybody.
type screenView struct {
	Title  string
	Called []calledView // the latest first
	Next   []string
	Wait   Wait
	Open   bool
}

// calledView is a number with the window at which its person is expected, where the
// counter has several.
type calledView struct{ Number, Window string }

// mostShown is how many numbers a screen shows of each kind.
const mostShown = 4

func (x *Reception) screenPage(w http.ResponseWriter, r *http.Request) error {
	d, err := x.byKey(r, screenKey)
	if err != nil {
		return err
	}
	ctx, now := r.Context(), x.Clock.Now()
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	list, err := ofDay(ctx, x.DB.Read(), d.Code, hours.DateIn(now, calendar.Zone()))
	if err != nil {
		return err
	}
	waiting := queue(list, now)
	view := screenView{Title: d.Name.In(i18n.Locale(ctx)), Open: calendar.Open(now), Wait: waitFor(d.Counter, list, len(waiting), now)}
	var called []Visit
	for _, v := range list {
		if v.State == Called {
			called = append(called, v)
		}
	}
	slices.SortFunc(called, func(a, b Visit) int { return b.Called.Compare(a.Called) })
	for _, v := range called[:min(len(called), mostShown)] {
		view.Called = append(view.Called, calledView{v.Short(), v.Window})
	}
	view.Next = shorts(waiting)
	w.Header().Set("Cache-Control", "private, no-store")
	return web.Render(w, bare(r), http.StatusOK, screenTempl(view))
}

func shorts(list []Visit) []string {
	var numbers []string
	for _, v := range list[:min(len(list), mostShown)] {
		numbers = append(numbers, v.Short())
	}
	return numbers
}
