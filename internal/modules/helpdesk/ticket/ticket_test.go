package ticket_test

import (
	"errors"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestATicketGoesFromOneSideToTheOther(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		lina, sam := campustest.Lina(), campustest.Sam()
		asked := x.Open(lina, "  Mot de passe\nrefusé ", "Je ne peux plus entrer.")
		if asked.State != ticket.New || asked.Subject != "Mot de passe refusé" || asked.Messages != 1 || asked.Queue != x.Queue.ID || asked.Version != 1 {
			t.Fatalf("opened as %+v", asked)
		}
		agent, person := tickettest.By(ticket.Agent, sam), tickettest.By(ticket.Requester, lina)
		x.Clock.Advance(time.Hour)
		answered := x.Change(asked, agent, func(w *ticket.Work) error {
			w.Assign(sam.Person)
			w.Say(ticket.Message{Body: "Essayez maintenant."})
			return w.Wait()
		})
		if answered.State != ticket.Waiting || !answered.AnsweredAt.Equal(tickettest.Start.Add(time.Hour)) || answered.Assignee != sam.Person || answered.LastBy != ticket.Agent {
			t.Errorf("answered as %+v", answered)
		}
		noted := x.Change(answered, agent, func(w *ticket.Work) error { w.Note(ticket.Message{Body: "Vu au téléphone."}); return nil })
		if noted.State != ticket.Waiting {
			t.Errorf("a note among agents changed the state to %s", noted.State)
		}
		back := x.Change(noted, person, func(w *ticket.Work) error { w.Say(ticket.Message{Body: "Toujours pas."}); return nil })
		if back.State != ticket.Open || !back.WaitingSince.IsZero() {
			t.Errorf("the person answered, and it is %s", back.State)
		}
		solved := x.Change(back, agent, func(w *ticket.Work) error { return w.Solve() })
		again := x.Change(solved, person, func(w *ticket.Work) error { w.Rate(ticket.RatedNo, " non "); return nil })
		if again.State != ticket.Open || again.Reopened != 1 || !again.SolvedAt.IsZero() || again.RatingWords != "non" {
			t.Errorf("said to be unsolved, it is %+v", again)
		}
		thread, err := x.Tickets.Thread(t.Context(), asked.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(thread.Messages) != 4 || len(thread.Public().Messages) != 3 || thread.Messages[2].Body != "Vu au téléphone." {
			t.Errorf("%d messages, %d of them public", len(thread.Messages), len(thread.Public().Messages))
		}
		if got, err := x.Tickets.ByNumber(t.Context(), asked.Number); err != nil || got.Version != again.Version {
			t.Errorf("by its number: %+v, %v", got, err)
		}
		if len(x.Heard) != 6 || !x.Heard[0].Opened() || x.Heard[1].After.State != ticket.Waiting {
			t.Errorf("followers heard %d changes", len(x.Heard))
		}
	})
}

func TestWhoWritesOverSomebodyElsesChangeIsTold(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		read := x.Open(campustest.Lina(), "Imprimante", "Plus de papier.")
		agent := tickettest.By(ticket.Agent, campustest.Sam())
		x.Change(read, agent, func(w *ticket.Work) error { return w.Take() })
		err := x.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := x.Tickets.Change(t.Context(), tx, read.ID, agent, func(w *ticket.Work) error {
				if err := w.Expect(read.Version); err != nil {
					return err
				}
				return w.Solve()
			})
			return err
		})
		if !errors.Is(err, ticket.Changed) {
			t.Errorf("got %v", err)
		}
		if now, err := x.Tickets.ByID(t.Context(), read.ID); err != nil || now.State != ticket.Open {
			t.Errorf("it is %s, %v", now.State, err)
		}
	})
}

func TestWhatIsMergedStaysSo(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		a, b := x.Open(campustest.Lina(), "A", "a"), x.Open(campustest.Lina(), "B", "b")
		agent := tickettest.By(ticket.Agent, campustest.Sam())
		a = x.Change(a, agent, func(w *ticket.Work) error { return w.MergeInto(b.ID) })
		if err := x.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := x.Tickets.Change(t.Context(), tx, a.ID, agent, func(w *ticket.Work) error { return w.Solve() })
			return err
		}); !errors.Is(err, ticket.WrongState) {
			t.Errorf("a merged ticket was solved: %v", err)
		}
	})
}

func TestAnAgentOfOneCampusHandlesItsTickets(t *testing.T) {
	there := campus.Viewer{Person: "p", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}}
	if !ticket.MayHandle(there, ticket.Ticket{Campus: "nord"}) || ticket.MayHandle(there, ticket.Ticket{Campus: "sud"}) || ticket.MayHandle(there, ticket.Ticket{}) {
		t.Error("a mandate over one campus reaches another")
	}
	if !ticket.MayHandle(campustest.Sam(), ticket.Ticket{Campus: "sud"}) || ticket.MayHandle(campustest.Lina(), ticket.Ticket{Campus: "nord"}) {
		t.Error("the right over everybody does not reach everybody, or a student handles tickets")
	}
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}

func TestWhatWasPutOffComesBackOnItsDayAndWhatWasSolvedEnds(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		agent := tickettest.By(ticket.Agent, campustest.Sam())
		off := x.Open(campustest.Lina(), "Plus tard", "…")
		done := x.Open(campustest.Lina(), "Résolue", "…")
		off = x.Change(off, agent, func(w *ticket.Work) error { return w.Postpone(tickettest.Start.Add(48 * time.Hour)) })
		done = x.Change(done, agent, func(w *ticket.Work) error { return w.Solve() })
		look := func(which ticket.Ticket, want ticket.State) {
			t.Helper()
			if err := x.Tickets.Wake(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := x.Tickets.CloseSolved(t.Context()); err != nil {
				t.Fatal(err)
			}
			if now, err := x.Tickets.ByID(t.Context(), which.ID); err != nil || now.State != want {
				t.Errorf("%s is %s, not %s (%v)", which.Subject, now.State, want, err)
			}
		}
		x.Clock.Advance(47 * time.Hour)
		look(off, ticket.Postponed)
		look(done, ticket.Solved)
		x.Clock.Advance(2 * time.Hour)
		look(off, ticket.Open)
		x.Clock.Advance(13 * 24 * time.Hour)
		look(done, ticket.Closed)
		look(off, ticket.Open)
	})
}
