package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/setup"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// deskTeams are the teams of each campus; the first one has them all, with those that
// the others lean on.
var deskTeams = map[string][]string{
	"rives": {"accounts", "courses", "hardware", routing.General}, "hauteville": {"accounts", "hardware", routing.General}, "port": {"accounts", routing.General},
}

// seedDesks sets up a desk on each campus as its manager would: hours, queues, agents,
// promises, examinations, a rule and the start of the next term.
func (h Rooms) seedDesks(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	desk, manager := h.Helpdesk.Setup(), people["admin"]
	weeks := map[string]hours.Week{}
	for _, c := range u.Campuses { // one after the other: the first one's hours are those of the house
		plan, rush, ok := demoHours(u, c)
		if !ok {
			continue
		}
		if err := h.DB.InTx(ctx, func(tx db.Tx) error {
			calendar, queues, err := desk.Found(ctx, tx, manager, setup.Desk{Campus: c.Code, Teams: deskTeams[c.Code], Plan: plan})
			if err != nil {
				return err
			}
			weeks[calendar] = rush
			place := counter.Usual()
			place.Campus, place.Calendar = c.Code, calendar
			if err := h.Helpdesk.Reception().Seed(ctx, tx, manager, c.Code, place); err != nil {
				return err
			}
			for _, p := range u.People {
				if !slices.Contains(p.Rights, campus.RightHelpdesk) || !slices.ContainsFunc(p.Affiliations, func(a campus.Affiliation) bool { return a.Campus == c.Code }) {
					continue
				}
				for _, q := range queues {
					if _, err := h.Helpdesk.Tickets().Join(ctx, tx, q.ID, people[p.Login]); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("set up the desk of %s: %w", c.Code, err)
		}
	}
	return h.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := desk.Promises.Tables.Keep(ctx, tx, manager, kept.Item[promise.Table]{ID: promise.House, Of: setup.Suggested}); err != nil {
			return err
		}
		for _, q := range []ticket.Queue{
			{Team: "network", NameFrench: "Réseau et Wi-Fi", NameEnglish: "Network and Wi-Fi"}, {Team: "portal", NameFrench: "Portail", NameEnglish: "Portal"},
		} {
			if _, err := h.Helpdesk.Tickets().KeepQueue(ctx, tx, q); err != nil {
				return err
			}
		}
		for _, s := range u.Institution.Year.Semesters {
			span := hours.Span{First: demoDay(s.Exams.First), Last: demoDay(s.Exams.Last)}
			if _, err := desk.Routing.Exams.Keep(ctx, tx, manager, kept.Item[routing.Exams]{Position: int64(span.First), Of: routing.Exams{Span: span, Name: named(s.Exams.Name)}}); err != nil {
				return err
			}
		}
		if _, err := desk.Routing.Rules.Keep(ctx, tx, manager, kept.Item[routing.Rule]{Position: routing.Step / 2, Of: routing.Rule{
			Name: hours.Named{French: "Une salle de cours est concernée : quelqu’un attend devant.", English: "It is about a classroom: somebody is waiting in it."},
			When: routing.Conditions{Areas: []ticket.Area{ticket.AreaHardware}, Words: []string{"vidéoprojecteur", "projector", "salle", "room"}}, Priority: ticket.High,
		}}); err != nil {
			return err
		}
		next := u.Institution.Year.Semesters[len(u.Institution.Year.Semesters)-1]
		first := demoDay(next.First)
		_, err := desk.Calendars.Terms.Shelf.Keep(ctx, tx, manager, kept.Item[term.Term]{Position: int64(first), Of: term.Term{
			Span: hours.Span{First: first, Last: first + 20}, Name: hours.Named{French: "Rentrée du " + next.Name.French, English: "Start of the " + next.Name.English}, Weeks: weeks,
			Banner: hours.Named{French: "C’est la rentrée : les assistances ouvrent plus tôt et ferment plus tard.", English: "It is the start of term: the help desks open earlier and close later."},
			Ask:    []ticket.Area{ticket.AreaAccount, ticket.AreaService},
		}})
		return err
	})
}

// demoHours are the opening hours of a campus’s help desk, with its closures, and its
// week while a term begins; ok is false when the campus has none.
func demoHours(u *valmont.University, c valmont.Campus) (plan hours.Plan, rush hours.Week, ok bool) {
	i := slices.IndexFunc(c.Desks, func(d valmont.Desk) bool { return strings.HasPrefix(d.Code, "assistance-") })
	if i < 0 {
		return hours.Plan{}, hours.Week{}, false
	}
	plan = hours.Plan{Name: hours.Named{French: "Assistance · " + c.Name.French, English: "Help desk · " + c.Name.English}, Campus: c.Code, Public: hours.France, Week: demoWeek(c.Desks[i].Hours, true)}
	for _, closed := range u.Institution.Year.Closures {
		plan.Exceptions = append(plan.Exceptions, hours.Exception{Span: hours.Span{First: demoDay(closed.First), Last: demoDay(closed.Last)}, Name: named(closed.Name)})
	}
	return plan, demoWeek(c.Desks[i].RushHours, false), true
}

// demoWeek is a week of a counter, closed for lunch where it says so.
func demoWeek(list valmont.Hours, lunch bool) (w hours.Week) {
	for _, o := range list {
		for _, d := range o.Days {
			if lunch && o.From < 12*60 && o.To > 14*60 {
				w[d] = append(w[d], hours.Frame{From: int(o.From), To: 12*60 + 30}, hours.Frame{From: 13*60 + 15, To: int(o.To)})
			} else {
				w[d] = append(w[d], hours.Frame{From: int(o.From), To: int(o.To)})
			}
		}
	}
	return w
}

func demoDay(d valmont.Date) hours.Date { return hours.On(d.Year, d.Month, d.Day) }

func named(t valmont.Text) hours.Named { return hours.Named{French: t.French, English: t.English} }
