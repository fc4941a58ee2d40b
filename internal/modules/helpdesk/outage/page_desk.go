package outage

import (
	"context"
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// deskView lists incidents for those who work at the desk.
type deskView struct {
	Running, Past []Outage
	Tickets       map[string]int64 // attached, by incident
}

// mostPast is how many of the past ones the desk sees; the status page has those that
// were announced.
const mostPast = 50

func (x *Outages) deskPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), x.DB.Read()
	running, err := outages(ctx, q, "WHERE state NOT IN ('over', 'dismissed', 'merged') ORDER BY begins_at DESC LIMIT 200")
	if err != nil {
		return err
	}
	past, err := outages(ctx, q, "WHERE state IN ('over', 'dismissed', 'merged') ORDER BY begins_at DESC LIMIT "+itoa(mostPast))
	if err != nil {
		return err
	}
	view := deskView{Tickets: map[string]int64{}}
	now := x.Clock.Now()
	for _, o := range running {
		if o.Past(now) { // a maintenance whose time has passed
			past = append([]Outage{o}, past...)
		} else {
			view.Running = append(view.Running, o)
		}
	}
	view.Past = past
	for _, o := range view.Running {
		if view.Tickets[o.ID], err = count(ctx, q, "SELECT COUNT(*) FROM helpdesk_tickets WHERE outage_id = $1", o.ID); err != nil {
			return err
		}
	}
	return web.Render(w, r, http.StatusOK, deskTempl(view))
}

// newView is the form of a new incident or maintenance.
type newView struct {
	Kind     Kind
	Decides  bool // announces it at once
	Form     url.Values
	Problems web.Problems
	Options  options
}

// options are what a form offers.
type options struct{ Services, Campuses, Impacts []ui.Option }

func (x *Outages) options(r *http.Request, chosen []string) (options, error) {
	ctx := r.Context()
	names, err := x.named(ctx, web.Viewer(r), []told{{Outage: Outage{Services: chosen}}})
	if err != nil {
		return options{}, err
	}
	var o options
	for _, id := range names.order {
		o.Services = append(o.Services, ui.Option{Value: id, Label: names.called[id]})
	}
	for _, c := range x.Places.Campuses() {
		o.Campuses = append(o.Campuses, ui.Option{Value: c.Code, Label: c.Name(i18n.Locale(ctx))})
	}
	for _, i := range Impacts {
		o.Impacts = append(o.Impacts, ui.Option{Value: string(i), Label: t(ctx, "impact."+string(i))})
	}
	return o, nil
}

func kindOf(text string) Kind {
	if Kind(text) == Maintenance {
		return Maintenance
	}
	return Incident
}

func (x *Outages) newPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	view := newView{Kind: kindOf(q.Get("kind")), Form: url.Values{"impact": {string(Partly)}, "ticket": {q.Get("ticket")}}}
	return x.showNew(w, r, http.StatusOK, view)
}

func (x *Outages) showNew(w http.ResponseWriter, r *http.Request, status int, view newView) (err error) {
	view.Decides = web.Viewer(r).Can(campus.RightDesks)
	if view.Options, err = x.options(r, view.Form["services"]); err != nil {
		return err
	}
	return web.Render(w, r, status, newTempl(view))
}

// create writes a new one: of those who run the desk it is announced at once, of an
// agent it is a suspicion that they look at. Maintenance is theirs alone.
func (x *Outages) create(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	in := &input{Values: form}
	o := Outage{Kind: kindOf(form.Get("kind")), By: v.Person}
	x.facts(in, &o)
	decides := v.Can(campus.RightDesks)
	say := Telling{State: Investigating}
	switch {
	case decides:
		say.Words = in.words("words", maxWords)
	case o.Kind == Maintenance:
		in.wrong("", "desks_only")
	}
	var first ticket.Ticket
	if number := in.text("ticket"); number != "" && !in.problems.Any() {
		if first, err = x.mine(ctx, v, number); err != nil {
			in.wrong("ticket", "ticket")
		}
	}
	if in.problems.Any() {
		return x.showNew(w, r, http.StatusUnprocessableEntity, newView{Kind: o.Kind, Form: form, Problems: in.problems})
	}
	var made Outage
	if err := x.DB.InTx(ctx, func(tx db.Tx) error {
		var err error
		if made, err = x.Make(ctx, tx, o); err != nil {
			return err
		}
		if decides {
			if made, err = x.Tell(ctx, tx, v.Person, made, say); err != nil {
				return err
			}
		}
		if first.ID != "" {
			if err := x.attach(ctx, tx, agent(v), first.ID, made.ID); err != nil {
				return err
			}
		}
		return x.gatherSoon(ctx, tx, made.ID)
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.outage.made_"+flashOf(decides))
	return web.SeeOther(w, r, deskURL+"/"+made.ID)
}

func flashOf(decides bool) string {
	if decides {
		return "announced"
	}
	return "suspected"
}

// agent is a viewer as who acts on tickets.
func agent(v campus.Viewer) ticket.Actor {
	return ticket.Actor{Role: ticket.Agent, Person: v.Person, Name: v.DisplayName(), Mail: v.Mail}
}

// mine reads a ticket by its number, for an agent who may handle it. Others are told
// that there is none.
func (x *Outages) mine(ctx context.Context, v campus.Viewer, number string) (ticket.Ticket, error) {
	read, ok := ticket.ParseNumber(number)
	if !ok {
		return ticket.Ticket{}, ticket.Missing
	}
	t, err := x.Tickets.ByNumber(ctx, read)
	if err != nil {
		return ticket.Ticket{}, err
	}
	if !ticket.MayHandle(v, t) {
		return ticket.Ticket{}, ticket.Missing
	}
	return t, nil
}
