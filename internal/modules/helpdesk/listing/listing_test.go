package listing_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// people is the register of those whom tests know.
type people struct{ contract.Register }

func (people) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		for _, id := range ids {
			if id == v.Person {
				known[id] = contract.Known{ID: id, Subject: contract.Subject{GivenName: v.GivenName, FamilyName: v.FamilyName}}
			}
		}
	}
	return known, nil
}

func each(t *testing.T, test func(*testing.T, *tickettest.Desk, *listing.Listing)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		index := &words.Index{DB: x.DB}
		x.Tickets.Connect(x, x, index)
		l := listing.New(listing.Deps{
			DB: x.DB, Clock: x.Clock, Zone: x.Zone, Tickets: x.Tickets, Words: index, Register: people{},
			Places: place.Fixed{OfCampuses: []place.Place{{Code: "rives", French: "Rives", English: "Rives"}, {Code: "nord", French: "Nord", English: "North"}}},
			Agents: func(context.Context) ([]campus.PersonID, error) {
				return []campus.PersonID{campustest.Sam().Person, campustest.Nadia().Person}, nil
			},
			AgentsOf: func(_ context.Context, code string) ([]campus.PersonID, error) {
				if code == "nord" {
					return []campus.PersonID{campustest.Sam().Person, campustest.Nadia().Person}, nil
				}
				return []campus.PersonID{campustest.Sam().Person}, nil
			},
		})
		test(t, x, l)
	})
}

// numbers are the tracking numbers of a list, through the function that pages use.
func numbers(t *testing.T, l *listing.Listing, v campus.Viewer, query string) (list []string) {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	f := listing.ReadFilter(q).For(v, nil)
	for {
		rows, next, err := l.List(t.Context(), f, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			list = append(list, r.Number)
		}
		if next == "" {
			return list
		}
		f.After = next
	}
}

func same(a []string, tickets ...ticket.Ticket) bool {
	var b []string
	for _, t := range tickets {
		b = append(b, t.Number)
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func TestListsAreNarrowedSortedAndPaged(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		sam := campustest.Sam()
		agent := tickettest.By(ticket.Agent, sam)
		var five []ticket.Ticket
		for i := range 5 {
			x.Clock.Advance(time.Minute)
			five = append(five, x.Open(campustest.Lina(), fmt.Sprintf("Demande %d", i), "corps"))
		}
		x.Clock.Advance(time.Minute)
		five[3] = x.Change(five[3], agent, func(w *ticket.Work) error { w.Prioritise(ticket.Urgent); return nil })
		five[1] = x.Change(five[1], agent, func(w *ticket.Work) error { w.Assign(sam.Person); return nil })
		x.Clock.Advance(time.Minute)
		five[0] = x.Change(five[0], agent, func(w *ticket.Work) error { return w.Solve() })
		five[2] = x.Change(five[2], agent, func(w *ticket.Work) error { w.Say(ticket.Message{Body: "?"}); return w.Wait() })
		for query, want := range map[string][]ticket.Ticket{
			"":                          {five[3], five[1], five[4]},
			"state=over":                {five[0]},
			"state=waiting":             {five[2]},
			"state=all&sort=urgent":     {five[3], five[0], five[1], five[2], five[4]},
			"state=all&assignee=me":     {five[1]},
			"assignee=none":             {five[3], five[4]},
			"priority=urgent":           {five[3]},
			"campus=rives":              nil,
			"queue=mine":                nil,
			"queue=" + x.Queue.ID:       {five[3], five[1], five[4]},
			"due=late":                  nil,
			"area=hardware&state=all":   nil,
			"state=nonsense&sort=oops'": {five[3], five[1], five[4]},
		} {
			if got := numbers(t, l, sam, query); !same(got, want...) {
				t.Errorf("%q lists %v", query, got)
			}
		}
	})
}

func TestEveryWordThatWasSaidFindsTheTicketAgain(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		sam, lina := campustest.Sam(), campustest.Lina()
		first := x.Open(lina, "Wi-Fi à la bibliothèque", "L’eduroam refuse mon œuvre numérique.")
		second := x.Open(campustest.Paul(), "Moodle", "Le cours de bibliothéconomie manque.")
		first = x.Change(first, tickettest.By(ticket.Agent, sam), func(w *ticket.Work) error {
			w.Note(ticket.Message{Body: "Certificat périmé sur la borne 12."})
			return w.Solve()
		})
		for typed, want := range map[string][]ticket.Ticket{
			"eduroam":               {first},
			"EDUROAM oeuvre":        {first},
			"biblio":                {second, first}, // a word that may go on
			"biblio ":               nil,             // a whole word
			"bibliothèque":          {first},
			"borne certificat":      {first}, // notes among agents too
			"lina":                  {first},
			"paul.durand@valmont":   {second},
			"moodle eduroam":        nil,
			first.Number[:4]:        {first},
			"'; DROP TABLE x; --":   nil,
			"le la de":              nil,
			"eduroam' OR '1'='1":    {first}, // no more than words
			"cours bibliothéconomi": {second},
		} {
			if got := numbers(t, l, sam, url.Values{"q": {typed}}.Encode()); !same(got, want...) {
				t.Errorf("%q finds %v", typed, got)
			}
		}
		x.Tx(func(tx db.Tx) error { return words.Forget(t.Context(), tx, first.ID, words.Of("eduroam")) })
		if got := numbers(t, l, sam, "q=eduroam"); got != nil {
			t.Errorf("a forgotten word finds %v", got)
		}
	})
}

func TestAnAgentOfOneCampusListsItsTicketsOnly(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		here := x.Open(campustest.Lina(), "Ici", "imprimante")
		x.Open(campustest.Lina(), "Ailleurs", "imprimante")
		x.Tx(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE helpdesk_tickets SET campus = 'rives' WHERE id = $1", here.ID)
			return err
		})
		local := campus.Viewer{Person: "p", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "rives"}}}
		narrow := campus.Viewer{Person: "p", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "rives", Programme: "info"}}}
		for _, query := range []string{"", "q=imprimante", "state=all&assignee=none"} {
			if got := numbers(t, l, local, query); !same(got, here) {
				t.Errorf("%q lists %v for an agent of the campus", query, got)
			}
			if got := numbers(t, l, narrow, query); got != nil {
				t.Errorf("%q lists %v for an agent of one programme", query, got)
			}
			if got := numbers(t, l, campustest.Lina(), query); got != nil {
				t.Errorf("%q lists %v for a student", query, got)
			}
		}
	})
}

func TestOnlyAgentsReachTheLists(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server := x.Serve(l.Routes)
		secret := x.Open(campustest.Lina(), "Très personnel", "secret")
		x.Viewer = campustest.Sam()
		c := pagetest.Still()
		resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", url.Values{"act": {"take"}, "number": {secret.Number}})
		act, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
		if resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/views", pagetest.Form("name", "Urgentes", "priority", "urgent")); resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("keeping a list: %d", resp.StatusCode)
		}
		_, page := pagetest.Ask(t, c, http.MethodGet, server.URL+"/helpdesk/tickets", nil)
		if !strings.Contains(page, "Très personnel") || !strings.Contains(page, "Urgentes") {
			t.Fatal("an agent does not see the list")
		}
		if _, file := pagetest.Ask(t, c, http.MethodGet, server.URL+"/helpdesk/tickets.csv", nil); !strings.Contains(file, ticket.Spoken(secret.Number)+",Très personnel,Lina Martin") {
			t.Errorf("the file holds %s", file)
		}
		for _, v := range []campus.Viewer{{}, campustest.Lina(), campustest.Nadia(), campustest.Alix()} {
			x.Viewer = v
			for _, address := range []string{"GET /helpdesk/tickets", "GET /helpdesk/tickets.csv", "POST /helpdesk/tickets", "POST /helpdesk/tickets?size=50", "GET " + act, "POST " + act + "/undo", "POST /helpdesk/views", "POST /helpdesk/views/x/delete"} {
				method, path, _ := strings.Cut(address, " ")
				resp, page := pagetest.Ask(t, c, method, server.URL+path, url.Values{"act": {"close"}, "number": {secret.Number}})
				if resp.StatusCode < 300 || strings.Contains(page, "Très personnel") {
					t.Errorf("%s reaches %s: %d", v.Login, address, resp.StatusCode)
				}
			}
		}
		// Another agent neither sees nor undoes what Sam did.
		other := campustest.Sam()
		other.Person = "another"
		x.Viewer = other
		if resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+act+"/undo", url.Values{}); resp.StatusCode != http.StatusGone {
			t.Errorf("another agent undoes: %d", resp.StatusCode)
		}
	})
}
