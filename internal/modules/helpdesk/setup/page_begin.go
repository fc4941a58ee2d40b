package setup

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// beginView is the first step of the guided setup: which campus, which teams.
type beginView struct {
	Form            url.Values
	Problems        web.Problems
	Campuses, Teams []ui.Option
}

func (s *Setup) beginPage(w http.ResponseWriter, r *http.Request) error {
	return s.showBegin(w, r, http.StatusOK, url.Values{"teams": {routing.General}}, nil)
}

func (s *Setup) showBegin(w http.ResponseWriter, r *http.Request, status int, form url.Values, problems web.Problems) error {
	ctx := r.Context()
	view := beginView{Form: form, Problems: problems, Campuses: s.campuses(ctx)}
	for _, team := range routing.Teams {
		view.Teams = append(view.Teams, ui.Option{Value: team, Label: teamName(ctx, team), Help: t(ctx, "team_help."+team)})
	}
	return web.Render(w, r, status, beginTempl(view))
}

// teamFrench and teamEnglish are what the queues of the guided setup are called, since
// a name is kept in both languages whatever the reader's is.
var (
	teamFrench  = map[string]string{"accounts": "Comptes et mots de passe", "portal": "Portail", "courses": "Moodle et services", "network": "Réseau et Wi-Fi", "hardware": "Matériel et cartes", routing.General: "Assistance"}
	teamEnglish = map[string]string{"accounts": "Accounts and passwords", "portal": "Portal", "courses": "Moodle and services", "network": "Network and Wi-Fi", "hardware": "Hardware and cards", routing.General: "Help desk"}
)

// Desk is what the guided setup makes at once: the hours of a campus, and a queue for
// each team.
type Desk struct {
	Campus string
	Teams  []string
	Plan   hours.Plan
}

// Found makes a desk: its calendar and its queues, as far as the campus does not have
// them yet. Hours that were typed before are kept, so that going through the steps once
// more, to add a team, loses nothing.
func (s *Setup) Found(ctx context.Context, tx db.Tx, by campus.PersonID, d Desk) (calendar string, queues []ticket.Queue, err error) {
	plans, err := s.Calendars.Plans.All(ctx)
	if err != nil {
		return "", nil, err
	}
	var plan kept.Item[hours.Plan]
	if i := slices.IndexFunc(plans, func(p kept.Item[hours.Plan]) bool { return p.Of.Campus == d.Campus }); i >= 0 {
		plan = plans[i]
	} else {
		if !slices.ContainsFunc(plans, func(p kept.Item[hours.Plan]) bool { return p.Of.House }) {
			d.Plan.House = true
		}
		if plan, err = s.Calendars.Plans.Keep(ctx, tx, by, kept.Item[hours.Plan]{Of: d.Plan}); err != nil {
			return "", nil, err
		}
	}
	there, err := s.Tickets.Queues(ctx)
	if err != nil {
		return "", nil, err
	}
	for _, team := range d.Teams {
		q := ticket.Queue{Team: team, Campus: d.Campus, NameFrench: teamFrench[team], NameEnglish: teamEnglish[team]}
		if d.Campus != "" {
			q.NameFrench += " · " + place.NameOf(s.Places.Campuses(), d.Campus, campus.French)
			q.NameEnglish += " · " + place.NameOf(s.Places.Campuses(), d.Campus, campus.English)
		}
		if i := slices.IndexFunc(there, func(o ticket.Queue) bool { return o.Team == team && o.Campus == d.Campus && o.ClosedAt.IsZero() }); i >= 0 {
			q = there[i]
		}
		q.Calendar = plan.ID
		if q, err = s.Tickets.KeepQueue(ctx, tx, q); err != nil {
			return "", nil, err
		}
		queues = append(queues, q)
	}
	return plan.ID, queues, nil
}

// Suggested is what a desk promises that has not said anything yet, in minutes of
// opening hours.
var Suggested = promise.Table{{Answer: 30, Solve: 240}, {Answer: 120, Solve: 480}, {Answer: 480, Solve: 1920}, {Answer: 960, Solve: 4800}}

func (s *Setup) begin(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), web.Viewer(r).Person
	in, err := read(r)
	if err != nil {
		return err
	}
	d := Desk{Campus: s.campus(in), Teams: picked(in, "teams", routing.Teams), Plan: fresh()}
	if len(d.Teams) == 0 {
		in.wrong("teams", "teams")
	}
	if in.problems.Any() {
		return s.showBegin(w, r, http.StatusUnprocessableEntity, in.Values, in.problems)
	}
	d.Plan.Campus, d.Plan.Name = d.Campus, hours.Named{French: "Assistance", English: "Help desk"}
	if d.Campus != "" {
		d.Plan.Name.French += " · " + place.NameOf(s.Places.Campuses(), d.Campus, campus.French)
		d.Plan.Name.English += " · " + place.NameOf(s.Places.Campuses(), d.Campus, campus.English)
	}
	tables, err := s.Promises.Tables.All(ctx)
	if err != nil {
		return err
	}
	var calendar string
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		if calendar, _, err = s.Found(ctx, tx, by, d); err != nil || in.Get("promise") == "" || len(tables) > 0 {
			return err
		}
		_, err := s.Promises.Tables.Keep(ctx, tx, by, kept.Item[promise.Table]{ID: promise.House, Of: Suggested})
		return err
	}); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/helpdesk/setup/calendars/"+calendar+"?guide=1")
}

// peopleView is the third step: who works in the new queues.
type peopleView struct {
	ID       string
	Plan     kept.Item[hours.Plan]
	Queues   []ui.Option
	Agents   []ui.Option
	Problems web.Problems
}

func (s *Setup) peoplePage(w http.ResponseWriter, r *http.Request) error {
	return s.showPeople(w, r, http.StatusOK, nil)
}

func (s *Setup) showPeople(w http.ResponseWriter, r *http.Request, status int, problems web.Problems) error {
	ctx := r.Context()
	plan, err := s.Calendars.Plans.One(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	queues, err := s.queuesOf(ctx, plan)
	if err != nil {
		return err
	}
	agents, err := s.agents(ctx)
	if err != nil {
		return err
	}
	list, err := s.members(ctx, agents)
	if err != nil {
		return err
	}
	view := peopleView{ID: plan.ID, Plan: plan, Queues: s.queueOptions(ctx, queues, ""), Problems: problems}
	for _, m := range list {
		view.Agents = append(view.Agents, ui.Option{Value: string(m.Person), Label: m.Name, Help: m.Login})
	}
	return web.Render(w, r, status, peopleTempl(view))
}

// people adds agents to the queues of a desk, and whoever has the login or the address
// that was typed.
func (s *Setup) people(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	plan, err := s.Calendars.Plans.One(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	queues, err := s.queuesOf(ctx, plan)
	if err != nil {
		return err
	}
	agents, err := s.agents(ctx)
	if err != nil {
		return err
	}
	chosen := picked(in, "agents", agents)
	if typed := in.line("who"); typed != "" {
		who, err := s.exactly(ctx, typed)
		if err != nil {
			return err
		}
		if who == "" {
			in.wrong("who", "person")
			return s.showPeople(w, r, http.StatusUnprocessableEntity, in.problems)
		}
		chosen = append(chosen, who)
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		for _, q := range queues {
			if !slices.Contains(in.Values["queues"], q.ID) {
				continue
			}
			for _, who := range chosen {
				if _, err := s.Tickets.Join(ctx, tx, q.ID, who); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/helpdesk/setup/begin/"+plan.ID+"/done")
}

// doneView is the last step: what there is now, and what else can be said.
type doneView struct {
	Plan   kept.Item[hours.Plan]
	Now    openings.Now
	Queues []doneQueue
}

type doneQueue struct {
	ID, Name string
	Members  int
}

func (s *Setup) donePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	plan, err := s.Calendars.Plans.One(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	calendar, err := s.Calendars.ByID(ctx, plan.ID)
	if err != nil {
		return err
	}
	view := doneView{Plan: plan, Now: openings.Stands(calendar, s.Clock.Now())}
	queues, err := s.queuesOf(ctx, plan)
	if err != nil {
		return err
	}
	for _, q := range queues {
		members, err := s.Tickets.Members(ctx, q.ID)
		if err != nil {
			return err
		}
		view.Queues = append(view.Queues, doneQueue{q.ID, s.queueName(ctx, q), len(members)})
	}
	return web.Render(w, r, http.StatusOK, doneTempl(view))
}
