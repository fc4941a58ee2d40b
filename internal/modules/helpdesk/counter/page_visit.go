package counter

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

func newID() string { return id.New() }

// version is that of a visit, as it stands in a form.
func version(v Visit) string { return strconv.FormatInt(v.Version, 10) }

// stateTone is the tone of a state as agents feel it.
func stateTone(s State) ui.Tone {
	switch s {
	case Waiting, Called:
		return ui.Warn
	case Serving, Done:
		return ui.Good
	case Booked, Absent, Cancelled:
	}
	return ""
}

// actKey names a button: calling somebody again is not calling them.
func actKey(from, to State) string {
	if from == Called && to == Called {
		return "act.again"
	}
	if from == Absent && to == Waiting {
		return "act.back"
	}
	return "act." + string(to)
}

// visitView is a visit as who serves it works on it.
type visitView struct {
	rowView
	Code, Where       string
	Identity          bool
	Bring             string
	Documents         []ui.Option
	Number, TicketURL string
	Words             string // that were searched
	Found             []ui.Option
	Searched          bool
	Problems          web.Problems
}

// ofDesk is the visit of an address, when who asks works at its counter.
func (x *Reception) ofDesk(r *http.Request) (Visit, Desk, error) {
	d, _, err := x.serving(r)
	if err != nil {
		return Visit{}, Desk{}, err
	}
	v, err := visit(r.Context(), x.DB.Read(), r.PathValue("id"))
	if err == nil && v.Counter != d.Code {
		err = Missing
	}
	return v, d, err
}

func (x *Reception) visitPage(w http.ResponseWriter, r *http.Request) error {
	return x.showVisit(w, r, http.StatusOK, nil)
}

// mostPeople is how many people a search shows.
const mostPeople = 8

func (x *Reception) showVisit(w http.ResponseWriter, r *http.Request, status int, problems web.Problems) error {
	v, d, err := x.ofDesk(r)
	if err != nil {
		return err
	}
	ctx, l := r.Context(), i18n.Locale(r.Context())
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	p, _ := d.Purpose(v.Purpose) // one that was removed has no name
	view := visitView{
		rowView: rowView{Visit: v, URL: "/helpdesk/counter/" + d.Code + "/visits/" + v.ID, Name: nameOf(ctx, v), Purpose: p.Name.In(l), At: x.wall(v.Begins, calendar.Zone()), Acts: acts(v.State)},
		Code:    d.Code, Where: x.where(l, d), Identity: p.Identity, Bring: p.Bring.In(l), Problems: problems,
	}
	for _, doc := range documents {
		view.Documents = append(view.Documents, ui.Option{Value: doc, Label: t(ctx, "document."+doc)})
	}
	if v.Ticket != "" {
		found, err := x.Tickets.ByID(ctx, v.Ticket)
		if err != nil && !errors.Is(err, ticket.Missing) {
			return err
		}
		if err == nil {
			view.Number = ticket.Spoken(found.Number)
			if ticket.MayHandle(web.Viewer(r), found) {
				view.TicketURL = "/helpdesk/tickets/" + found.Number
			}
		}
	} else if view.Words = campus.OneLine(r.URL.Query().Get("q")); view.Words != "" {
		people, err := x.Seeker.SeekPeople(ctx, web.Viewer(r), view.Words, mostPeople)
		if err != nil {
			return err
		}
		view.Searched = true
		for _, one := range people {
			view.Found = append(view.Found, ui.Option{Value: string(one.ID), Label: displayName(one.Subject) + " · " + one.Subject.Login})
		}
	}
	return web.Render(w, r, status, visitTempl(view))
}

func displayName(s contract.Subject) string {
	return campus.Viewer{GivenName: s.GivenName, FamilyName: s.FamilyName}.DisplayName()
}

// agentOf is who works at the counter, as they act.
func agentOf(r *http.Request) ticket.Actor {
	v := web.Viewer(r)
	return ticket.Actor{Role: ticket.Agent, Person: v.Person, Name: v.DisplayName(), Mail: v.Mail}
}

// step calls, serves, finishes, or notes that somebody did not come.
func (x *Reception) step(w http.ResponseWriter, r *http.Request) error {
	v, d, err := x.ofDesk(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	to := State(values.Get("to"))
	if !slices.Contains(acts(v.State), to) || values.Get("version") != version(v) {
		return WrongState // a colleague was quicker
	}
	calendar, err := x.Calendars.ByID(r.Context(), d.Calendar)
	if err != nil {
		return err
	}
	said := true
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) error {
		var window string
		if to == Called {
			list, err := ofDay(r.Context(), tx, d.Code, hours.DateIn(tx.Now().Time(), calendar.Zone()))
			if err != nil {
				return err
			}
			if window, said = d.windowFor(values.Get("window"), list, web.Viewer(r).Person); !said {
				return nil
			}
		}
		changed, err := change(r.Context(), tx, v.ID, func(now *Visit) error {
			if now.Version != v.Version {
				return WrongState
			}
			if to == Called {
				now.Window = window
			}
			return now.become(to, tx.Now().Time(), web.Viewer(r).Person)
		})
		if err != nil || to != Absent && to != Serving {
			return err
		}
		return x.happened(r.Context(), tx, changed, agentOf(r), string(to), d, calendar)
	}); err != nil {
		return err
	}
	if !said {
		return x.showToday(w, r, http.StatusUnprocessableEntity, needsWindow())
	}
	if to == Serving {
		return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code+"/visits/"+v.ID)
	}
	return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code)
}

// check notes which kinds of papers somebody showed. Their numbers are nowhere.
func (x *Reception) check(w http.ResponseWriter, r *http.Request) error {
	v, d, err := x.ofDesk(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	var shown []string
	for _, doc := range documents {
		if slices.Contains(values["document"], doc) {
			shown = append(shown, doc)
		}
	}
	if len(shown) == 0 {
		return x.showVisit(w, r, http.StatusUnprocessableEntity, web.Problems{{Field: "document", Key: "helpdesk.counter.problem.document"}})
	}
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) error {
		changed, err := change(r.Context(), tx, v.ID, func(v *Visit) error {
			v.Checked = shown
			return nil
		})
		if err != nil || changed.Ticket == "" {
			return err
		}
		return x.noteChecks(r.Context(), tx, changed.Ticket, agentOf(r), d, shown)
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.noted")
	return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code+"/visits/"+v.ID)
}

// noteChecks writes into the journal of a request which papers were shown.
func (x *Reception) noteChecks(ctx context.Context, tx db.Tx, ticketID string, by ticket.Actor, d Desk, shown []string) error {
	_, err := x.Tickets.Change(ctx, tx, ticketID, by, func(w *ticket.Work) error {
		for _, doc := range shown {
			w.Happened("counter_checked_"+doc, "counter", d.Name.French)
		}
		return nil
	})
	if errors.Is(err, ticket.Missing) {
		return nil // the request was erased
	}
	return err
}

// note keeps what an agent writes: in the request when there is one, beside the
// visit otherwise.
func (x *Reception) note(w http.ResponseWriter, r *http.Request) error {
	v, d, err := x.ofDesk(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	body := strings.TrimSpace(values.Get("note"))
	if body == "" || len(body) > maxWords {
		return x.showVisit(w, r, http.StatusUnprocessableEntity, web.Problems{{Field: "note", Key: "helpdesk.counter.problem.note"}})
	}
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) error {
		changed, err := change(r.Context(), tx, v.ID, func(v *Visit) error {
			if v.Ticket == "" {
				v.Note = body
			}
			return nil
		})
		if err != nil || changed.Ticket == "" {
			return err
		}
		_, err = x.Tickets.Change(r.Context(), tx, changed.Ticket, agentOf(r), func(w *ticket.Work) error {
			w.Note(ticket.Message{Body: body, Channel: ticket.AtDesk})
			return nil
		})
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.noted")
	return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code+"/visits/"+v.ID)
}

// toTicket makes a request of a visit, for the person who was found, or puts the
// visit with one that there is.
func (x *Reception) toTicket(w http.ResponseWriter, r *http.Request) error {
	v, d, err := x.ofDesk(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, viewer := r.Context(), web.Viewer(r)
	var linked ticket.Ticket
	var known contract.Known
	if number := values.Get("number"); number != "" {
		digits, ok := ticket.ParseNumber(number)
		if ok {
			linked, err = x.Tickets.ByNumber(ctx, digits)
		}
		if err != nil && !errors.Is(err, ticket.Missing) {
			return err
		}
		if !ok || err != nil || !ticket.MayHandle(viewer, linked) {
			return x.showVisit(w, r, http.StatusUnprocessableEntity, web.Problems{{Field: "number", Key: "helpdesk.counter.problem.number"}})
		}
	} else {
		who := campus.PersonID(values.Get("person"))
		people, err := x.Register.KnownPeople(ctx, []campus.PersonID{who})
		if err != nil {
			return err
		}
		var ok bool
		if known, ok = people[who]; !ok || !viewer.CanFor(campus.RightHelpdesk, known.Subject.Affiliations) {
			return x.showVisit(w, r, http.StatusUnprocessableEntity, web.Problems{{Field: "person", Key: "helpdesk.counter.problem.person"}})
		}
	}
	var made ticket.Ticket
	if err := x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if made = linked; made.ID == "" {
			if made, err = x.openFor(ctx, tx, d, v, agentOf(r), known); err != nil {
				return err
			}
		}
		changed, err := change(ctx, tx, v.ID, func(v *Visit) error {
			if v.Ticket != "" {
				return WrongState
			}
			v.Ticket, v.Opened, v.Person = made.ID, linked.ID == "", made.Requester
			if v.Name == "" {
				v.Name = made.RequesterName
			}
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := x.Tickets.Change(ctx, tx, made.ID, agentOf(r), func(w *ticket.Work) error {
			w.Happened("counter_came", "counter", d.Name.French, "number", changed.Short())
			return nil
		}); err != nil {
			return err
		}
		return x.noteChecks(ctx, tx, made.ID, agentOf(r), d, changed.Checked)
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.ticket_made", "number", ticket.Spoken(made.Number))
	return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code+"/visits/"+v.ID)
}

// openFor opens the request of somebody who stands at the counter.
func (x *Reception) openFor(ctx context.Context, tx db.Tx, d Desk, v Visit, by ticket.Actor, who contract.Known) (ticket.Ticket, error) {
	l := who.Subject.Locale
	if l == "" {
		l = campus.French
	}
	p, ok := d.Purpose(v.Purpose)
	subject := p.Name.In(l)
	if !ok {
		subject = d.Name.In(l)
	}
	body := v.Note
	if body == "" {
		body = subject
	}
	return x.Tickets.Open(ctx, tx, by, ticket.Opening{
		Ticket: ticket.Ticket{
			Channel: ticket.AtDesk, Subject: subject, Locale: l, Requester: who.ID, RequesterName: displayName(who.Subject), RequesterMail: who.Subject.Mail,
			Campus: d.Campus, Area: ticket.AreaHardware, Queue: d.Queue, Assignee: by.Person,
		},
		Message: ticket.Message{Body: body, Channel: ticket.AtDesk, Internal: v.Note != ""},
	})
}
