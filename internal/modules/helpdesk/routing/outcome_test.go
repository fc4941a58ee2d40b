package routing_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// HoldersFor implements routing.Roll: Ana handles requests, and nobody else.
func (d *desk) HoldersFor(context.Context, campus.Right, []campus.Affiliation) ([]campus.PersonID, error) {
	return []campus.PersonID{"ana"}, nil
}

func TestARuleGivesToOnePersonAndTags(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		library := d.queue("library", "")
		rule := func(position int64, service string, who campus.PersonID, tags ...string) {
			d.Tx(func(tx db.Tx) error {
				_, err := d.Rules.Keep(t.Context(), tx, "alix", kept.Item[routing.Rule]{Position: position, Of: routing.Rule{
					Name: hours.Named{English: "rule"}, When: routing.Conditions{Services: []string{service}}, Queue: library.ID, Assignee: who, Tags: tags,
				}})
				return err
			})
		}
		rule(1, "koha", "ana", "books", "koha")
		rule(2, "koha", "", "vip", "books")
		rule(3, "hal", "gone", "papers")
		for _, c := range []struct {
			name, service string
			who           campus.PersonID
			tags          []string
			key           string
		}{
			{"an agent, and the tags of both rules", "koha", "ana", []string{"books", "koha", "vip"}, "assignee"},
			{"somebody who handles nothing any more", "hal", "", []string{"papers"}, "assignee_gone"},
			{"no rule", "moodle", "", nil, ""},
		} {
			got := d.ask(ticket.Ticket{Area: ticket.AreaService, Service: c.service, Requester: campustest.Lina().Person})
			again, err := d.Desk.Tickets.ByID(t.Context(), got.ID)
			if err != nil || got.Assignee != c.who || !slices.Equal(again.Tags, c.tags) {
				t.Errorf("%s: %q with %v, %v", c.name, got.Assignee, again.Tags, err)
			}
			said := slices.ContainsFunc(got.Routed, func(b ticket.Because) bool { return b.Key == "helpdesk.routing.because."+c.key })
			tagged := slices.ContainsFunc(got.Routed, func(b ticket.Because) bool { return b.Key == "helpdesk.routing.because.tags" })
			if c.key != "" && !said || tagged != (c.tags != nil) {
				t.Errorf("%s: because %+v", c.name, got.Routed)
			}
		}
		d.Tx(func(tx db.Tx) error {
			if _, err := d.Desk.Tickets.Join(t.Context(), tx, library.ID, "ana"); err != nil {
				return err
			}
			return d.Away(t.Context(), tx, library.ID, "ana", d.Clock.Now().Add(time.Hour))
		})
		if got := d.ask(ticket.Ticket{Area: ticket.AreaService, Service: "koha"}); got.Assignee != "" {
			t.Errorf("given to %q, who is away", got.Assignee)
		}
		if list, err := d.Desk.Tickets.ByIDs(t.Context(), []string{"none", d.ask(ticket.Ticket{Area: ticket.AreaService, Service: "hal"}).ID}); err != nil || len(list) != 1 || !slices.Equal(list[0].Tags, []string{"papers"}) {
			t.Errorf("read at once: %+v, %v", list, err)
		}
	})
}

func TestTagsAreCodes(t *testing.T) {
	for typed, want := range map[string][]string{
		"": {}, "Exam, vip exam": {"exam", "vip"}, "é": nil, "a_b": nil, "a b c d e f g h i j k": nil, "-a": nil, "<b>": nil,
	} {
		got, ok := ticket.ParseTags(typed)
		if ok != (want != nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%q is read as %v, %v", typed, got, ok)
		}
	}
}
