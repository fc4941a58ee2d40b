package counter_test

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// act changes a visit as an agent does at the counter.
func (h *house) act(as campus.Viewer, id string, more ...string) {
	h.T.Helper()
	now, err := h.Visit(h.T.Context(), id)
	if err != nil {
		h.T.Fatal(err)
	}
	h.want(http.StatusSeeOther, as, "POST", "/helpdesk/counter/"+now.Counter+"/visits/"+id+"/state", append(more, "version", strconv.FormatInt(now.Version, 10))...)
}

// rename gives a counter another name and another first reason.
func (h *house) rename(name, reason string) {
	h.T.Helper()
	h.Tx(func(tx db.Tx) error {
		item, err := h.Counters.One(h.T.Context(), code)
		if err != nil {
			return err
		}
		item.Of.Name, item.Of.Purposes[0].Name = hours.Named{English: name}, hours.Named{English: reason}
		_, err = h.Counters.Keep(h.T.Context(), tx, "", item)
		return err
	})
}

func (h *house) rows(as campus.Viewer, address string) [][]string {
	h.T.Helper()
	body, _ := h.want(http.StatusOK, as, "GET", address)
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		h.T.Fatal(err)
	}
	return rows
}

func TestVisitsAreCountedWithoutSayingWhoCame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.book(h.wish(tomorrow(9, 0)))
		h.Desk.Clock.Set(tomorrow(8, 50)) // ten minutes early: waits from 9:00 on
		h.act(agent(), v.ID, "to", "waiting")
		h.Desk.Clock.Set(tomorrow(9, 4))
		h.act(agent(), v.ID, "to", "called")
		h.Desk.Clock.Set(tomorrow(9, 5))
		h.act(agent(), v.ID, "to", "serving")
		h.Desk.Clock.Set(tomorrow(9, 17))
		h.act(agent(), v.ID, "to", "done")
		h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/number", "purpose", "laptop", "name", "Camille Secret")
		h.Desk.Clock.Set(tomorrow(9, 20))
		_, to := h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/next")
		h.act(agent(), to[strings.LastIndex(to, "/")+1:], "to", "absent")
		h.rename("=cmd()", "@card")

		rows := h.rows(agent(), "/helpdesk/visits.csv")
		want := [][]string{
			{"Day", "Counter", "Campus", "Kind", "Reason", "State", "Waited (minutes)", "Helped (minutes)"},
			{"2026-11-24", "'=cmd()", "Rives", "appointment", "'@card", "done", "5", "12"},
			{"2026-11-24", "'=cmd()", "Rives", "number", "Laptop", "absent", "", ""},
		}
		for i := range want {
			if i >= len(rows) || strings.Join(rows[i], "|") != strings.Join(want[i], "|") {
				t.Fatalf("the file is %q, want %q", rows, want)
			}
		}
		body, _ := h.want(http.StatusOK, agent(), "GET", "/helpdesk/visits.csv")
		page, _ := h.want(http.StatusOK, agent(), "GET", "/helpdesk/visits")
		h.shows(page, "5 minutes", "12 minutes", "/helpdesk/visits.csv?")
		for _, secret := range []string{lina.FamilyName, lina.Mail, string(lina.Person), "Camille", v.ID, v.Ticket, string(agent().Person)} {
			if strings.Contains(body, secret) || strings.Contains(strings.SplitAfter(page, "<main")[1], secret) {
				t.Errorf("the past says %q", secret)
			}
		}
		if rows := h.rows(agent(), "/helpdesk/visits.csv?first=2026-11-25&last=2026-11-30"); len(rows) != 1 {
			t.Errorf("other days have %q", rows)
		}
	})
}

func TestVisitsAreCountedByWhoWorksAtTheirCounter(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.book(h.wish(tomorrow(9, 0)))
		h.Tx(func(tx db.Tx) error {
			_, err := h.Counters.Keep(t.Context(), tx, "", kept.Item[counter.Counter]{ID: "nord", Of: counter.Counter{
				Name: hours.Named{English: "North"}, Campus: "nord", Minutes: 30, AtOnce: 1, Horizon: 30, Purposes: []counter.Purpose{{ID: "card", Name: hours.Named{English: "Student card"}}},
			}})
			return err
		})
		h.Desk.Clock.Advance(48 * time.Hour)
		if rows := h.rows(elsewhere(), "/helpdesk/visits.csv"); len(rows) != 1 {
			t.Errorf("an agent of another campus reads %q", rows)
		}
		for _, path := range []string{"/helpdesk/visits", "/helpdesk/visits.csv"} {
			if status, body, _ := h.ask(elsewhere(), "GET", path+"?counter=rives"); status != http.StatusNotFound || strings.Contains(body, "2026-11-24") {
				t.Errorf("an agent of another campus asks %s of a counter that is not theirs: %d", path, status)
			}
			if status, _, _ := h.ask(lina, "GET", path); status != http.StatusForbidden {
				t.Errorf("a student reads %s: %d", path, status)
			}
			if status, _, _ := h.ask(campus.Viewer{}, "GET", path); status != http.StatusUnauthorized && status != http.StatusSeeOther {
				t.Errorf("a stranger reads %s: %d", path, status)
			}
		}
		body, _ := h.want(http.StatusOK, elsewhere(), "GET", "/helpdesk/visits")
		if strings.Contains(body, "The counter") {
			t.Error("a counter of another campus is listed")
		}
		for _, c := range []struct{ first, last, want string }{
			{"soon", "2026-11-24", "Choose a day."}, {"2026-11-24", "2026-11-23", "after the first one"}, {"2020-01-01", "2026-11-24", "at most 1100 days"}, {"1800-01-01", "", "Choose a day."},
		} {
			query := "?first=" + c.first + "&last=" + c.last
			body, _ := h.want(http.StatusUnprocessableEntity, agent(), "GET", "/helpdesk/visits"+query)
			h.shows(body, c.want)
			h.want(http.StatusNotFound, agent(), "GET", "/helpdesk/visits.csv"+query)
		}
	})
}
