package counter

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/following"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// letterLasts is how long the link of a letter works after the appointment.
const letterLasts = 14 * 24 * time.Hour

// own is the appointment of an address: that of who has signed in by its
// identifier, or the one of a letter by its signature. To everybody else there is
// none.
func (x *Reception) own(r *http.Request) (Visit, Desk, *hours.Calendar, error) {
	key, now := r.PathValue("key"), x.Clock.Now()
	visitID, err := x.Keys.Verify(keyPurpose, key)
	byLetter := err == nil
	if !byLetter {
		visitID = key
	}
	v, err := visit(r.Context(), x.DB.Read(), visitID)
	if err != nil {
		return Visit{}, Desk{}, nil, err
	}
	viewer := web.Viewer(r)
	mine := viewer.SignedIn() && v.Person == viewer.Person
	if !v.ByAppointment() || !mine && (!byLetter || now.Sub(v.Ends) > letterLasts) {
		return Visit{}, Desk{}, nil, Missing
	}
	d, calendar, err := x.deskOf(r.Context(), v)
	return v, d, calendar, err
}

// appointmentView is one appointment, as its person reads it.
type appointmentView struct {
	Visit
	Path, Purpose, Where, Bring string
	Identity                    bool
	At                          time.Time // as the clocks of the counter show it
	Elsewhere                   time.Time
	Zone                        *time.Location
	Open                        bool // it can be moved and cancelled
	Number, TicketURL           string
	There                       bool // its person is at the counter: the page follows the call
	Wait                        Wait
}

func (x *Reception) appointmentPage(w http.ResponseWriter, r *http.Request) error {
	v, d, calendar, err := x.own(r)
	if err != nil {
		return err
	}
	ctx, l := r.Context(), i18n.Locale(r.Context())
	p, _ := d.Purpose(v.Purpose) // one that was removed has no name
	view := appointmentView{
		Visit: v, Path: "/helpdesk/appointments/" + r.PathValue("key"), Purpose: p.Name.In(l), Where: x.where(l, d), Bring: p.Bring.In(l), Identity: p.Identity,
		At: x.wall(v.Begins, calendar.Zone()), Elsewhere: v.Begins, Zone: calendar.Zone(), Open: v.State == Booked && v.Begins.After(x.Clock.Now()),
	}
	if now := x.Clock.Now(); (v.State == Waiting || v.State == Called) && v.Day == hours.DateIn(now, calendar.Zone()).String() {
		list, err := ofDay(ctx, x.DB.Read(), d.Code, hours.DateIn(now, calendar.Zone()))
		if err != nil {
			return err
		}
		waiting := queue(list, now)
		ahead := max(0, slices.IndexFunc(waiting, func(other Visit) bool { return other.ID == v.ID }))
		view.There, view.Wait = true, waitFor(d.Counter, list, ahead, now)
		w.Header().Set("Cache-Control", "private, no-store")
	}
	if viewer := web.Viewer(r); viewer.SignedIn() && viewer.Person == v.Person || x.grantedTo(r, v.Ticket) {
		found, err := x.Tickets.ByID(ctx, v.Ticket)
		if err != nil && !errors.Is(err, ticket.Missing) {
			return err
		}
		if err == nil {
			view.Number, view.TicketURL = ticket.Spoken(found.Number), following.TicketURL(found.Number)
		}
	}
	return web.Render(w, r, http.StatusOK, appointmentTempl(view))
}

// grantedTo reports whether this browser may follow a request.
func (x *Reception) grantedTo(r *http.Request, ticketID string) bool {
	for _, one := range x.Proving.Granted(r) {
		if one == ticketID {
			return true
		}
	}
	return false
}

func (x *Reception) cancel(w http.ResponseWriter, r *http.Request) error {
	v, _, _, err := x.own(r)
	if err != nil {
		return err
	}
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) error { return x.cancelVisit(r.Context(), tx, v.ID) }); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.cancelled")
	return web.SeeOther(w, r, "/helpdesk/appointments/"+r.PathValue("key"))
}

func (x *Reception) movePage(w http.ResponseWriter, r *http.Request) error {
	return x.showMove(w, r, http.StatusOK, slotsView{Form: url.Values{}})
}

func (x *Reception) showMove(w http.ResponseWriter, r *http.Request, status int, view slotsView) error {
	_, d, _, err := x.own(r)
	if err != nil {
		return err
	}
	path := "/helpdesk/appointments/" + r.PathValue("key")
	view.Title, view.Action, view.Moving = t(r.Context(), "move_title"), path+"/move", true
	view.Crumbs = []ui.Link{{Label: t(r.Context(), "yours"), URL: path}}
	if err := x.offer(r, d, &view); err != nil {
		return err
	}
	return web.Render(w, r, status, slotsTempl(view))
}

func (x *Reception) move(w http.ResponseWriter, r *http.Request) error {
	v, _, _, err := x.own(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := slotsView{Form: values}
	to := readTime(values, &view.Problems)
	if view.Problems.Any() {
		return x.showMove(w, r, http.StatusUnprocessableEntity, view)
	}
	err = x.DB.InTx(r.Context(), func(tx db.Tx) error {
		_, err := x.moveVisit(r.Context(), tx, v.ID, to)
		return err
	})
	if errors.Is(err, Taken) {
		web.Note(r, fault.Of(err))
		view.Notice = "taken"
		return x.showMove(w, r, http.StatusConflict, view)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.moved")
	return web.SeeOther(w, r, "/helpdesk/appointments/"+r.PathValue("key"))
}
