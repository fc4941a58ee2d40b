package promise_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// told is who was told what.
type told struct {
	who campus.PersonID
	contract.Notice
}

// house is a desk that promises, and notes whom it tells.
type house struct {
	*tickettest.Desk
	*promise.Promises
	told []told
}

func (h *house) Notify(_ context.Context, _ db.Tx, to campus.PersonID, n contract.Notice) error {
	h.told = append(h.told, told{to, n})
	return nil
}

func (h *house) HoldersOf(context.Context, campus.Right) ([]campus.PersonID, error) {
	return []campus.PersonID{campustest.Alix().Person}, nil
}

// each runs a test with a desk that is open on weekdays from 9:00 to 12:30 and from
// 13:30 to 17:00, and promises an answer within 4 hours and a solution within 16; to
// the urgent, within one and 4.
func each(t *testing.T, test func(*testing.T, *house)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		h := &house{Desk: x}
		calendars := &openings.Calendars{
			Plans: &kept.Shelf[hours.Plan]{DB: x.DB, Kind: openings.Kind}, Zone: x.Zone,
			Terms: &term.Terms{Shelf: &kept.Shelf[term.Term]{DB: x.DB, Kind: term.Kind}, Zone: x.Zone},
		}
		h.Promises = promise.New(promise.Deps{
			DB: x.DB, Clock: x.Clock, Tickets: x.Tickets, Calendars: calendars, Tables: &kept.Shelf[promise.Table]{DB: x.DB, Kind: promise.Kind}, Roll: h, Notices: h,
		})
		x.Tickets.Connect(x, h.Promises, h.Promises)
		plan := hours.Plan{House: true}
		for d := time.Monday; d <= time.Friday; d++ {
			plan.Week[d] = []hours.Frame{{From: 9 * 60, To: 12*60 + 30}, {From: 13*60 + 30, To: 17 * 60}}
		}
		x.Tx(func(tx db.Tx) error {
			if _, err := calendars.Plans.Keep(t.Context(), tx, "", kept.Item[hours.Plan]{Of: plan}); err != nil {
				return err
			}
			_, err := h.Tables.Keep(t.Context(), tx, "", kept.Item[promise.Table]{ID: promise.House, Of: promise.Table{{Answer: 60, Solve: 240}, {}, {Answer: 240, Solve: 960}, {}}})
			return err
		})
		test(t, h)
	})
}

// paris is an instant of the week of the tests, by the clock of the desk.
func (h *house) paris(day, hour, minute int) time.Time {
	return time.Date(2026, time.November, day, hour, minute, 0, 0, h.Zone)
}

// goTo moves the clock.
func (h *house) goTo(at time.Time) { h.Clock.Set(at) }

func (h *house) want(what string, got, want time.Time) {
	h.T.Helper()
	if !got.Equal(want) {
		h.T.Errorf("%s: %s, want %s", what, got.In(h.Zone), want)
	}
}

var (
	agent  = tickettest.By(ticket.Agent, campustest.Sam())
	person = tickettest.By(ticket.Requester, campustest.Lina())
)

func TestPromisedTimesCountOpeningHoursAndStandStillWhileWaiting(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asked := h.Open(campustest.Lina(), "Moodle", "Rien ne s’affiche.") // Monday 10:00
		h.want("an answer after lunch", asked.AnswerDue, h.paris(23, 15, 0))
		h.want("a solution two days later", asked.SolveDue, h.paris(25, 12, 0))

		h.goTo(h.paris(23, 11, 0))
		waiting := h.Change(asked, agent, func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: "Quel navigateur ?"})
			return w.Wait()
		})
		h.want("while it waits, nothing moves", waiting.SolveDue, h.paris(25, 12, 0))
		h.goTo(h.paris(24, 10, 0)) // 1.5 + 3.5 + 1 hours of opening later
		back := h.Change(waiting, person, func(w *ticket.Work) error { w.Say(ticket.Message{Body: "Firefox."}); return nil })
		if back.Paused != 6*time.Hour {
			t.Errorf("it waited %s of opening hours", back.Paused)
		}
		h.want("the solution, six opening hours later", back.SolveDue, h.paris(26, 11, 0))
		h.want("the answer, which was given", back.AnswerDue, h.paris(23, 15, 0))

		put := h.Change(back, agent, func(w *ticket.Work) error { return w.Postpone(h.paris(25, 9, 0)) })
		h.goTo(h.paris(25, 9, 0))
		taken := h.Change(put, agent, func(w *ticket.Work) error { return w.Take() })
		if taken.Paused != 12*time.Hour {
			t.Errorf("put off as well, it stood still for %s", taken.Paused)
		}
		solved := h.Change(taken, agent, func(w *ticket.Work) error { return w.Solve() })
		h.goTo(h.paris(25, 11, 0))
		again := h.Change(solved, person, func(w *ticket.Work) error { w.Rate(ticket.RatedNo, ""); return nil })
		if again.Paused != 14*time.Hour {
			t.Errorf("solved for two hours, it stood still for %s", again.Paused)
		}
	})
}

func TestAPromiseMovesWithThePriorityAndNotWithChangedHours(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asked := h.Open(campustest.Lina(), "Compte", "Bloqué.")
		h.goTo(h.paris(23, 10, 10))
		urgent := h.Change(asked, agent, func(w *ticket.Work) error { w.Prioritise(ticket.Urgent); return nil })
		h.want("the answer to who is urgent", urgent.AnswerDue, h.paris(23, 11, 0))
		none := h.Change(urgent, agent, func(w *ticket.Work) error { w.Prioritise(ticket.Low); return nil })
		if !none.AnswerDue.IsZero() || !none.SolveDue.IsZero() {
			t.Errorf("nothing is promised to this priority, but %s and %s", none.AnswerDue, none.SolveDue)
		}
		normal := h.Change(none, agent, func(w *ticket.Work) error { w.Prioritise(ticket.Normal); return nil })

		plans, err := h.Calendars.Plans.All(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.Tx(func(tx db.Tx) error {
			item := plans[0]
			item.Of.Exceptions = []hours.Exception{{Span: hours.Span{First: hours.On(2026, 11, 23), Last: hours.On(2026, 11, 23)}}}
			_, err := h.Calendars.Plans.Keep(t.Context(), tx, "", item)
			return err
		})
		noted := h.Change(normal, agent, func(w *ticket.Work) error { w.Note(ticket.Message{Body: "Vu."}); return nil })
		h.want("what was promised", noted.AnswerDue, h.paris(23, 15, 0))

		h.Tx(func(tx db.Tx) error { return h.Recount(t.Context(), tx, []string{h.Queue.ID}) }) // the job
		if err := h.RecountNow(t.Context(), h.Queue.ID); err != nil {
			t.Fatal(err)
		}
		counted, err := h.Tickets.ByID(t.Context(), asked.ID)
		if err != nil {
			t.Fatal(err)
		}
		h.want("counted anew, the day that is closed left out", counted.AnswerDue, h.paris(24, 14, 0))
		thread, err := h.Tickets.Thread(t.Context(), asked.ID)
		if err != nil || thread.Events[len(thread.Events)-1].Kind != "promise_moved" {
			t.Errorf("the request does not say so: %v", err)
		}
	})
}

func TestAPromiseIsWarnedOfAndEscalatedOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		sam, paul := campustest.Sam().Person, campustest.Paul().Person
		h.Tx(func(tx db.Tx) error {
			_, err := h.Tickets.Join(t.Context(), tx, h.Queue.ID, paul)
			return err
		})
		asked := h.Open(campustest.Lina(), "Moodle", "Rien.")
		watch := func() {
			t.Helper()
			for range 2 { // run twice, it says everything once
				if err := h.Watch(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		wants := func(when string, want ...campus.PersonID) {
			t.Helper()
			var got []campus.PersonID
			for _, n := range h.told {
				got = append(got, n.who)
				if n.URL != "/helpdesk/tickets/"+asked.Number {
					t.Errorf("%s: leads to %s", when, n.URL)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: told %v, want %v", when, got, want)
			}
			h.told = nil
		}
		h.goTo(h.paris(23, 12, 0))
		watch()
		wants("long before")
		h.goTo(h.paris(23, 14, 0)) // three of the four hours
		watch()
		wants("when it is near, the members of the queue", paul)
		h.goTo(h.paris(23, 15, 0))
		watch()
		wants("when it is missed, those who run the desk as well", paul, campustest.Alix().Person)
		answered := h.Change(asked, agent, func(w *ticket.Work) error {
			w.Assign(sam)
			w.Say(ticket.Message{Body: "Nous regardons."})
			return nil
		})
		if answered.Escalated != 2 {
			t.Errorf("escalated %d times", answered.Escalated)
		}
		h.goTo(h.paris(25, 9, 0))
		watch()
		wants("when the solution is near, who has it", sam)
		waiting := h.Change(answered, agent, func(w *ticket.Work) error { return w.Wait() })
		h.goTo(h.paris(27, 9, 0))
		watch()
		wants("while it waits for the person")
		back := h.Change(waiting, person, func(w *ticket.Work) error { w.Say(ticket.Message{Body: "Voilà."}); return nil })
		watch()
		wants("when it goes on, as near as before")
		h.goTo(back.SolveDue)
		watch()
		wants("when the solution is missed", sam, campustest.Alix().Person)
		thread, err := h.Tickets.Thread(t.Context(), asked.ID)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, e := range thread.Events {
			if e.By.Role == ticket.House {
				kinds = append(kinds, e.Kind)
			}
		}
		if !slices.Equal(kinds, []string{"answer_near", "answer_missed", "solve_near", "solve_missed"}) {
			t.Errorf("the request says %v", kinds)
		}
	})
}

func TestWhatWasNeverWarnedOfIsMissedOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.Open(campustest.Lina(), "Moodle", "Rien.")
		h.goTo(h.paris(23, 16, 0)) // the job did not run meanwhile
		if err := h.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(h.told) != 1 || h.told[0].Tone != "bad" {
			t.Errorf("told %+v", h.told)
		}
		for _, n := range h.told { // who runs the desk may not read every request
			if strings.Contains(n.TitleFrench+n.TitleEnglish+n.DetailFrench+n.DetailEnglish, "Moodle") {
				t.Errorf("the subject is told: %+v", n.Notice)
			}
		}
	})
}

func TestTheEstimateComesFromWhatLikeRequestsReallyTook(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		past := h.Clock.Now().AddDate(0, 0, -7) // a Monday, 10:00
		for i := range 10 {
			h.goTo(past)
			one := h.Open(campustest.Lina(), "Moodle", "Rien.")
			h.goTo(past.Add(time.Duration(i+1) * 6 * time.Minute)) // answered after 6 to 60 minutes
			h.Change(one, agent, func(w *ticket.Work) error {
				w.Say(ticket.Message{Body: "Voilà."})
				return w.Solve()
			})
		}
		h.goTo(h.paris(23, 16, 30))
		asked := h.Open(campustest.Lina(), "Moodle", "Encore.")
		before, err := h.Outlook(t.Context(), asked)
		if err != nil || before.Answer.Cases != 0 || before.AnswerDue.IsZero() || before.Ahead != 0 {
			t.Fatalf("before anything was counted: %+v, %v", before, err)
		}
		if err := h.Estimate(t.Context()); err != nil {
			t.Fatal(err)
		}
		o, err := h.Outlook(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		if o.Answer.Cases != 10 || o.Answer.Overdue {
			t.Errorf("estimated from %+v", o.Answer)
		}
		h.want("half were answered within 30 minutes", o.Answer.Usual, h.paris(23, 17, 0))
		h.want("four in five within 48, the rest of them tomorrow", o.Answer.Late, h.paris(24, 9, 18))

		h.goTo(h.paris(24, 9, 10))
		if o, err = h.Outlook(t.Context(), asked); err != nil || !o.Answer.Usual.IsZero() || o.Answer.Late.IsZero() {
			t.Errorf("what is past is not expected: %+v, %v", o.Answer, err)
		}
		h.goTo(h.paris(24, 9, 30))
		if o, err = h.Outlook(t.Context(), asked); err != nil || !o.Answer.Overdue {
			t.Errorf("later than four in five: %+v, %v", o.Answer, err)
		}
		h.Open(campustest.Lina(), "Moins vieux", "…")
		urgent := h.Open(campustest.Lina(), "Urgent", "…")
		h.Change(urgent, agent, func(w *ticket.Work) error { w.Prioritise(ticket.Urgent); return nil })
		if o, err = h.Outlook(t.Context(), asked); err != nil || o.Ahead != 1 {
			t.Errorf("%d come first, %v", o.Ahead, err)
		}
		waiting := h.Change(asked, agent, func(w *ticket.Work) error { return w.Wait() })
		if o, err = h.Outlook(t.Context(), waiting); err != nil || o.Still != ticket.Waiting || o.Ahead != -1 {
			t.Errorf("while it waits: %+v, %v", o, err)
		}
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}
