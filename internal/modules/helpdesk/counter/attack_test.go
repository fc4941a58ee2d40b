package counter_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// injection is a text that begins another property of a calendar, wherever a line
// break is taken for one.
const injection = "Eve\r\nATTENDEE:mailto:eve@example.org\rX-CR:1\nX-LF:1\u2028X-LS:1"

func TestNoNameBeginsALineOfACalendar(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		w := h.wish(tomorrow(9, 0))
		w.Name = injection
		v := h.book(w)
		h.Tx(func(tx db.Tx) error { // as a setting that did not come through the form
			item, err := h.Counters.One(t.Context(), code)
			if err != nil {
				return err
			}
			item.Of.Name, item.Of.Room = hours.Named{English: injection}, injection
			item.Of.Purposes[0].Name, item.Of.Purposes[0].Bring = hours.Named{English: injection}, hours.Named{English: injection}
			_, err = h.Counters.Keep(t.Context(), tx, "", item)
			return err
		})
		var feed string
		h.Tx(func(tx db.Tx) (err error) {
			feed, err = counter.Key(t.Context(), tx, code, "feed")
			return err
		})
		for _, address := range []string{h.Path(v) + "/calendar", "/helpdesk/counter/rives/feed?key=" + feed} {
			body, _ := h.want(http.StatusOK, campus.Viewer{}, "GET", address)
			if !strings.Contains(body, "BEGIN:VEVENT") {
				t.Fatalf("%s holds no appointment: %s", address, body)
			}
			// However a program cuts lines: the folds of a long one begin with a space.
			for _, line := range strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune("\r\n\u2028\u2029\u0085", r) }) {
				for _, bad := range []string{"ATTENDEE", "X-CR", "X-LF", "X-LS"} {
					if strings.HasPrefix(line, bad) {
						t.Errorf("%s has the line %q", address, line)
					}
				}
			}
			for i := range len(body) {
				if body[i] == '\r' && (i+1 >= len(body) || body[i+1] != '\n') {
					t.Fatalf("%s has a carriage return alone at %d: %q", address, i, body[max(0, i-30):min(len(body), i+30)])
				}
			}
		}
		for _, m := range h.letters {
			if strings.ContainsAny(m.Subject+m.To, "\r\n") {
				t.Errorf("a letter has the subject %q", m.Subject)
			}
		}
	})
}

// second opens a counter on another campus, and answers its code.
func (h *house) second() string {
	h.T.Helper()
	h.Tx(func(tx db.Tx) error {
		_, err := h.Counters.Keep(h.T.Context(), tx, "", kept.Item[counter.Counter]{ID: "nord", Of: counter.Counter{
			Name: hours.Named{English: "North"}, Campus: "nord", Minutes: 30, AtOnce: 1, Lead: 1, Horizon: 30, WalkIn: true,
			Purposes: []counter.Purpose{{ID: "card", Name: hours.Named{English: "Student card"}}},
		}})
		return err
	})
	return "nord"
}

func TestAVisitIsNotReachedThroughAnotherCounter(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v, other := h.book(h.wish(tomorrow(9, 0))), h.second()
		h.want(http.StatusOK, elsewhere(), "GET", "/helpdesk/counter/"+other) // it is theirs
		one := "/helpdesk/counter/" + other + "/visits/" + v.ID
		version := strconv.FormatInt(v.Version, 10)
		for _, c := range []struct{ method, path string }{{"GET", one}, {"POST", one + "/state"}, {"POST", one + "/check"}, {"POST", one + "/note"}, {"POST", one + "/ticket"}} {
			status, body, _ := h.ask(elsewhere(), c.method, c.path, "to", "waiting", "version", version, "document", "passport", "note", "n", "person", string(lina.Person))
			if status != http.StatusNotFound || strings.Contains(body, lina.FamilyName) {
				t.Errorf("through another counter %s %s is %d", c.method, c.path, status)
			}
		}
		if now, err := h.Visit(t.Context(), v.ID); err != nil || now.Version != v.Version {
			t.Errorf("it was changed: %+v, %v", now, err)
		}
		page, _ := h.want(http.StatusOK, elsewhere(), "GET", "/helpdesk/counter/"+other)
		if strings.Contains(page, lina.FamilyName) || strings.Contains(page, v.ID) {
			t.Error("the page of a counter shows the visit of another one")
		}
	})
}

func TestAnAgentTakesNobodyAndNothingOfAnotherCampusIntoAVisit(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		other := h.second()
		foreign := h.Desk.Open(campustest.Lina(), "Of Rives", "…")
		h.Desk.Clock.Set(tomorrow(9, 5))
		h.want(http.StatusSeeOther, elsewhere(), "POST", "/helpdesk/counter/"+other+"/number", "name", "Somebody")
		_, to := h.want(http.StatusSeeOther, elsewhere(), "POST", "/helpdesk/counter/"+other+"/next")
		h.want(http.StatusUnprocessableEntity, elsewhere(), "POST", to+"/ticket", "person", string(lina.Person))
		h.want(http.StatusUnprocessableEntity, elsewhere(), "POST", to+"/ticket", "number", foreign.Number)
		page, _ := h.want(http.StatusOK, elsewhere(), "GET", to+"?q="+lina.FamilyName)
		if strings.Contains(page, string(lina.Person)) {
			t.Error("somebody of another campus is found")
		}
		thread, err := h.Desk.Tickets.Thread(t.Context(), foreign.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range thread.Events {
			if strings.HasPrefix(e.Kind, "counter_") {
				t.Errorf("a request of another campus says %s", e.Kind)
			}
		}
	})
}

func TestAKeyOpensOneCounterUntilItIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		other := h.second()
		keys := map[string]string{}
		h.Tx(func(tx db.Tx) (err error) {
			for _, kind := range []string{"kiosk", "screen", "feed"} {
				if keys[kind], err = counter.Key(t.Context(), tx, code, kind); err != nil {
					return err
				}
			}
			return nil
		})
		stranger := campus.Viewer{}
		for kind, key := range keys {
			h.want(http.StatusGone, stranger, "GET", "/helpdesk/counter/"+other+"/"+kind+"?key="+key)
			for _, forged := range []string{strings.ToUpper(key), key[:len(key)-1], key + "A", "%00", "' OR 1=1 --", strings.Repeat("x", 5000)} {
				if forged == key {
					continue
				}
				if status, _, _ := h.ask(stranger, "GET", "/helpdesk/counter/rives/"+kind+"?key="+strings.NewReplacer(" ", "+", "'", "%27", "=", "%3D").Replace(forged)); status != http.StatusGone {
					t.Errorf("%s with a forged key: %d", kind, status)
				}
			}
		}
		h.want(http.StatusGone, stranger, "POST", "/helpdesk/counter/"+other+"/kiosk?key="+keys["kiosk"], "purpose", "card")
		h.want(http.StatusGone, stranger, "POST", "/helpdesk/counter/rives/kiosk", "purpose", "card", "key", keys["kiosk"]) // in the address alone
		// An agent of another campus does not take it back through their own counter.
		list, _ := h.want(http.StatusOK, agent(), "GET", "/helpdesk/counter/rives/devices")
		var removes []string
		for part := range strings.SplitSeq(list, `action="`) {
			if address, _, _ := strings.Cut(part, `"`); strings.HasSuffix(address, "/remove") {
				removes = append(removes, address)
			}
		}
		if len(removes) != len(keys) {
			t.Fatalf("%d keys are listed", len(removes))
		}
		for _, address := range removes {
			h.want(http.StatusNotFound, elsewhere(), "POST", strings.Replace(address, "/rives/", "/"+other+"/", 1))
		}
		for kind, key := range keys {
			h.want(http.StatusOK, stranger, "GET", "/helpdesk/counter/rives/"+kind+"?key="+key)
			if strings.Contains(list, key) {
				t.Errorf("the key of the %s is shown again", kind)
			}
		}
		for _, address := range removes {
			h.want(http.StatusSeeOther, agent(), "POST", address)
		}
		for kind, key := range keys {
			h.want(http.StatusGone, stranger, "GET", "/helpdesk/counter/rives/"+kind+"?key="+key)
		}
	})
}

func TestAKioskGivesNumbersNoFasterThanPeopleComeAndNamesNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.book(h.wish(tomorrow(9, 30)))
		h.Desk.Clock.Set(tomorrow(9, 5))
		var key string
		h.Tx(func(tx db.Tx) (err error) {
			key, err = counter.Key(t.Context(), tx, code, "kiosk")
			return err
		})
		kiosk, refused := "/helpdesk/counter/rives/kiosk?key="+key, 0
		for range 30 {
			status, _, to := h.ask(campus.Viewer{}, "POST", kiosk, "purpose", "nonsense", "who", strings.Repeat("é", 5000)+injection)
			switch {
			case status == http.StatusTooManyRequests:
				refused++
			case status != http.StatusSeeOther || !strings.Contains(to, "taken=A"):
				t.Fatalf("the kiosk says %d %s", status, to)
			}
		}
		if refused < 5 {
			t.Errorf("of thirty numbers at once %d were refused", refused)
		}
		h.Desk.Clock.Advance(time.Minute)
		for _, typed := range []string{"R0", "R99", "R-1", "A1", "R1 OR 1=1", v.ID, lina.Mail} {
			if status, _, _ := h.ask(campus.Viewer{}, "POST", kiosk, "number", typed); status != http.StatusUnprocessableEntity && status != http.StatusTooManyRequests {
				t.Errorf("%q is taken for an appointment: %d", typed, status)
			}
		}
		h.Desk.Clock.Advance(time.Minute)
		_, to := h.want(http.StatusSeeOther, campus.Viewer{}, "POST", kiosk, "number", "R1")
		page, _ := h.want(http.StatusOK, tickettest.English(campustest.Paul()), "GET", to)
		for _, secret := range []string{lina.FamilyName, lina.Mail, v.ID, "Eve", campustest.Paul().FamilyName} {
			if strings.Contains(page, secret) {
				t.Errorf("the kiosk says %q", secret)
			}
		}
		page, _ = h.want(http.StatusOK, campus.Viewer{}, "GET", kiosk+"&taken=%3Cscript%3E1")
		if strings.Contains(page, "<script>1") || strings.Contains(page, "called-number") {
			t.Error("the kiosk shows a number that is none")
		}
	})
}
