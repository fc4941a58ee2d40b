package counter

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// countersView is the list of counters.
type countersView struct {
	Counters []counterView
	Mine     []mineView
}

// counterView is one counter as people choose it.
type counterView struct {
	Code, Name, Where string
	Purposes          []string
	Now               openings.Now
	Always            bool
	WalkIn            bool
	Wait              Wait
	Next              string // first day with a free time; empty for none
}

// mineView is an appointment of who has signed in.
type mineView struct {
	URL, Title, Where string
	At                time.Time // as the clocks of the counter show it
	Short             string
}

func (x *Reception) countersPage(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	open, err := x.counters.Open(ctx)
	if err != nil {
		return err
	}
	var view countersView
	for _, d := range open {
		one, err := x.standing(ctx, d)
		if err != nil {
			return err
		}
		view.Counters = append(view.Counters, one)
	}
	if v := web.Viewer(r); v.SignedIn() {
		mine, err := visitsOf(sqlgen.New(x.DB.Read()).AppointmentsOf(ctx, sqlgen.AppointmentsOfParams{PersonID: string(v.Person), FromAt: db.At(x.Clock.Now())}))
		if err != nil {
			return err
		}
		for _, one := range mine {
			d, calendar, err := x.deskOf(ctx, one)
			if err != nil || one.State != Booked {
				continue // its counter was removed: the letter said so
			}
			p, _ := d.Purpose(one.Purpose) // one that was removed has no name
			view.Mine = append(view.Mine, mineView{
				URL: "/helpdesk/appointments/" + one.ID, Title: p.Name.In(l), Where: x.where(l, d), At: x.wall(one.Begins, calendar.Zone()), Short: one.Short(),
			})
		}
	}
	return web.Render(w, r, http.StatusOK, countersTempl(view))
}

// standing is how a counter stands now.
func (x *Reception) standing(ctx context.Context, d Desk) (counterView, error) {
	l, now := i18n.Locale(ctx), x.Clock.Now()
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return counterView{}, err
	}
	view := counterView{Code: d.Code, Name: d.Name.In(l), Where: x.around(l, d), Now: openings.Stands(calendar, now), Always: calendar.IsAlways(), WalkIn: d.WalkIn}
	for _, p := range d.Purposes {
		view.Purposes = append(view.Purposes, p.Name.In(l))
	}
	if view.WalkIn && view.Now.Open {
		list, err := ofDay(ctx, x.DB.Read(), d.Code, hours.DateIn(now, calendar.Zone()))
		if err != nil {
			return counterView{}, err
		}
		view.Wait = waitFor(d.Counter, list, len(queue(list, now)), now)
	}
	days, err := x.nextFree(ctx, d, calendar, 0, 1)
	if err != nil {
		return counterView{}, err
	}
	if len(days) > 0 {
		view.Next = i18n.Date(ctx, days[0].Time(), i18n.Day)
	}
	return view, nil
}

// waitText words a wait.
func waitText(ctx context.Context, w Wait) string {
	switch {
	case w.Ahead == 0:
		return t(ctx, "wait.none")
	case w.About == 0:
		return t(ctx, "wait.ahead", "count", w.Ahead)
	}
	return t(ctx, "wait.about", "count", w.Ahead, "time", w.About)
}
