package counter_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestOnlyWhoWorksThereOpensACounter(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.book(h.wish(tomorrow(9, 0)))
		one := "/helpdesk/counter/rives/visits/" + v.ID
		for _, c := range []struct{ method, path string }{
			{"GET", "/helpdesk/counter/rives"}, {"POST", "/helpdesk/counter/rives/next"}, {"POST", "/helpdesk/counter/rives/number"},
			{"GET", "/helpdesk/counter/rives/devices"}, {"POST", "/helpdesk/counter/rives/devices"}, {"POST", "/helpdesk/counter/rives/devices/x/remove"},
			{"GET", one}, {"POST", one + "/state"}, {"POST", one + "/check"}, {"POST", one + "/note"}, {"POST", one + "/ticket"},
		} {
			pairs := []string{"to", "waiting", "version", "1", "kind", "screen", "document", "passport", "note", "n", "person", string(lina.Person)}
			if status, body, _ := h.ask(elsewhere(), c.method, c.path, pairs...); status != http.StatusNotFound || strings.Contains(body, lina.FamilyName) {
				t.Errorf("an agent of another campus: %s %s is %d", c.method, c.path, status)
			}
			if status, _, _ := h.ask(lina, c.method, c.path, pairs...); status != http.StatusForbidden {
				t.Errorf("a student: %s %s is %d", c.method, c.path, status)
			}
			if status, _, _ := h.ask(campus.Viewer{}, c.method, c.path, pairs...); status != http.StatusUnauthorized && status != http.StatusSeeOther {
				t.Errorf("a stranger: %s %s is %d", c.method, c.path, status)
			}
		}
		if status, _, _ := h.ask(lina, "GET", "/helpdesk/counter"); status != http.StatusForbidden {
			t.Errorf("a student finds the list of counters: %d", status)
		}
		for _, c := range []struct{ method, path string }{{"GET", "/helpdesk/setup/counters"}, {"GET", "/helpdesk/setup/counters/rives"}, {"POST", "/helpdesk/setup/counters/rives"}} {
			if status, _, _ := h.ask(agent(), c.method, c.path, "name_fr", "Mine"); status != http.StatusForbidden {
				t.Errorf("an agent changes counters: %s %s is %d", c.method, c.path, status)
			}
		}
		if now, err := h.Visit(t.Context(), v.ID); err != nil || now.Version != v.Version {
			t.Errorf("somebody changed it: %+v, %v", now, err)
		}
	})
}

func TestADayAtTheCounter(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		stranger := campus.Viewer{}
		v := h.book(h.wish(tomorrow(9, 0)))
		h.Desk.Clock.Set(tomorrow(8, 0))
		var kiosk, screen string
		h.Tx(func(tx db.Tx) (err error) {
			if kiosk, err = counter.Key(t.Context(), tx, code, "kiosk"); err != nil {
				return err
			}
			screen, err = counter.Key(t.Context(), tx, code, "screen")
			return err
		})
		kiosk, screen = "/helpdesk/counter/rives/kiosk?key="+kiosk, "/helpdesk/counter/rives/screen?key="+screen
		h.want(http.StatusConflict, stranger, "POST", kiosk, "purpose", "laptop") // closed
		h.Desk.Clock.Set(tomorrow(9, 5))
		_, to := h.want(http.StatusSeeOther, stranger, "POST", kiosk, "purpose", "laptop", "who", "22001122")
		body, _ := h.want(http.StatusOK, stranger, "GET", to)
		h.shows(body, "A1", "Nobody is waiting")
		h.want(http.StatusUnprocessableEntity, stranger, "POST", kiosk, "number", "R9")
		h.want(http.StatusSeeOther, stranger, "POST", kiosk, "number", " r1 ")
		// The appointment has its place by time: it comes before the number.
		_, to = h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/next")
		if !strings.HasSuffix(to, v.ID) {
			t.Errorf("called %s first", to)
		}
		body, _ = h.want(http.StatusOK, stranger, "GET", screen)
		h.shows(body, `called-number">R1`, "A1")
		if strings.Contains(body, lina.FamilyName) || strings.Contains(body, "22001122") {
			t.Error("the screen names somebody")
		}
		body, _ = h.want(http.StatusOK, agent(), "GET", to)
		h.shows(body, lina.FamilyName, "Your card", "Identity")
		h.want(http.StatusUnprocessableEntity, agent(), "POST", to+"/check")
		h.want(http.StatusSeeOther, agent(), "POST", to+"/check", "document", "passport")
		h.want(http.StatusSeeOther, agent(), "POST", to+"/note", "note", "Chip is dead")
		state := func(to string) string {
			now, err := h.Visit(t.Context(), v.ID)
			if err != nil {
				t.Fatal(err)
			}
			h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/visits/"+v.ID+"/state", "to", to, "version", strconv.FormatInt(now.Version, 10))
			return ""
		}
		state("called") // again
		h.want(http.StatusConflict, agent(), "POST", to+"/state", "to", "serving", "version", "1")
		state("serving")
		state("done")
		thread, err := h.Desk.Tickets.Thread(t.Context(), v.Ticket)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]bool{}
		for _, e := range thread.Events {
			kinds[e.Kind] = true
			if strings.Contains(strings.Join([]string{e.Facts["counter"], e.Facts["number"]}, ""), "22001122") {
				t.Error("an event holds a number that somebody typed")
			}
		}
		if !kinds["counter_booked"] || !kinds["counter_checked_passport"] || !kinds["counter_serving"] || !thread.Messages[len(thread.Messages)-1].Internal {
			t.Errorf("events %v", kinds)
		}
		// Who came without an appointment is found, and gets a request.
		_, to = h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/next")
		body, _ = h.want(http.StatusOK, agent(), "GET", to+"?q="+url.QueryEscape(lina.FamilyName))
		h.shows(body, "22001122", string(lina.Person))
		h.want(http.StatusUnprocessableEntity, agent(), "POST", to+"/ticket", "person", "nobody")
		h.want(http.StatusUnprocessableEntity, agent(), "POST", to+"/ticket", "number", "12345678")
		h.want(http.StatusSeeOther, agent(), "POST", to+"/ticket", "person", string(lina.Person))
		mine, err := h.Desk.Tickets.Of(t.Context(), lina.Person)
		if err != nil || len(mine) != 2 || mine[0].Channel != ticket.AtDesk && mine[1].Channel != ticket.AtDesk {
			t.Errorf("%d requests, %v", len(mine), err)
		}
		body, _ = h.want(http.StatusOK, agent(), "GET", "/helpdesk/counter/rives")
		h.shows(body, "A1", "Nobody is waiting", "Finished today")
		_, to = h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/next")
		if to != "/helpdesk/counter/rives" {
			t.Errorf("nobody waits, and %s is called", to)
		}
		h.Desk.Clock.Advance(40 * 24 * time.Hour)
		if err := h.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		if old, err := h.Visit(t.Context(), v.ID); err != nil || old.Name+old.Mail+string(old.Person) != "" {
			t.Errorf("a month later the visit names %q, %v", old.Name, err)
		}
	})
}

func TestTwoAgentsWhoPressAtOnceCallTwoPeople(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.Desk.Clock.Set(tomorrow(9, 5))
		h.Viewer = agent()
		for range 2 {
			h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/number", "purpose", "laptop")
		}
		var all sync.WaitGroup
		places := make([]string, 2)
		for i := range places {
			all.Go(func() {
				resp, err := pagetest.Still().PostForm(h.server.URL+"/helpdesk/counter/rives/next", nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = resp.Body.Close() }() // nothing is read from it
				places[i] = resp.Header.Get("Location")
			})
		}
		all.Wait()
		if places[0] == places[1] || !strings.Contains(places[0], "/visits/") || !strings.Contains(places[1], "/visits/") {
			t.Errorf("called %v", places)
		}
	})
}
