package handling

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// line is one thing in the conversation: what was said, or what happened.
type line struct {
	At      time.Time
	Message *ticket.Message
	Said    string // of an event
	First   bool   // it is the event with which the ticket began
	By      string
	New     bool   // since the agent began to write
	Of      string // number of the ticket that was merged into this one; empty for its own
	Number  string // of the ticket whose line it is
}

// rank orders what happened at one instant: the beginning, what was said, what came
// of it.
func (l line) rank() int {
	switch {
	case l.First:
		return 0
	case l.Message != nil:
		return 1
	default:
		return 2
	}
}

// ticketView is the page of one ticket.
type ticketView struct {
	ticket.Ticket
	Me        campus.PersonID
	Queue     string
	Holder    string // who has it; empty for nobody
	Campus    string
	Service   string
	Into      string // number of the ticket that it was merged into
	From      string // number of the ticket that it was made from
	Lines     []line
	Facts     []ticket.Fact
	Reason    *web.Failure // what the person read
	Queues    []ui.Option
	Agents    []ui.Option
	Watchers  []string
	Watching  bool
	Linked    []ticket.Ticket
	Callback  *callback
	Writing   []string // who else writes, in words
	Undo      string   // mark of what can be taken back; empty for nothing
	Sent      bool     // an answer was sent with it
	Form      writeForm
	Templates []ui.Option
	Person    beside
	Answers   []diagnosis.Suggestion // articles that may answer
	OutageIs  string                 // title of the incident that many have; empty for none
	Problems  web.Problems
	Conflict  bool // somebody changed it while the agent wrote
	Zone      *time.Location
	Now       time.Time
}

func (h *Handling) ticketPage(w http.ResponseWriter, r *http.Request) error {
	t, err := h.mine(r)
	if err != nil {
		return err
	}
	form, err := h.startForm(r, t)
	if err != nil {
		return err
	}
	view, err := h.view(r, t, form)
	if err != nil {
		return err
	}
	view.Undo, view.Sent = h.undoable(r, t, r.URL.Query().Get("undo"))
	return web.Render(w, r, http.StatusOK, ticketTempl(view))
}

// view gathers the page of a ticket around what the agent is writing.
func (h *Handling) view(r *http.Request, t ticket.Ticket, form writeForm) (ticketView, error) {
	ctx, v := r.Context(), web.Viewer(r)
	view := ticketView{Ticket: t, Me: v.Person, Form: form, Zone: h.Zone, Now: h.Clock.Now()}
	queues, err := h.Tickets.Queues(ctx)
	if err != nil {
		return view, err
	}
	names := ticket.Names{Queues: map[string]string{}}
	for _, q := range queues {
		names.Queues[q.ID] = q.Name(i18n.Locale(ctx))
		if q.ClosedAt.IsZero() && ticket.MayUse(v, q) || q.ID == t.Queue {
			view.Queues = append(view.Queues, ui.Option{Value: q.ID, Label: names.Queues[q.ID]})
		}
	}
	view.Queue = names.Queues[t.Queue]
	if err := h.addLines(ctx, &view, &names); err != nil {
		return view, err
	}
	if err := h.addAgents(ctx, &view, names); err != nil {
		return view, err
	}
	if err := h.addRelated(r, &view); err != nil {
		return view, err
	}
	if err := h.addWriting(ctx, &view); err != nil {
		return view, err
	}
	if view.Templates, err = h.templateOptions(ctx); err != nil {
		return view, err
	}
	view.Campus = place.NameOf(h.Places.Campuses(), t.Campus, i18n.Locale(ctx))
	if t.Service != "" {
		name, _ := h.Services.ServiceCalled(ctx, t.Service)
		view.Service = cmp.Or(name, t.Service)
	}
	view.Reason = h.read(ctx, t)
	if err := h.addAnswers(ctx, &view); err != nil {
		return view, err
	}
	view.Person, err = h.beside(r, t)
	return view, err
}

// addAnswers finds what the desk knows about a ticket: articles, and the incident that
// many have.
func (h *Handling) addAnswers(ctx context.Context, view *ticketView) (err error) {
	t := view.Ticket
	if h.Answers != nil {
		if view.Answers, err = h.Answers(ctx, diagnosis.Wanted{Words: t.Subject, Reason: t.Reason, Service: t.Service, Leaf: t.Leaf, Campus: t.Campus}); err != nil {
			return err
		}
	}
	if h.OutageTitled != nil && t.Outage != "" {
		view.OutageIs, err = h.OutageTitled(ctx, t.Outage)
	}
	return err
}

// addLines puts the conversation together: what was said and what happened, in this
// ticket and in those that were merged into it.
func (h *Handling) addLines(ctx context.Context, view *ticketView, names *ticket.Names) error {
	thread, err := h.Tickets.Thread(ctx, view.ID)
	if err != nil {
		return err
	}
	view.Facts = thread.Facts
	merged, err := h.allMerged(ctx, view.ID)
	if err != nil {
		return err
	}
	people := ticket.PeopleIn(thread.Events)
	known, err := h.Register.KnownPeople(ctx, append(people, view.Assignee, view.Requester))
	if err != nil {
		return err
	}
	names.People = map[campus.PersonID]string{}
	for who, k := range known {
		names.People[who] = nameOf(k)
	}
	view.Holder = names.People[view.Assignee]
	if view.Assignee != "" && view.Holder == "" {
		view.Holder = names.Person(ctx, view.Assignee)
	}
	for _, e := range thread.Events {
		by := ""
		if e.By.Person != "" {
			by = names.Person(ctx, e.By.Person)
		}
		view.Lines = append(view.Lines, line{At: e.At, First: e.Kind == "opened", Said: e.Said(ctx, *names), By: by, New: view.Form.since(e.At), Number: view.Number})
	}
	for i := range thread.Messages {
		view.Lines = append(view.Lines, line{At: thread.Messages[i].At, Message: &thread.Messages[i], New: view.Form.since(thread.Messages[i].At), Number: view.Number})
	}
	for _, t := range merged {
		other, err := h.Tickets.Thread(ctx, t.ID)
		if err != nil {
			return err
		}
		for i := range other.Messages {
			view.Lines = append(view.Lines, line{At: other.Messages[i].At, Message: &other.Messages[i], Of: t.Number, Number: t.Number})
		}
	}
	slices.SortStableFunc(view.Lines, func(a, b line) int { return cmp.Or(a.At.Compare(b.At), a.rank()-b.rank()) })
	return nil
}

// allMerged are the tickets that were merged into one, and those that had been merged
// into them. A merge never closes a ring: what was merged takes nothing in.
func (h *Handling) allMerged(ctx context.Context, id string) ([]ticket.Ticket, error) {
	ids, err := h.mergedInto(ctx, id)
	if err != nil {
		return nil, err
	}
	var all []ticket.Ticket
	for _, id := range ids {
		t, err := h.Tickets.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		before, err := h.allMerged(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(append(all, t), before...)
	}
	return all, nil
}

// addAgents lists to whom the ticket can be given: those who may handle it, who has it,
// and the viewer. Whoever may not would be told of a ticket that they cannot open.
func (h *Handling) addAgents(ctx context.Context, view *ticketView, names ticket.Names) error {
	ids, err := h.AgentsOf(ctx, view.Ticket.Campus) // view.Campus is its name
	if err != nil {
		return err
	}
	for _, who := range []campus.PersonID{view.Me, view.Assignee} {
		if who != "" && !slices.Contains(ids, who) {
			ids = append(ids, who)
		}
	}
	known, err := h.Register.KnownPeople(ctx, ids)
	if err != nil {
		return err
	}
	for _, who := range ids {
		if k, ok := known[who]; ok {
			view.Agents = append(view.Agents, ui.Option{Value: string(who), Label: nameOf(k)})
		}
	}
	slices.SortFunc(view.Agents, func(a, b ui.Option) int { return strings.Compare(campus.Fold(a.Label), campus.Fold(b.Label)) })
	return nil
}

// addRelated adds the tickets that this one has to do with, who watches it, and the
// call that was asked for.
func (h *Handling) addRelated(r *http.Request, view *ticketView) error {
	ctx := r.Context()
	for id, into := range map[string]*string{view.MergedInto: &view.Into, view.SplitFrom: &view.From} {
		if id == "" {
			continue
		}
		t, err := h.Tickets.ByID(ctx, id)
		if err != nil {
			return err
		}
		*into = t.Number
	}
	linked, err := h.linked(ctx, view.ID)
	if err != nil {
		return err
	}
	for _, id := range linked {
		t, err := h.Tickets.ByID(ctx, id)
		if err != nil {
			return err
		}
		if ticket.MayHandle(web.Viewer(r), t) {
			view.Linked = append(view.Linked, t)
		}
	}
	watchers, err := h.watchers(ctx, h.DB.Read(), view.ID)
	if err != nil {
		return err
	}
	known, err := h.Register.KnownPeople(ctx, watchers)
	if err != nil {
		return err
	}
	for _, who := range watchers {
		view.Watching = view.Watching || who == view.Me
		if k, ok := known[who]; ok {
			view.Watchers = append(view.Watchers, nameOf(k))
		}
	}
	view.Callback, err = h.callbackOf(ctx, view.ID)
	return err
}

// read is what stopped the person, in the words that they read, in the agent's
// language; nil when no reason is known.
func (h *Handling) read(ctx context.Context, t ticket.Ticket) *web.Failure {
	all := fault.All()
	i := slices.IndexFunc(all, func(r *fault.Reason) bool { return r.Code() == t.Reason })
	if t.Reason == "" || i < 0 {
		return nil
	}
	failure := web.Explain(i18n.With(ctx, h.Texts.For(t.Locale)), &fault.Fault{Reason: all[i]})
	for _, said := range []*string{&failure.Title, &failure.Message, &failure.Next} {
		*said = strings.ReplaceAll(*said, "<no value>", "…") // facts about the person are not kept with the ticket
	}
	return &failure
}

// nameOf is what somebody is called.
func nameOf(k contract.Known) string {
	return cmp.Or(strings.TrimSpace(k.Subject.GivenName+" "+k.Subject.FamilyName), k.Subject.Login)
}

// version reads the version that a form was made for.
func version(typed string) int64 {
	n, err := strconv.ParseInt(typed, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
