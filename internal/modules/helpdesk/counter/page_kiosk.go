package counter

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// kioskView is the tablet at which people take a number.
type kioskView struct {
	Title, Action string
	Open          bool
	Purposes      []ui.Option
	Wait          Wait
	Taken         string // the number that was just given
	Problems      web.Problems
}

func (x *Reception) kioskPage(w http.ResponseWriter, r *http.Request) error {
	taken := r.URL.Query().Get("taken")
	if _, _, ok := parseShort(taken); !ok {
		taken = ""
	}
	return x.showKiosk(w, r, http.StatusOK, kioskView{Taken: taken})
}

// kioskRests is after how many seconds a kiosk shows its first page again: the next
// person does not read the number of the one before.
const kioskRests = "20"

func (x *Reception) showKiosk(w http.ResponseWriter, r *http.Request, status int, view kioskView) error {
	d, err := x.byKey(r, kioskKey)
	if err != nil {
		return err
	}
	ctx, l, now := r.Context(), i18n.Locale(r.Context()), x.Clock.Now()
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	view.Title, view.Action, view.Open = d.Name.In(l), keyPath(d.Code, kioskKey, r.URL.Query().Get("key")), d.WalkIn && calendar.Open(now)
	for _, p := range d.Purposes {
		view.Purposes = append(view.Purposes, ui.Option{Value: p.ID, Label: p.Name.In(l)})
	}
	list, err := ofDay(ctx, x.DB.Read(), d.Code, hours.DateIn(now, calendar.Zone()))
	if err != nil {
		return err
	}
	waiting := queue(list, now)
	ahead := len(waiting)
	for i, v := range waiting {
		if v.Short() == view.Taken {
			ahead = i
		}
	}
	view.Wait = waitFor(d.Counter, list, ahead, now)
	if view.Taken != "" {
		w.Header().Set("Refresh", kioskRests+"; url="+view.Action)
	}
	r = bare(r)
	return web.Render(w, r, status, kioskTempl(view))
}

// takeNumber gives a number, or notes that somebody came for their appointment.
func (x *Reception) takeNumber(w http.ResponseWriter, r *http.Request) error {
	d, err := x.byKey(r, kioskKey)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if _, ok := x.numbers.Allow(d.Code); !ok {
		return TooFast
	}
	ctx := r.Context()
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	arriving := strings.TrimSpace(values.Get("number"))
	var v Visit
	err = x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if arriving != "" {
			v, err = arrive(r, tx, d, hours.DateIn(tx.Now().Time(), calendar.Zone()), arriving)
			return err
		}
		if !d.WalkIn || calendar.IsAlways() || !calendar.Open(tx.Now().Time()) {
			return NoWalkIn
		}
		v, err = walkIn(ctx, tx, d, calendar, values.Get("purpose"), "", cut(campus.OneLine(values.Get("who"))), i18n.Locale(ctx))
		return err
	})
	if errors.Is(err, Missing) {
		web.Note(r, fault.Of(err))
		return x.showKiosk(w, r, http.StatusUnprocessableEntity, kioskView{Problems: web.Problems{{Field: "number", Key: "helpdesk.counter.problem.appointment"}}})
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, keyPath(d.Code, kioskKey, r.URL.Query().Get("key"))+"&taken="+v.Short())
}

// arrive notes that who has the appointment with a number of today is there.
func arrive(r *http.Request, tx db.Tx, d Desk, day hours.Date, typed string) (Visit, error) {
	series, number, ok := parseShort(typed)
	if !ok || series != byAppointment {
		return Visit{}, Missing
	}
	list, err := ofDay(r.Context(), tx, d.Code, day)
	if err != nil {
		return Visit{}, err
	}
	for _, v := range list {
		if v.Series != series || v.Number != number {
			continue
		}
		if v.State == Waiting {
			return v, nil // pressed twice
		}
		if v.State != Booked {
			return Visit{}, Missing
		}
		return change(r.Context(), tx, v.ID, func(v *Visit) error { return v.become(Waiting, tx.Now().Time(), "") })
	}
	return Visit{}, Missing
}

// parseShort reads a number as people type it: "r 3", "R3".
func parseShort(typed string) (series string, number int, ok bool) {
	typed = strings.ToUpper(strings.ReplaceAll(typed, " ", ""))
	if len(typed) < 2 || len(typed) > 6 {
		return "", 0, false
	}
	series = typed[:1]
	number, err := strconv.Atoi(typed[1:])
	return series, number, err == nil && number > 0 && (series == byNumber || series == byAppointment)
}
