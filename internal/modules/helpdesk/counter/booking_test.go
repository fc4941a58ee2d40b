package counter_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestTwoPeopleWhoTakeTheLastPlaceAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const people = 6
		errs := make([]error, people)
		var all sync.WaitGroup
		for i := range people {
			all.Go(func() {
				w := h.wish(tomorrow(9, 0))
				w.Person, w.Mail = "", "p"+strconv.Itoa(i)+"@example.org"
				errs[i] = h.Desk.DB.InTx(t.Context(), func(tx db.Tx) error {
					_, err := h.Book(t.Context(), tx, w)
					return err
				})
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, counter.Taken) {
				t.Errorf("the others hear %v", err)
			}
		}
		if won != 1 {
			t.Fatalf("%d people have the one place", won)
		}
		status, body, _ := h.ask(lina, "POST", "/helpdesk/counters/rives/card?day=2026-11-24", "at", seconds(tomorrow(9, 0)), "words", "My card is dead")
		if status != http.StatusConflict {
			t.Errorf("who comes later gets %d", status)
		}
		h.shows(body, "no longer free", seconds(tomorrow(9, 30)), "My card is dead")
		if strings.Contains(body, `value="`+seconds(tomorrow(9, 0))+`"`) {
			t.Error("the taken time is offered again")
		}
	})
}

func TestSomebodyTakesMovesAndCancelsAnAppointment(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		body, _ := h.want(http.StatusOK, lina, "GET", "/helpdesk/counters")
		h.shows(body, "The counter", "B012", "Monday 23 November")
		body, _ = h.want(http.StatusOK, lina, "GET", "/helpdesk/counters/rives")
		h.shows(body, "Student card", "Your card")
		body, _ = h.want(http.StatusOK, lina, "GET", "/helpdesk/counters/rives/card")
		h.shows(body, "Your card", "identity")
		body, _ = h.want(http.StatusUnprocessableEntity, lina, "POST", "/helpdesk/counters/rives/card")
		h.shows(body, "Choose a time.")
		_, to := h.want(http.StatusSeeOther, lina, "POST", "/helpdesk/counters/rives/card", "at", seconds(tomorrow(9, 0)), "words", "It stays red")
		body, _ = h.want(http.StatusOK, lina, "GET", to)
		h.shows(body, "R1", "Tuesday 24 November at 09:00", "Your card", "Request ")
		id := strings.TrimPrefix(to, "/helpdesk/appointments/")
		v, err := h.Visit(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		thread, err := h.Desk.Tickets.Thread(t.Context(), v.Ticket)
		if err != nil || len(thread.Messages) != 1 || thread.Messages[0].Body != "It stays red" {
			t.Errorf("the request holds %+v, %v", thread.Messages, err)
		}
		if len(h.letters) != 1 || !strings.Contains(h.letters[0].Text, h.Path(v)) || !strings.Contains(h.letters[0].Text, "R1") {
			t.Errorf("letters %+v", h.letters)
		}
		// Once more for the same reason.
		body, _ = h.want(http.StatusConflict, lina, "POST", "/helpdesk/counters/rives/card", "at", seconds(tomorrow(10, 0)))
		h.shows(body, "already")
		// The letter works without signing in, also to move and to cancel.
		letter := h.Path(v)
		body, _ = h.want(http.StatusOK, campus.Viewer{}, "GET", letter)
		h.shows(body, "Tuesday 24 November at 09:00")
		if strings.Contains(body, "Request ") {
			t.Error("the letter of an appointment leads to the request")
		}
		body, _ = h.want(http.StatusOK, campus.Viewer{}, "GET", letter+"/calendar")
		h.shows(body, "BEGIN:VTIMEZONE", "TZID:Europe/Paris", "DTSTART;TZID=Europe/Paris:20261124T090000", "DTSTAMP:20261123T090000Z", "TZOFFSETTO:+0100")
		h.want(http.StatusOK, campus.Viewer{}, "GET", letter+"/move")
		h.want(http.StatusSeeOther, campus.Viewer{}, "POST", letter+"/move", "at", seconds(tomorrow(11, 0)))
		if v, err = h.Visit(t.Context(), id); err != nil || !v.Begins.Equal(tomorrow(11, 0)) {
			t.Errorf("moved to %s, %v", v.Begins, err)
		}
		h.want(http.StatusConflict, campus.Viewer{}, "POST", letter+"/move", "at", seconds(tomorrow(3, 0)))
		// The reminder of the first time says nothing, that of the second once.
		before := len(h.letters)
		for _, begins := range []time.Time{tomorrow(9, 0), tomorrow(11, 0), tomorrow(11, 0)} {
			if err := h.Remind(t.Context(), counter.Reminder{Visit: id, Begins: begins}); err != nil {
				t.Fatal(err)
			}
		}
		if len(h.letters) != before+1 || !strings.Contains(h.letters[before].Subject, "reminder") {
			t.Errorf("%d reminders", len(h.letters)-before)
		}
		h.want(http.StatusSeeOther, campus.Viewer{}, "POST", letter+"/cancel")
		h.want(http.StatusConflict, campus.Viewer{}, "POST", letter+"/cancel")
		closed, err := h.Desk.Tickets.ByID(t.Context(), v.Ticket)
		if err != nil || closed.State != ticket.Closed {
			t.Errorf("its request is %s, %v", closed.State, err)
		}
		h.book(h.wish(tomorrow(11, 0))) // the place is free again
	})
}

func TestAStrangerTakesAnAppointmentWithACode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		stranger := campus.Viewer{}
		body, _ := h.want(http.StatusUnprocessableEntity, stranger, "POST", "/helpdesk/counters/rives/laptop", "at", seconds(tomorrow(9, 0)), "mail", "nonsense")
		h.shows(body, "Say your name", "complete mail address")
		_, to := h.want(http.StatusSeeOther, stranger, "POST", "/helpdesk/counters/rives/laptop", "at", seconds(tomorrow(9, 0)), "name", "Camille", "mail", "camille@example.org")
		h.book(h.wish(tomorrow(9, 0))) // meanwhile
		_, to = h.want(http.StatusSeeOther, stranger, "POST", to, "code", tickettest.RightCode)
		body, _ = h.want(http.StatusOK, stranger, "GET", to)
		h.shows(body, "no longer free")
		h.Desk.Clock.Advance(time.Minute)
		_, to = h.want(http.StatusSeeOther, stranger, "POST", "/helpdesk/counters/rives/laptop", "at", seconds(tomorrow(9, 30)), "name", "Camille", "mail", "camille@example.org")
		_, to = h.want(http.StatusSeeOther, stranger, "POST", to, "code", tickettest.RightCode)
		body, _ = h.want(http.StatusOK, stranger, "GET", to)
		h.shows(body, "09:30", "R2", "Request ")
	})
}

func TestSomebodyElsesAppointmentIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.book(h.wish(tomorrow(9, 0)))
		forged := h.Path(v)[:len(h.Path(v))-4] + "AAAA"
		for name, as := range map[string]campus.Viewer{"somebody else": tickettest.English(campustest.Paul()), "a stranger": {}, "an agent": agent()} {
			for _, path := range []string{"/helpdesk/appointments/" + v.ID, forged} {
				for _, c := range []struct{ method, rest string }{{"GET", ""}, {"GET", "/calendar"}, {"GET", "/move"}, {"POST", "/move"}, {"POST", "/cancel"}} {
					if status, body, _ := h.ask(as, c.method, path+c.rest, "at", seconds(tomorrow(10, 0))); status != http.StatusNotFound || strings.Contains(body, "09:00") {
						t.Errorf("%s: %s %s%s is %d", name, c.method, path, c.rest, status)
					}
				}
			}
		}
		if now, err := h.Visit(t.Context(), v.ID); err != nil || now.Version != v.Version {
			t.Errorf("somebody else changed it: %+v, %v", now, err)
		}
		// The link of the letter ends some time after the appointment.
		h.Desk.Clock.Advance(20 * 24 * time.Hour)
		h.want(http.StatusNotFound, campus.Viewer{}, "GET", h.Path(v))
	})
}
