package figures_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/figures"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

type services struct{}

func (services) ServiceCalled(context.Context, string) (name, address string) { return "Moodle", "" }

// open opens figures that follow the tickets of a desk.
func open(x *tickettest.Desk) *figures.Figures {
	f := figures.New(figures.Deps{
		DB: x.DB, Clock: x.Clock, Zone: x.Zone, Tickets: x.Tickets, Services: services{}, Places: place.Fixed{OfCampuses: []place.Place{{Code: "rives", French: "Rives"}, {Code: "parc", French: "Parc"}}},
		Calendars: &openings.Calendars{
			Plans: &kept.Shelf[hours.Plan]{DB: x.DB, Kind: openings.Kind}, Terms: &term.Terms{Shelf: &kept.Shelf[term.Term]{DB: x.DB, Kind: term.Kind}, Zone: x.Zone}, Zone: x.Zone,
		},
	})
	x.Tickets.Connect(x, x, f)
	return f
}

// busy makes weeks of tickets with everything that can happen to them.
func busy(x *tickettest.Desk, n int) {
	random := rand.New(rand.NewPCG(6, uint64(x.Clock.Now().Unix())))
	person, agent := tickettest.By(ticket.Requester, campustest.Lina()), tickettest.By(ticket.Agent, campustest.Sam())
	var list []ticket.Ticket
	for range n {
		x.Clock.Advance(time.Duration(random.IntN(90)) * time.Minute)
		x.Tx(func(tx db.Tx) error {
			t, err := x.Tickets.Open(x.T.Context(), tx, person, ticket.Opening{
				Ticket:  ticket.Ticket{Requester: person.Person, Subject: "x", Channel: ticket.ByPortal, Campus: []string{"rives", "parc", ""}[random.IntN(3)], Area: ticket.Areas[random.IntN(3)], Service: []string{"", "moodle"}[random.IntN(2)], Reason: []string{"", "identity.locked"}[random.IntN(2)]},
				Message: ticket.Message{Body: "x"},
			})
			list = append(list, t)
			return err
		})
		for range random.IntN(3) {
			i := random.IntN(len(list))
			by, act := agent, random.IntN(5)
			if act >= 3 {
				by = person
			}
			list[i] = x.Change(list[i], by, func(w *ticket.Work) error {
				switch act {
				case 0:
					w.Say(ticket.Message{Body: "x"})
				case 1:
					w.Spend(10 * time.Minute)
					if !w.Ticket.State.Over() {
						return w.Solve()
					}
				case 2:
					if !w.Ticket.State.Over() {
						return w.Close()
					}
				case 3:
					w.Say(ticket.Message{Body: "x"})
				case 4:
					w.Rate(ticket.Rating(1+random.IntN(3)), "")
				}
				return nil
			})
		}
	}
}

// straight counts tickets one after the other, as anybody would by hand.
func straight(t *testing.T, x *tickettest.Desk, first, last hours.Date, campus string) (opened, solved, answered, rated, open, reopened int, waits []int) {
	t.Helper()
	in := func(at time.Time) bool {
		return !at.IsZero() && hours.DateIn(at, x.Zone) >= first && hours.DateIn(at, x.Zone) <= last
	}
	list, err := x.Tickets.Of(t.Context(), campustest.Lina().Person)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		if campus != "" && one.Campus != campus {
			continue
		}
		if in(one.OpenedAt) {
			opened++
		}
		if in(one.SolvedAt) {
			solved++
			if one.Reopened > 0 {
				reopened++
			}
		}
		if in(one.AnsweredAt) {
			answered++
			waits = append(waits, int(one.AnsweredAt.Sub(one.OpenedAt)/time.Minute))
		}
		if in(one.RatedAt) {
			rated++
		}
		if hours.DateIn(one.OpenedAt, x.Zone) <= last && (one.SolvedAt.IsZero() || hours.DateIn(one.SolvedAt, x.Zone) > last) {
			open++
		}
	}
	slices.Sort(waits)
	return
}

func TestDaysThatWereAddedUpAreTheSameAsAStraightCount(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		f := open(x)
		today := hours.DateIn(tickettest.Start, x.Zone)
		for round := range 3 { // late changes of days that were counted already
			busy(x, 60)
			for range 2 { // counting twice changes nothing
				if err := f.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range []figures.Scope{{First: today - 5, Last: today + 40}, {First: today + 1, Last: today + 2}, {First: today, Last: today + 1, Campus: "parc"}, {First: today + 1, Last: today + 3, Queue: x.Queue.ID}} {
				r, err := f.Report(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				opened, solved, answered, rated, open, reopened, waits := straight(t, x, s.First, s.Last, s.Campus)
				y := r.All
				if y.Opened != opened || y.Solved != solved || y.Answered != answered || y.Ratings[1]+y.Ratings[2]+y.Ratings[3] != rated || r.Backlog() != open || y.Reopened != reopened {
					t.Errorf("round %d, %s to %s: counted %+v with %d open; by hand %d opened, %d solved, %d answered, %d rated, %d open, %d reopened", round, s.First, s.Last, y, r.Backlog(), opened, solved, answered, rated, open, reopened)
				}
				if len(waits) > 0 {
					if got, want := figures.Percentile(y.Answers, .5), waits[(len(waits)-1)/2]; int(got.Minutes()) != want {
						t.Errorf("half were answered within %v, by hand %d min", got, want)
					}
				}
			}
		}
	})
}

func TestTicketsThatWereWrittenPastTheHouseAreCountedWhenAskedTo(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		f := open(x)
		x.Tickets.Connect(x, x) // nobody follows
		busy(x, 20)
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		today := hours.DateIn(tickettest.Start, x.Zone)
		if r, err := f.Report(t.Context(), figures.Scope{First: today, Last: today + 9}); err != nil || r.All.Opened != 20 {
			t.Errorf("counted %+v, %v", r.All, err)
		}
	})
}

func TestFewCasesAreNotToldApart(t *testing.T) {
	for _, c := range []struct {
		name   string
		counts map[string]int
		want   string
	}{
		{"nothing", nil, ""},
		{"frequent ones are told", map[string]int{"a": 9, "b": 7}, "a 9, b 7"},
		{"rare ones go together", map[string]int{"a": 90, "b": 3, "c": 4}, "a 90, rare 7"},
		{"one rare one takes the next with it, or the sum would tell", map[string]int{"a": 90, "b": 7, "c": 1}, "a 90, rare 8"},
		{"when all are rare, all go together", map[string]int{"a": 1, "b": 1}, "rare 2"},
	} {
		if got := figures.Breakdown(c.counts); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFiguresAreForWhoRunsTheDeskAndForAgentsOfTheirCampus(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		f := open(x)
		busy(x, 120)
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		server := x.Serve(func(r *web.Router) { f.Routes(r) })
		paths := []string{"/helpdesk/figures", "/helpdesk/figures?period=own&first=2026-11-20&last=2026-12-31", "/helpdesk/figures/summary.csv", "/helpdesk/figures/hours.csv?period=year"}
		manager := campustest.Paul()
		manager.Rights = []campus.Right{campus.RightDesks}
		local := campustest.Paul()
		local.Mandates = []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "parc"}}
		for _, c := range []struct {
			name    string
			who     campus.Viewer
			status  int
			recount int
		}{
			{"a stranger", campus.Viewer{}, 303, 401}, {"a student", campustest.Lina(), 403, 403}, {"an agent", campustest.Sam(), 200, 403}, {"who runs the desk", manager, 200, 303}, {"an agent of a campus", local, 200, 403},
		} {
			x.Viewer = c.who
			for _, path := range paths {
				if a, _ := pagetest.Ask(t, pagetest.Still(), "GET", server.URL+path, nil); a.StatusCode != c.status {
					t.Errorf("%s: %s answers %d", c.name, path, a.StatusCode)
				}
			}
			if a, _ := pagetest.Ask(t, pagetest.Still(), "POST", server.URL+"/helpdesk/figures/recount", pagetest.Form()); a.StatusCode != c.recount {
				t.Errorf("%s: counting again answers %d", c.name, a.StatusCode)
			}
		}
		x.Viewer = manager
		_, all := pagetest.Ask(t, pagetest.Still(), "GET", server.URL+"/helpdesk/figures/campuses.csv?period=year", nil)
		x.Viewer = local
		_, own := pagetest.Ask(t, pagetest.Still(), "GET", server.URL+"/helpdesk/figures/campuses.csv?period=year", nil)
		_, other := pagetest.Ask(t, pagetest.Still(), "GET", server.URL+"/helpdesk/figures/campuses.csv?period=year&campus=rives", nil)
		if !strings.Contains(all, "Rives") || strings.Contains(own, "Rives") || !strings.Contains(own, "Parc") || strings.Contains(other, "Rives") {
			t.Errorf("all %q, own %q, another's %q", all, own, other)
		}
		x.Viewer = manager
		for path, status := range map[string]int{"/helpdesk/figures/nothing.csv": 404, "/helpdesk/figures/summary": 404, "/helpdesk/figures?period=own&first=x&last=y": 422, "/helpdesk/figures?period=own&first=1990-01-01&last=2026-01-01": 422} {
			if a, _ := pagetest.Ask(t, pagetest.Still(), "GET", server.URL+path, nil); a.StatusCode != status {
				t.Errorf("%s answers %d, want %d", path, a.StatusCode, status)
			}
		}
		_, page := pagetest.Ask(t, pagetest.Still(), "GET", server.URL+"/helpdesk/figures?period=year", nil)
		if strings.Contains(page, "style=") || strings.Count(page, `<figure class="chart"`) != 9 || strings.Count(page, "<table") != 10 {
			t.Errorf("the page has %d drawings and %d tables", strings.Count(page, `<figure class="chart"`), strings.Count(page, "<table"))
		}
	})
}
