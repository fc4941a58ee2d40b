package counter_test

import (
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

func TestWhoseAppointmentFallsIntoALaterClosureIsToldOnceAndRebooks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.book(h.wish(tomorrow(9, 0)))
		mute := h.wish(tomorrow(10, 0))
		mute.Mail, mute.Person, mute.Name = "", "", "Without Address"
		h.book(mute)
		other := h.wish(tomorrow(9, 0).AddDate(0, 0, 1))
		other.Purpose = "laptop"
		safe := h.book(other)
		closed := func() (list []mailer.Message) {
			for _, m := range h.letters {
				if strings.Contains(m.Kind, "appointment_closed") {
					list = append(list, m)
				}
			}
			return list
		}
		run := func() {
			if err := h.TellClosed(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if run(); len(closed()) != 0 {
			t.Fatal("somebody is told of a closure that there is not")
		}
		h.Tx(func(tx db.Tx) error {
			item, err := h.Calendars.Plans.One(t.Context(), "office")
			if err != nil {
				return err
			}
			day := hours.DateIn(v.Begins, h.Front.Zone)
			item.Of.Exceptions = []hours.Exception{{Span: hours.Span{First: day, Last: day}}}
			_, err = h.Calendars.Plans.Keep(t.Context(), tx, "", item)
			return err
		})
		page, _ := h.want(200, agent(), "GET", "/helpdesk/counter/"+code)
		h.shows(page, "Appointments during a closure", "within a quarter of an hour", "tell this person yourself")
		run()
		run() // a job may run twice
		list := closed()
		if len(list) != 1 || list[0].To != lina.Mail || !strings.Contains(list[0].Text, h.Path(v)+"/move") {
			t.Fatalf("told: %+v", list)
		}
		page, _ = h.want(200, agent(), "GET", "/helpdesk/counter/"+code)
		h.shows(page, "Told by mail", "tell this person yourself")
		if strings.Contains(page, safe.ID) {
			t.Error("an appointment on an open day is said to fall into the closure")
		}
		h.want(200, lina, "GET", h.Path(v)+"/move")
		h.want(303, lina, "POST", h.Path(v)+"/move", "at", seconds(tomorrow(10, 0).AddDate(0, 0, 1)))
		if page, _ = h.want(200, agent(), "GET", "/helpdesk/counter/"+code); strings.Contains(page, "Told by mail") {
			t.Error("who chose another time still stands among those of the closure")
		}
	})
}
