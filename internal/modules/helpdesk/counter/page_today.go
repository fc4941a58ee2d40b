package counter

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// served are the counters at which somebody may work.
func (x *Reception) served(r *http.Request) ([]Desk, error) {
	open, err := x.counters.Open(r.Context())
	if err != nil {
		return nil, err
	}
	v := web.Viewer(r)
	return slices.DeleteFunc(open, func(d Desk) bool { return !d.MayServe(v) }), nil
}

// serving is the counter of an address, when who asks works there; to others there
// is none.
func (x *Reception) serving(r *http.Request) (Desk, *hours.Calendar, error) {
	d, err := x.counters.One(r.Context(), r.PathValue("code"))
	if err != nil {
		return Desk{}, nil, err
	}
	if !d.MayServe(web.Viewer(r)) {
		return Desk{}, nil, Missing
	}
	calendar, err := x.Calendars.ByID(r.Context(), d.Calendar)
	return d, calendar, err
}

// deskPage leads to the only counter there is, or lists them.
func (x *Reception) deskPage(w http.ResponseWriter, r *http.Request) error {
	mine, err := x.served(r)
	if err != nil {
		return err
	}
	if len(mine) == 1 {
		return web.SeeOther(w, r, "/helpdesk/counter/"+mine[0].Code)
	}
	var list []ui.RowProps
	for _, d := range mine {
		list = append(list, ui.RowProps{Icon: "building", Title: d.Name.In(i18n.Locale(r.Context())), Detail: x.around(i18n.Locale(r.Context()), d), URL: "/helpdesk/counter/" + d.Code})
	}
	return web.Render(w, r, http.StatusOK, deskTempl(list))
}

// todayView is a counter as who works there sees it.
type todayView struct {
	Desk
	Where                           string
	Now                             openings.Now
	Mine, Waiting, Coming, Finished []rowView
	Wait                            Wait
	Options                         []ui.Option
	Windows                         []ui.Option
	Window                          string // from where this agent calls
	Problems                        web.Problems
	Stranded                        []ui.RowProps // appointments to come that fall into a closure
}

// rowView is a visit in a list.
type rowView struct {
	Visit
	URL, Name, Purpose string
	At                 time.Time // as the clocks of the counter show it
	Acts               []State
}

// acts are what an agent does next with a visit, the main one first.
func acts(s State) []State {
	switch s {
	case Booked:
		return []State{Waiting, Absent}
	case Waiting:
		return []State{Called, Absent}
	case Called:
		return []State{Serving, Called, Absent}
	case Serving:
		return []State{Done}
	case Absent:
		return []State{Waiting}
	case Done, Cancelled:
	}
	return nil
}

func (x *Reception) todayPage(w http.ResponseWriter, r *http.Request) error {
	return x.showToday(w, r, http.StatusOK, nil)
}

func (x *Reception) showToday(w http.ResponseWriter, r *http.Request, status int, problems web.Problems) error {
	d, calendar, err := x.serving(r)
	if err != nil {
		return err
	}
	ctx, l, now := r.Context(), i18n.Locale(r.Context()), x.Clock.Now()
	list, err := ofDay(ctx, x.DB.Read(), d.Code, hours.DateIn(now, calendar.Zone()))
	if err != nil {
		return err
	}
	row := func(v Visit) rowView {
		p, _ := d.Purpose(v.Purpose) // one that was removed has no name
		return rowView{Visit: v, URL: "/helpdesk/counter/" + d.Code + "/visits/" + v.ID, Name: nameOf(ctx, v), Purpose: p.Name.In(l), At: x.wall(v.Begins, calendar.Zone()), Acts: acts(v.State)}
	}
	waiting := queue(list, now)
	view := todayView{
		Desk: d, Where: x.around(l, d), Now: openings.Stands(calendar, now), Wait: waitFor(d.Counter, list, len(waiting), now),
		Windows: d.windowOptions(), Window: d.usualWindow(list, web.Viewer(r).Person), Problems: problems,
	}
	for _, v := range waiting {
		view.Waiting = append(view.Waiting, row(v))
	}
	for _, v := range list {
		switch v.State {
		case Called, Serving:
			view.Mine = append(view.Mine, row(v))
		case Booked:
			view.Coming = append(view.Coming, row(v))
		case Done, Absent, Cancelled:
			view.Finished = append(view.Finished, row(v))
		case Waiting:
		}
	}
	for _, p := range d.Purposes {
		view.Options = append(view.Options, ui.Option{Value: p.ID, Label: p.Name.In(l)})
	}
	if view.Stranded, err = x.strandedRows(ctx, d, calendar); err != nil {
		return err
	}
	return web.Render(w, r, status, todayTempl(view))
}

// strandedRows say whose appointments fall into a closure, and who of them was told.
func (x *Reception) strandedRows(ctx context.Context, d Desk, calendar *hours.Calendar) ([]ui.RowProps, error) {
	list, err := x.stranded(ctx, d, calendar)
	if err != nil {
		return nil, err
	}
	told, err := x.toldOf(ctx, list)
	if err != nil {
		return nil, err
	}
	rows := make([]ui.RowProps, len(list))
	for i, v := range list {
		detail := t(ctx, "stranded_soon")
		if when, ok := told[v.ID]; ok {
			detail = t(ctx, "stranded_told", "when", i18n.Date(ctx, when, i18n.Moment))
		} else if v.Mail == "" {
			detail = t(ctx, "stranded_mute")
		}
		rows[i] = ui.RowProps{
			Icon: "warning", URL: "/helpdesk/counter/" + d.Code + "/visits/" + v.ID, Detail: detail,
			Title: t(ctx, "stranded_who", "name", nameOf(ctx, v), "at", i18n.Date(ctx, x.wall(v.Begins, calendar.Zone()), i18n.Moment)),
		}
	}
	return rows, nil
}

// nameOf is how agents read who a visit is of.
func nameOf(ctx context.Context, v Visit) string {
	switch {
	case v.Name != "":
		return v.Name
	case v.Student != "":
		return v.Student
	}
	return t(ctx, "nobody")
}

// next calls who comes next. Two agents who press at once call two people.
func (x *Reception) next(w http.ResponseWriter, r *http.Request) error {
	d, calendar, err := x.serving(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, who := r.Context(), web.Viewer(r).Person
	var called Visit
	said := false
	if err := x.DB.InTx(ctx, func(tx db.Tx) error {
		called = Visit{}
		now := tx.Now().Time()
		list, err := ofDay(ctx, tx, d.Code, hours.DateIn(now, calendar.Zone()))
		if err != nil {
			return err
		}
		var window string
		if window, said = d.windowFor(values.Get("window"), list, who); !said {
			return nil
		}
		for _, v := range queue(list, now) {
			got, err := change(ctx, tx, v.ID, func(v *Visit) error {
				if v.State != Waiting {
					return WrongState
				}
				v.Window = window
				return v.become(Called, now, who)
			})
			if errors.Is(err, WrongState) {
				continue // a colleague was quicker
			}
			called = got
			return err
		}
		return nil
	}); err != nil {
		return err
	}
	if !said {
		return x.showToday(w, r, http.StatusUnprocessableEntity, needsWindow())
	}
	if called.ID == "" {
		web.Flash(w, r, "helpdesk.counter.nobody_waits")
		return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code)
	}
	return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code+"/visits/"+called.ID)
}

// numberFor gives a number to somebody who stands at the counter.
func (x *Reception) numberFor(w http.ResponseWriter, r *http.Request) error {
	d, calendar, err := x.serving(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	var v Visit
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) (err error) {
		v, err = walkIn(r.Context(), tx, d, calendar, values.Get("purpose"), cut(campus.OneLine(values.Get("name"))), "", i18n.Locale(r.Context()))
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.number_given", "number", v.Short())
	return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code)
}

// walkIn gives the next number of the day.
func walkIn(ctx context.Context, tx db.Tx, d Desk, calendar *hours.Calendar, purpose, name, student string, l campus.Locale) (Visit, error) {
	if _, ok := d.Purpose(purpose); !ok {
		purpose = ""
	}
	now := tx.Now().Time()
	return insert(ctx, tx, Visit{
		ID: newID(), Counter: d.Code, Series: byNumber, Day: hours.DateIn(now, calendar.Zone()).String(), Purpose: purpose, State: Waiting, Begins: now, Arrived: now,
		Name: name, Student: student, Locale: l,
	})
}

// cut bounds a name to what is kept of it.
func cut(text string) string {
	letters := []rune(text)
	return string(letters[:min(len(letters), maxName)])
}
