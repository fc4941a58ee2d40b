package counter_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// house is a counter with its neighbours.
type house struct {
	*tickettest.Front
	*counter.Reception
	server  *httptest.Server
	browser *http.Client
	mu      sync.Mutex
	letters []mailer.Message
	stale   bool // the last proof of who is there is long ago
}

func (h *house) confirm(w http.ResponseWriter, _ *http.Request) (bool, error) {
	if h.stale {
		w.WriteHeader(http.StatusTeapot)
	}
	return !h.stale, nil
}

func (h *house) Send(_ context.Context, _ db.Tx, m mailer.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letters = append(h.letters, m)
	return nil
}

func (h *house) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		for _, one := range ids {
			if v.Person == one {
				known[one] = contract.Known{ID: one, Subject: contract.Subject{Login: v.Login, GivenName: v.GivenName, FamilyName: v.FamilyName, Mail: v.Mail, Affiliations: v.Affiliations}}
			}
		}
	}
	return known, nil
}

func (h *house) SeekPeople(ctx context.Context, v campus.Viewer, words string, _ int) ([]contract.Known, error) {
	known, err := h.KnownPeople(ctx, []campus.PersonID{campustest.Lina().Person})
	var found []contract.Known
	for _, k := range known {
		if strings.EqualFold(k.Subject.FamilyName, words) && v.CanFor(campus.RightHelpdesk, k.Subject.Affiliations) {
			found = append(found, k)
		}
	}
	return found, err
}

// agent works at every counter, elsewhere at those of another campus.
func agent() campus.Viewer {
	v := tickettest.English(campustest.Nadia())
	v.Rights, v.Mandates = []campus.Right{campus.RightHelpdesk}, nil
	return v
}

func elsewhere() campus.Viewer {
	v := agent()
	v.Rights, v.Mandates = nil, []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}
	return v
}

func manager() campus.Viewer {
	v := agent()
	v.Rights = []campus.Right{campus.RightHelpdesk, campus.RightDesks}
	return v
}

var lina = tickettest.English(campustest.Lina())

const code = "rives"

func each(t *testing.T, test func(*testing.T, *house)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		h := &house{Front: tickettest.Open(x), browser: pagetest.Still()}
		keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
		if err != nil {
			t.Fatal(err)
		}
		calendars := &openings.Calendars{
			Plans: &kept.Shelf[hours.Plan]{DB: x.DB, Kind: openings.Kind}, Zone: x.Zone,
			Terms: &term.Terms{Shelf: &kept.Shelf[term.Term]{DB: x.DB, Kind: term.Kind}, Zone: x.Zone},
		}
		counters := &kept.Shelf[counter.Counter]{DB: x.DB, Kind: counter.Kind}
		base, err := url.Parse("https://ent.valmont.example")
		if err != nil {
			t.Fatal(err)
		}
		h.Reception = counter.New(counter.Deps{
			DB: x.DB, Clock: x.Clock, Keys: keys, Texts: x.Texts, Zone: x.Zone, Base: base, Tickets: x.Tickets, Calendars: calendars, Counters: counters, Proving: h.Front.Proving,
			Contacts: h.Front, Register: h, Seeker: h, Mailer: h, InstitutionEnglish: "Valmont",
			Places:  place.Fixed{OfCampuses: []place.Place{{Code: "rives", French: "Rives", English: "Rives"}}},
			Confirm: h.confirm,
		})
		week := hours.Week{}
		for d := time.Monday; d <= time.Friday; d++ {
			week[d] = []hours.Frame{{From: 540, To: 720}}
		}
		x.Tx(func(tx db.Tx) error {
			if _, err := calendars.Plans.Keep(t.Context(), tx, "", kept.Item[hours.Plan]{ID: "office", Of: hours.Plan{House: true, Week: week, Public: hours.France}}); err != nil {
				return err
			}
			_, err := counters.Keep(t.Context(), tx, "", kept.Item[counter.Counter]{ID: code, Of: counter.Counter{
				Name: hours.Named{French: "Guichet", English: "The counter"}, Room: "B012", Campus: "rives", Minutes: 30, AtOnce: 1, Lead: 1, Horizon: 30, WalkIn: true,
				Purposes: []counter.Purpose{{ID: "card", Name: hours.Named{English: "Student card"}, Bring: hours.Named{English: "Your card"}, Identity: true}, {ID: "laptop", Name: hours.Named{English: "Laptop"}}},
			}})
			return err
		})
		h.server = x.Serve(func(r *web.Router) {
			h.Reception.Routes(r)
			h.Front.Proving.Routes(r)
		})
		test(t, h)
	})
}

// tomorrow is Tuesday at an hour and a minute in Paris.
func tomorrow(hour, minute int) time.Time {
	return time.Date(2026, time.November, 24, hour-1, minute, 0, 0, time.UTC)
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// ask sends a request as somebody.
func (h *house) ask(as campus.Viewer, method, address string, pairs ...string) (int, string, string) {
	h.T.Helper()
	h.Viewer = as
	var form url.Values
	if method == "POST" {
		form = pagetest.Form(pairs...)
	}
	resp, body := pagetest.Ask(h.T, h.browser, method, h.server.URL+address, form)
	if i := strings.Index(body, "⟦"); i >= 0 {
		h.T.Errorf("%s %s lacks a sentence: %.80s", method, address, body[i:])
	}
	return resp.StatusCode, body, resp.Header.Get("Location")
}

func (h *house) want(status int, as campus.Viewer, method, address string, pairs ...string) (body, to string) {
	h.T.Helper()
	got, body, to := h.ask(as, method, address, pairs...)
	if got != status {
		h.T.Fatalf("%s %s: %d, want %d\n%s", method, address, got, status, body)
	}
	return body, to
}

func (h *house) shows(body string, parts ...string) {
	h.T.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			h.T.Errorf("no %q in\n%s", part, body)
		}
	}
}

func (h *house) wish(at time.Time) counter.Wish {
	return counter.Wish{Code: code, Purpose: "card", At: at, Person: lina.Person, Name: lina.DisplayName(), Mail: lina.Mail, Locale: campus.English}
}

func (h *house) book(w counter.Wish) counter.Visit {
	h.T.Helper()
	var v counter.Visit
	h.Tx(func(tx db.Tx) (err error) {
		v, err = h.Book(h.T.Context(), tx, w)
		return err
	})
	return v
}

func TestTimesFollowOpeningHoursAndClocks(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	daily := hours.Week{}
	for d := range daily {
		daily[d] = []hours.Frame{{From: 60, To: 240}}
	}
	early := time.Date(2026, 1, 1, 0, 0, 0, 0, paris)
	for _, c := range []struct {
		name string
		day  hours.Date
		plan hours.Plan
		now  time.Time
		lead int
		want int
	}{
		{"an ordinary night of three hours", hours.On(2026, 11, 24), hours.Plan{Week: daily}, early, 0, 3},
		{"the night that loses an hour", hours.On(2026, 3, 29), hours.Plan{Week: daily}, early, 0, 2},
		{"the night that has an hour twice", hours.On(2026, 10, 25), hours.Plan{Week: daily}, early, 0, 4},
		{"a public holiday", hours.On(2026, 11, 11), hours.Plan{Week: daily, Public: hours.France}, early, 0, 0},
		{"closed that day", hours.On(2026, 11, 24), hours.Plan{Week: daily, Exceptions: []hours.Exception{{Span: hours.Span{First: hours.On(2026, 11, 24), Last: hours.On(2026, 11, 24)}}}}, early, 0, 0},
		{"what is past is not offered", hours.On(2026, 11, 24), hours.Plan{Week: daily}, time.Date(2026, 11, 24, 2, 0, 0, 0, paris), 0, 1},
		{"nor what is within the lead time", hours.On(2026, 11, 24), hours.Plan{Week: daily}, time.Date(2026, 11, 24, 0, 30, 0, 0, paris), 2, 1},
	} {
		got := counter.Times(counter.Counter{Minutes: 60, AtOnce: 1, Lead: c.lead}, hours.New(c.plan, paris), c.day, c.now)
		if len(got) != c.want {
			t.Errorf("%s: %v, want %d times", c.name, got, c.want)
		}
	}
	if got := counter.Times(counter.Counter{Minutes: 60, AtOnce: 1}, hours.Always(paris), hours.On(2026, 11, 24), early); got != nil {
		t.Errorf("a counter without hours offers %v", got)
	}
}

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

func TestDevicesNeedTheirKeyAndNameNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.book(h.wish(tomorrow(9, 0)))
		body, _ := h.want(http.StatusOK, agent(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen", "label", "Hall")
		h.shows(body, "/helpdesk/counter/rives/screen?key=")
		keys := map[string]string{}
		for _, kind := range []string{"kiosk", "screen", "feed"} {
			h.Tx(func(tx db.Tx) (err error) {
				keys[kind], err = counter.Key(t.Context(), tx, code, kind)
				return err
			})
		}
		for _, kind := range []string{"kiosk", "screen", "feed"} {
			for _, other := range []string{"", "nonsense", keys["kiosk"], keys["screen"], keys["feed"]} {
				want := http.StatusGone
				if other == keys[kind] {
					want = http.StatusOK
				}
				for _, as := range []campus.Viewer{{}, lina} {
					status, body, _ := h.ask(as, "GET", "/helpdesk/counter/rives/"+kind+"?key="+other)
					if status != want {
						t.Errorf("%s with another key: %d, want %d", kind, status, want)
					}
					if want == http.StatusOK && (strings.Contains(body, lina.FamilyName) || strings.Contains(body, lina.Mail)) {
						t.Errorf("%s names somebody", kind)
					}
				}
			}
		}
		h.want(http.StatusGone, campus.Viewer{}, "POST", "/helpdesk/counter/rives/kiosk?key="+keys["screen"], "who", "x")
	})
}

func TestAnAddressForADeviceAsksWhoIsThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.stale = true
		h.want(http.StatusTeapot, agent(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen", "label", "Hall of the test")
		list, _ := h.want(http.StatusOK, agent(), "GET", "/helpdesk/counter/rives/devices")
		if strings.Contains(list, "Hall of the test") {
			t.Error("it was made all the same")
		}
		h.want(http.StatusNotFound, elsewhere(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen") // asked nothing
		h.stale = false
		h.want(http.StatusOK, agent(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen", "label", "Hall of the test")
		list, _ = h.want(http.StatusOK, agent(), "GET", "/helpdesk/counter/rives/devices")
		h.shows(list, "Hall of the test")
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

func TestWhoRunsTheDeskKeepsCounters(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		form := []string{
			"name_fr", "Matériel", "name_en", "Hardware", "campus", "rives", "minutes", "20", "at_once", "2", "lead", "2", "horizon", "14",
			"p0_fr", "Écran cassé", "p0_en", "Broken screen", "p0_bring_en", "The laptop", "p0_identity", "on",
		}
		h.want(http.StatusOK, manager(), "GET", "/helpdesk/setup/counters/new")
		h.want(http.StatusSeeOther, manager(), "POST", "/helpdesk/setup/counters/new", form...)
		body, _ := h.want(http.StatusOK, manager(), "GET", "/helpdesk/setup/counters/materiel")
		h.shows(body, "Broken screen", "ecran-casse")
		h.want(http.StatusNotFound, manager(), "GET", "/helpdesk/counters/materiel/other")
		h.want(http.StatusOK, lina, "GET", "/helpdesk/counters/materiel/ecran-casse")
		body, _ = h.want(http.StatusUnprocessableEntity, manager(), "POST", "/helpdesk/setup/counters/new", "minutes", "1", "campus", "moon", "queue", "x", "calendar", "x")
		h.shows(body, "Give the counter a name.", "from 5 to 240", "at least one reason", "Choose from the list.")
		h.want(http.StatusConflict, manager(), "POST", "/helpdesk/setup/counters/materiel", append(form, "version", "7")...)
		h.want(http.StatusSeeOther, manager(), "POST", "/helpdesk/setup/counters/materiel", append(form, "version", "1", "closed", "on")...)
		h.want(http.StatusNotFound, lina, "GET", "/helpdesk/counters/materiel")
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}
