package routing_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestConditionsHold(t *testing.T) {
	student := routing.Person{Known: true, Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives"}}}
	base := routing.Asked{
		Person: student, Day: hours.On(2026, 1, 12), Exams: []routing.Exams{{Span: hours.Span{First: hours.On(2026, 1, 5), Last: hours.On(2026, 1, 16)}, Campus: "rives"}},
		Ticket: ticket.Ticket{
			Area: ticket.AreaService, Service: "moodle", Reason: "provisioning.quota", Leaf: "service/not-ready", Campus: "rives", Channel: ticket.ByPortal,
			Subject: "Épreuve d’analyse impossible", RequesterMail: "lina@etu.valmont.example", Requester: "lina",
		},
	}
	for _, tc := range []struct {
		name string
		when routing.Conditions
		want bool
	}{
		{"nothing is asked", routing.Conditions{}, true},
		{"one area of two", routing.Conditions{Areas: []ticket.Area{ticket.AreaPortal, ticket.AreaService}}, true},
		{"another area", routing.Conditions{Areas: []ticket.Area{ticket.AreaPortal}}, false},
		{"the service", routing.Conditions{Services: []string{"moodle"}}, true},
		{"another service", routing.Conditions{Services: []string{"nextcloud"}}, false},
		{"how the reason begins", routing.Conditions{Reasons: []string{"provisioning."}}, true},
		{"another reason", routing.Conditions{Reasons: []string{"identity."}}, false},
		{"how the leaf begins", routing.Conditions{Leaves: []string{"service/"}}, true},
		{"another leaf", routing.Conditions{Leaves: []string{"network"}}, false},
		{"the campus", routing.Conditions{Campuses: []string{"rives"}}, true},
		{"another campus", routing.Conditions{Campuses: []string{"nord"}}, false},
		{"a student", routing.Conditions{Kinds: []campus.Kind{campus.Student}}, true},
		{"a teacher", routing.Conditions{Kinds: []campus.Kind{campus.Teacher}}, false},
		{"the channel", routing.Conditions{Channels: []ticket.Channel{ticket.ByPortal}}, true},
		{"another channel", routing.Conditions{Channels: []ticket.Channel{ticket.ByMail}}, false},
		{"a word without its accents", routing.Conditions{Words: []string{"EPREUVE"}}, true},
		{"a word in the middle of another", routing.Conditions{Words: []string{"preuve"}}, false},
		{"the domain of the address", routing.Conditions{Mail: []string{"@valmont.example"}}, true},
		{"the end of another domain", routing.Conditions{Mail: []string{"@mont.example"}}, false},
		{"the whole address", routing.Conditions{Mail: []string{"Lina@etu.valmont.example"}}, true},
		{"an incident", routing.Conditions{Incident: true}, false},
		{"locked out", routing.Conditions{LockedOut: true}, false},
		{"a day of examinations", routing.Conditions{Exams: true}, true},
		{"all of several", routing.Conditions{Exams: true, Services: []string{"moodle"}, Kinds: []campus.Kind{campus.Teacher}}, false},
	} {
		if got := tc.when.Hold(base); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	elsewhere := base
	elsewhere.Ticket.Campus, elsewhere.Person = "nord", routing.Person{}
	if elsewhere.Examined() {
		t.Error("the examinations of one campus are those of another")
	}
	locked := base
	locked.Ticket.Area, locked.Ticket.IncidentCode = ticket.AreaAccount, "K7M2-P4QX"
	if !locked.LockedOut() {
		t.Error("who has the code of a failed sign-in is not locked out")
	}
}

// desk is a desk with rules.
type desk struct {
	*tickettest.Desk
	*routing.Routing
}

func (d *desk) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		if slices.Contains(ids, v.Person) {
			known[v.Person] = contract.Known{ID: v.Person, Subject: contract.Subject{Affiliations: v.Affiliations}}
		}
	}
	return known, nil
}

func each(t *testing.T, test func(*testing.T, *desk)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		d := &desk{Desk: x}
		d.Routing = routing.New(routing.Deps{
			DB: x.DB, Tickets: x.Tickets, Register: d, Roll: d, Zone: x.Zone,
			Rules: &kept.Shelf[routing.Rule]{DB: x.DB, Kind: routing.Kind}, Exams: &kept.Shelf[routing.Exams]{DB: x.DB, Kind: routing.ExamsKind},
		})
		x.Tickets.Connect(d.Routing, x, x)
		test(t, d)
	})
}

// queue makes one.
func (d *desk) queue(team, campus string) (q ticket.Queue) {
	d.Tx(func(tx db.Tx) (err error) {
		q, err = d.Desk.Tickets.KeepQueue(d.T.Context(), tx, ticket.Queue{Team: team, Campus: campus, NameFrench: team + " " + campus})
		return err
	})
	return q
}

// ask opens a ticket.
func (d *desk) ask(t ticket.Ticket) (opened ticket.Ticket) {
	d.T.Helper()
	d.Tx(func(tx db.Tx) (err error) {
		opened, err = d.Desk.Tickets.Open(d.T.Context(), tx, ticket.ByHouse, ticket.Opening{Ticket: t, Message: ticket.Message{Body: "…"}})
		return err
	})
	return opened
}

func TestARequestGoesToItsTeamOnThePersonsCampus(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		lina := campustest.Lina().Person // of the campus Rives
		rives, nord, network, general := d.queue("accounts", "rives"), d.queue("accounts", "nord"), d.queue("network", ""), d.queue(routing.General, "rives")
		for _, tc := range []struct {
			name     string
			asked    ticket.Ticket
			queue    ticket.Queue
			priority ticket.Priority
			because  []string
		}{
			{"locked out", ticket.Ticket{Area: ticket.AreaAccount, Requester: lina, IncidentCode: "K7M2"}, rives, ticket.Urgent, []string{"lockout", "account", "campus"}},
			{"locked out on another campus", ticket.Ticket{Area: ticket.AreaAccount, Campus: "nord"}, nord, ticket.Urgent, []string{"lockout", "account", "campus"}},
			{"a campus without the team", ticket.Ticket{Area: ticket.AreaAccount, Campus: "sud", Requester: lina}, d.Queue, ticket.Normal, []string{"account"}},
			{"a team that is everywhere", ticket.Ticket{Area: ticket.AreaNetwork, Requester: lina}, network, ticket.Normal, []string{"network"}},
			{"a team that there is not", ticket.Ticket{Area: ticket.AreaHardware, Requester: lina}, general, ticket.Normal, []string{"hardware", "campus"}},
			{"about leaving", ticket.Ticket{Area: ticket.AreaOther, Requester: lina, Subject: "Départ en Erasmus"}, general, ticket.High, []string{"abroad", "campus"}},
			{"what no rule speaks of", ticket.Ticket{Area: ticket.AreaOther, Requester: lina, Subject: "Bonjour"}, general, ticket.Normal, []string{"campus"}},
		} {
			got := d.ask(tc.asked)
			var because []string
			for _, b := range got.Routed {
				because = append(because, b.Key[len("helpdesk.routing.because."):])
				for _, l := range campus.Locales {
					if !d.Texts.For(l).Has(b.Key) {
						t.Errorf("%s: %s has no sentence in %s", tc.name, b.Key, l)
					}
				}
			}
			if got.Queue != tc.queue.ID || got.Priority != tc.priority || !slices.Equal(because, tc.because) {
				t.Errorf("%s: priority %d because %v, in %s; want %s", tc.name, got.Priority, because, got.Queue, tc.queue.NameFrench)
			}
		}
		if got := d.ask(ticket.Ticket{Area: ticket.AreaNetwork, Requester: lina}); got.Campus != "rives" {
			t.Errorf("the campus of the person is %q", got.Campus)
		}
	})
}

func TestAskingWorksBeforeAnybodySetTheDeskUp(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		closed := d.Queue
		d.Tx(func(tx db.Tx) (err error) {
			closed.ClosedAt = d.Clock.Now()
			_, err = d.Desk.Tickets.KeepQueue(t.Context(), tx, closed)
			return err
		})
		got := d.ask(ticket.Ticket{Area: ticket.AreaPortal})
		if got.Queue == "" || got.Queue == closed.ID {
			t.Errorf("in the queue %q", got.Queue)
		}
		if again := d.ask(ticket.Ticket{Area: ticket.AreaPortal}); again.Queue != got.Queue {
			t.Error("every request makes a queue")
		}
	})
}

func TestTheInstitutionsRulesComeWhereItPutsThem(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		library := d.queue("library", "")
		d.queue("courses", "")
		d.Tx(func(tx db.Tx) error {
			_, err := d.Rules.Keep(t.Context(), tx, "alix", kept.Item[routing.Rule]{Position: 1, Of: routing.Rule{
				Name: hours.Named{French: "La bibliothèque s’occupe de Koha.", English: "The library looks after Koha."}, When: routing.Conditions{Services: []string{"koha"}},
				Queue: library.ID, Priority: ticket.Low, InTurn: true,
			}})
			if err != nil {
				return err
			}
			for _, who := range []campus.PersonID{"a", "b", "c"} {
				if _, err := d.Desk.Tickets.Join(t.Context(), tx, library.ID, who); err != nil {
					return err
				}
			}
			return d.Away(t.Context(), tx, library.ID, "b", d.Clock.Now().Add(24*time.Hour))
		})
		var given []campus.PersonID
		for range 3 {
			got := d.ask(ticket.Ticket{Area: ticket.AreaService, Service: "koha", Requester: campustest.Lina().Person})
			if got.Queue != library.ID || got.Priority != ticket.Low || got.Routed[0].French != "La bibliothèque s’occupe de Koha." {
				t.Fatalf("placed as %+v", got)
			}
			given = append(given, got.Assignee)
			d.Clock.Advance(time.Minute)
		}
		if !slices.Equal(given, []campus.PersonID{"a", "c", "a"}) {
			t.Errorf("given to %v: who is away, and in turn", given)
		}
		if away, err := d.Absences(t.Context(), library.ID, d.Clock.Now()); err != nil || len(away) != 1 || away["b"].IsZero() {
			t.Errorf("away: %v, %v", away, err)
		}

		rules, err := d.Ordered(t.Context())
		if err != nil || rules[0].Builtin != "" || len(rules) != len(routing.Builtin())+1 {
			t.Fatalf("%d rules, %v", len(rules), err)
		}
		without := make([]routing.Ordered, 0, len(rules))
		for _, r := range rules[1:] {
			without = append(without, r.Ordered)
		}
		tried, err := d.Try(t.Context(), without, 2)
		if err != nil || len(tried) != 2 || !tried[0].Differs() || tried[0].Wants != ticket.Normal || tried[0].Would == library.ID {
			t.Errorf("without the rule: %+v, %v", tried, err)
		}
		now := append([]routing.Ordered{rules[0].Ordered}, without...)
		if tried, err = d.Try(t.Context(), now, 100); err != nil || len(tried) != 3 || tried[0].Differs() {
			t.Errorf("with it: %+v, %v", tried, err)
		}
	})
}

func TestABuiltInRuleCanBeTurnedOff(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.Tx(func(tx db.Tx) error {
			_, err := d.Rules.Keep(t.Context(), tx, "alix", kept.Item[routing.Rule]{ID: "lockout", Position: 5, Of: routing.Rule{Builtin: "lockout", Off: true}})
			return err
		})
		if got := d.ask(ticket.Ticket{Area: ticket.AreaAccount, IncidentCode: "K7M2"}); got.Priority != ticket.Normal {
			t.Errorf("priority %d", got.Priority)
		}
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}
