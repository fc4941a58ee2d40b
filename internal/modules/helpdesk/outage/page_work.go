package outage

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// workView is an incident as those at the desk work on it.
type workView struct {
	Outage
	Decides  bool
	Runs     bool
	Keys     []string
	Facts    []ui.Fact
	Form     url.Values
	Problems web.Problems
	Options  options
	Others   []ui.Option // running incidents that it could belong to
	Updates  []Update
	Tickets  []ticket.Ticket // those that the viewer may handle, the newest
	Count    int64           // of all tickets
	Open     int64           // of those that are not over
	Follow   int64           // subscribers
	Solved   Update          // the last one that solved tickets and can be taken back
}

// mostListed bounds the tickets of the page.
const mostListed = 100

func (x *Outages) workPage(w http.ResponseWriter, r *http.Request) error {
	o, err := x.ByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	form := x.formOf(o)
	form.Set("state", string(nextState(o.State)))
	form.Set("answers", "on")
	return x.showWork(w, r, http.StatusOK, workView{Outage: o, Form: form})
}

// nextState is what is said next, as a proposal.
func nextState(s State) State {
	switch s {
	case Suspected:
		return Investigating
	case Investigating:
		return Identified
	case Identified:
		return Watching
	}
	return Over
}

func (x *Outages) showWork(w http.ResponseWriter, r *http.Request, status int, view workView) error {
	ctx, v, q := r.Context(), web.Viewer(r), x.DB.Read()
	view.Decides, view.Runs = v.Can(campus.RightDesks), view.State.Runs()
	var err error
	if view.Options, err = x.options(r, view.Services); err != nil {
		return err
	}
	if view.Keys, err = keysOfOutage(ctx, q, view.ID); err != nil {
		return err
	}
	updates, err := updatesOf(ctx, q, view.ID)
	if err != nil {
		return err
	}
	view.Updates = updates[view.ID]
	if i := slices.IndexFunc(view.Updates, func(u Update) bool { return u.Solves }); i >= 0 && view.Updates[i].Undone.IsZero() {
		view.Solved = view.Updates[i]
	}
	all, err := x.attached(ctx, view.ID, mostListed)
	if err != nil {
		return err
	}
	for _, t := range all {
		if ticket.MayHandle(v, t) {
			view.Tickets = append(view.Tickets, t)
		}
	}
	for into, query := range map[*int64]string{
		&view.Count:  "SELECT COUNT(*) FROM helpdesk_tickets WHERE outage_id = $1",
		&view.Open:   "SELECT COUNT(*) FROM helpdesk_tickets WHERE outage_id = $1 AND state NOT IN ('solved', 'closed', 'merged')",
		&view.Follow: "SELECT COUNT(*) FROM helpdesk_outage_subscribers WHERE outage_id = $1",
	} {
		if *into, err = count(ctx, q, query, view.ID); err != nil {
			return err
		}
	}
	if view.Kind == Incident && view.Runs {
		others, err := outages(ctx, q, "WHERE kind = 'incident' AND state NOT IN ('over', 'dismissed', 'merged') AND id <> $1 ORDER BY begins_at DESC LIMIT 50", view.ID)
		if err != nil {
			return err
		}
		for _, o := range others {
			view.Others = append(view.Others, ui.Option{Value: o.ID, Label: o.Title.In(i18n.Locale(ctx))})
		}
	}
	x.workFacts(ctx, &view)
	return web.Render(w, r, status, workTempl(view))
}

func (x *Outages) workFacts(ctx context.Context, view *workView) {
	view.Facts = x.factsOf(ctx, view.Outage)
	add := func(key, text string) {
		view.Facts = append(view.Facts, ui.Fact{Label: t(ctx, "field."+key), Text: text})
	}
	if view.Kind == Incident {
		add("tickets", t(ctx, "work.tickets_count", "count", int(view.Count), "open", int(view.Open)))
	}
	add("followers", t(ctx, "work.followers", "count", int(view.Follow)))
	for _, key := range view.Keys {
		add("alike", key)
	}
}

// decide reads the incident of an address and the form of who decides about it. The
// incident is the version that they read.
func (x *Outages) decide(r *http.Request) (Outage, *input, error) {
	form, err := web.Form(r)
	if err != nil {
		return Outage{}, nil, err
	}
	o, err := x.ByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return o, nil, err
	}
	in := &input{Values: form}
	if in.version() != o.Version {
		return o, nil, Changed
	}
	return o, in, nil
}

func (x *Outages) done(w http.ResponseWriter, r *http.Request, flash string) error {
	web.Flash(w, r, "helpdesk.outage.did."+flash)
	return web.SeeOther(w, r, deskURL+"/"+r.PathValue("id"))
}

// keepFacts corrects what it is.
func (x *Outages) keepFacts(w http.ResponseWriter, r *http.Request) error {
	o, in, err := x.decide(r)
	if err != nil {
		return err
	}
	ends, begins := o.Ends, o.Begins
	x.facts(in, &o)
	if o.Kind == Incident {
		o.Ends = ends
		if o.Begins.IsZero() {
			o.Begins = begins
		}
	}
	if in.problems.Any() {
		in.Set("state", string(nextState(o.State)))
		return x.showWork(w, r, http.StatusUnprocessableEntity, workView{Outage: o, Form: in.Values, Problems: in.problems})
	}
	o.Title = titled(o.Title)
	ctx := r.Context()
	if err := x.DB.InTx(ctx, func(tx db.Tx) error {
		if err := x.update(ctx, tx, o); err != nil || !o.State.Runs() || o.Kind == Maintenance {
			return err
		}
		return x.attractServices(ctx, tx, o)
	}); err != nil {
		return err
	}
	return x.done(w, r, "kept")
}

// tellable are the states that an update may bring.
var tellable = []State{Investigating, Identified, Watching, Over}

// tellAll says something to everybody, and writes it into the attached tickets.
func (x *Outages) tellAll(w http.ResponseWriter, r *http.Request) error {
	o, in, err := x.decide(r)
	if err != nil {
		return err
	}
	say := Telling{State: State(in.Get("state")), Words: in.words("words", maxWords), Answers: in.Get("answers") != "", Solves: in.Get("solves") != ""}
	if o.Kind == Maintenance && say.State != Over {
		say.State = Planned
	} else if !slices.Contains(tellable, say.State) {
		in.wrong("state", "state")
	}
	if in.problems.Any() {
		form := x.formOf(o)
		for _, field := range []string{"state", "words_fr", "words_en", "answers", "solves"} {
			form.Set(field, in.Get(field))
		}
		return x.showWork(w, r, http.StatusUnprocessableEntity, workView{Outage: o, Form: form, Problems: in.problems})
	}
	ctx := r.Context()
	if err := x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := x.Tell(ctx, tx, web.Viewer(r).Person, o, say)
		return err
	}); err != nil {
		return err
	}
	return x.done(w, r, "told")
}

func (x *Outages) dismiss(w http.ResponseWriter, r *http.Request) error {
	o, _, err := x.decide(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if err := x.DB.InTx(ctx, func(tx db.Tx) error { return x.Dismiss(ctx, tx, o) }); err != nil {
		return err
	}
	return x.done(w, r, "dismissed")
}

func (x *Outages) mergeInto(w http.ResponseWriter, r *http.Request) error {
	o, in, err := x.decide(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	into, err := x.ByID(ctx, in.Get("into"))
	if err != nil {
		return err
	}
	if err := x.DB.InTx(ctx, func(tx db.Tx) error { return x.Merge(ctx, tx, o, into) }); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.outage.did.merged")
	return web.SeeOther(w, r, deskURL+"/"+into.ID)
}

func (x *Outages) undoSolving(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if err := x.DB.InTx(ctx, func(tx db.Tx) error { return x.undo(ctx, tx, r.PathValue("id"), form.Get("update")) }); err != nil {
		return err
	}
	return x.done(w, r, "undone")
}

func (x *Outages) attachTicket(w http.ResponseWriter, r *http.Request) error {
	return x.changeTicket(w, r, r.PathValue("id"), "attached")
}

func (x *Outages) detachTicket(w http.ResponseWriter, r *http.Request) error {
	return x.changeTicket(w, r, "", "detached")
}

// changeTicket makes a ticket that the viewer may handle belong to an incident, or to
// none. An incident that is over takes tickets still: somebody asks late.
func (x *Outages) changeTicket(w http.ResponseWriter, r *http.Request, outage, flash string) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	o, err := x.ByID(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if outage != "" && (o.State == Dismissed || o.State == Merged) {
		return Ended
	}
	t, err := x.mine(ctx, v, form.Get("number"))
	if err != nil {
		return err
	}
	if err := x.DB.InTx(ctx, func(tx db.Tx) error { return x.attach(ctx, tx, agent(v), t.ID, outage) }); err != nil {
		return err
	}
	return x.done(w, r, flash)
}
