package handling

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/secretword"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// foundSize is how many people a search shows.
const foundSize = 10

// newForm is a request that an agent takes down on the telephone or at the counter.
type newForm struct {
	Person            string // identifier; empty for somebody without an account
	Name, Mail, Phone string
	Channel           string
	Campus, Area      string
	Subject, Body     string
	Locale            string
	Mine              bool   // the agent keeps it
	Solved            bool   // it was settled while talking
	Call              bool   // they want to be called back
	CallAt, Wished    string // when
}

// newView is the page on which it is taken down.
type newView struct {
	newForm
	Words    string // searched
	Found    []contract.Known
	Searched bool
	Who      *contract.Known
	Earlier  []ticket.Ticket
	Campuses []campusOption
	Problems web.Problems
}

type campusOption struct{ Code, Name string }

func (h *Handling) newPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	view := newView{Words: strings.TrimSpace(q.Get("q")), newForm: newForm{Person: q.Get("person"), Channel: string(ticket.ByPhone), Mine: true}}
	if view.Words != "" && view.Person == "" {
		view.Searched = true
		var err error
		if view.Found, err = h.seek(r, view.Words); err != nil {
			return err
		}
		if number, ok := ticket.ParseNumber(view.Words); ok { // they read their number out
			if t, err := h.handled(r, number); err == nil {
				return web.SeeOther(w, r, URL(t.Number))
			}
		}
	}
	if err := h.fillNew(r, &view); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, newTempl(view))
}

// seek finds people by what they say on the telephone, or by the number they call
// from.
func (h *Handling) seek(r *http.Request, words string) ([]contract.Known, error) {
	ctx, v := r.Context(), web.Viewer(r)
	found, err := h.Seeker.SeekPeople(ctx, v, words, foundSize)
	if err != nil {
		return nil, err
	}
	phone, err := h.Proofs.ReadContact(words)
	if err != nil || !phone.Phone {
		return found, nil //nolint:nilerr // it is a name then
	}
	numbers, err := sqlgen.New(h.DB.Read()).TicketsOfPhone(ctx, phone.Value)
	if err != nil {
		return nil, err
	}
	for _, number := range numbers {
		t, err := h.Tickets.ByNumber(ctx, number)
		if err != nil {
			return nil, err
		}
		if t.Requester == "" || !ticket.MayHandle(v, t) || slices.ContainsFunc(found, func(k contract.Known) bool { return k.ID == t.Requester }) {
			continue
		}
		known, err := h.Register.KnownPeople(ctx, []campus.PersonID{t.Requester})
		if err != nil {
			return nil, err
		}
		if k, ok := known[t.Requester]; ok {
			found = append(found, k)
		}
	}
	return found, nil
}

// fillNew adds who is on the telephone, with their earlier requests, and the choices.
func (h *Handling) fillNew(r *http.Request, view *newView) error {
	ctx, v := r.Context(), web.Viewer(r)
	for _, p := range h.Places.Campuses() {
		if ticket.MayHandle(v, ticket.Ticket{Campus: p.Code}) {
			view.Campuses = append(view.Campuses, campusOption{p.Code, p.Name(i18n.Locale(ctx))})
		}
	}
	if view.Person == "" {
		return nil
	}
	who := campus.PersonID(view.Person)
	known, err := h.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	k, ok := known[who]
	if !ok || !v.CanFor(campus.RightHelpdesk, k.Subject.Affiliations) {
		return ticket.Missing
	}
	view.Who = &k
	if view.Campus == "" {
		view.Campus = campusOf(v, k)
	}
	if err := h.Looks.Looked(ctx, contract.Look{By: v.Person, About: who, As: campus.RightHelpdesk, What: "helpdesk.handling.look", Why: ""}); err != nil {
		return err
	}
	earlier, err := h.earlier(ctx, v, who, "")
	view.Earlier = earlier[:min(len(earlier), 2*earlierSize)]
	return err
}

// campusOf is the campus of somebody over which the viewer handles tickets.
func campusOf(v campus.Viewer, k contract.Known) string {
	for _, a := range k.Subject.Affiliations {
		if a.Campus != "" && ticket.MayHandle(v, ticket.Ticket{Campus: a.Campus}) {
			return a.Campus
		}
	}
	return ""
}

func readNewForm(values url.Values) newForm {
	one := func(name string) string { return campus.OneLine(values.Get(name)) }
	return newForm{
		Person: values.Get("person"), Name: one("name"), Mail: strings.ToLower(one("mail")), Phone: one("phone"), Channel: values.Get("channel"), Campus: values.Get("campus"),
		Area: values.Get("area"), Subject: one("subject"), Body: strings.TrimSpace(strings.ReplaceAll(values.Get("body"), "\r\n", "\n")), Locale: values.Get("locale"),
		Mine: values.Get("mine") != "", Solved: values.Get("solved") != "", Call: values.Get("call") != "", CallAt: values.Get("call_at"), Wished: one("wished"),
	}
}

// checkNew reads numbers and times of the form, and says what is to mend.
func (h *Handling) checkNew(v campus.Viewer, form *newForm) (call callback, problems web.Problems) {
	if form.Person == "" && form.Name == "" {
		problems.Add("name", "helpdesk.handling.problem.name")
	}
	contact := func(field string, phone bool, value *string) {
		if *value == "" {
			return
		}
		c, err := h.Proofs.ReadContact(*value)
		switch {
		case err != nil:
			key := "helpdesk.handling.problem." + field
			if f := fault.Of(err); f != nil {
				key = f.Reason.Code() + ".message"
			}
			problems.Add(field, key)
		case c.Phone != phone:
			problems.Add(field, "helpdesk.handling.problem."+field)
		default:
			*value = c.Value
		}
	}
	contact("mail", false, &form.Mail)
	contact("phone", true, &form.Phone)
	if form.Channel != string(ticket.ByPhone) && form.Channel != string(ticket.AtDesk) {
		problems.Add("channel", "helpdesk.handling.problem.choice")
	}
	if !slices.Contains(ticket.Areas, ticket.Area(form.Area)) {
		problems.Add("area", "helpdesk.handling.problem.choice")
	}
	if !ticket.MayHandle(v, ticket.Ticket{Campus: form.Campus}) {
		problems.Add("campus", "helpdesk.handling.problem.campus")
	}
	problems = append(problems, checkSubject(form.Subject)...)
	switch {
	case form.Body == "":
		problems.Add("body", "helpdesk.handling.problem.body_missing")
	case utf8.RuneCountInString(form.Body) > maxBody:
		problems.Add("body", "helpdesk.handling.problem.body_long", "limit", maxBody)
	}
	if form.Call {
		call = callback{Phone: form.Phone, Wished: form.Wished}
		if form.Phone == "" {
			problems.Add("phone", "helpdesk.handling.problem.call_phone")
		}
		if form.CallAt != "" {
			due, err := time.ParseInLocation(momentForm, form.CallAt, h.Zone)
			if err != nil || due.Before(h.Clock.Now()) || due.After(h.Clock.Now().AddDate(0, 3, 0)) {
				problems.Add("call_at", "helpdesk.handling.problem.call_at")
			}
			call.Due = due
		}
	}
	return call, problems
}

// open opens the ticket that was taken down. The words are the agent's, about what
// the person said.
func (h *Handling) open(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view := newView{newForm: readNewForm(values)}
	if err := h.fillNew(r, &view); err != nil {
		return err
	}
	call, problems := h.checkNew(v, &view.newForm)
	if view.Problems = problems; problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, newTempl(view))
	}
	asked := ticket.Ticket{
		Channel: ticket.Channel(view.Channel), Subject: view.Subject, Locale: campus.French, Campus: view.Campus, Area: ticket.Area(view.Area),
		RequesterName: view.Name, RequesterMail: view.Mail, RequesterPhone: view.Phone,
	}
	if l, ok := campus.ParseLocale(view.Locale); ok {
		asked.Locale = l
	}
	if view.Who != nil {
		asked.Requester, asked.RequesterName, asked.RequesterMail = view.Who.ID, nameOf(*view.Who), view.Who.Subject.Mail
	}
	body, _ := secretword.Mask(view.Body)
	var made ticket.Ticket
	if err := h.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if made, err = h.Tickets.Open(ctx, tx, agent(r), ticket.Opening{Ticket: asked, Message: ticket.Message{Body: body, Channel: asked.Channel}}); err != nil {
			return err
		}
		made, err = h.Tickets.Change(ctx, tx, made.ID, agent(r), func(work *ticket.Work) error {
			if view.Mine {
				work.Assign(v.Person)
			}
			if view.Call {
				work.Happened("callback")
				if err := askCallback(ctx, tx, made.ID, call); err != nil {
					return err
				}
			}
			if view.Solved {
				return work.Solve()
			}
			if view.Mine {
				return work.Take()
			}
			return nil
		})
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.opened", "number", ticket.Spoken(made.Number))
	return web.SeeOther(w, r, URL(made.Number))
}

// AskCall notes that somebody wants to be called back about their ticket: at a number,
// at a time if one was said, and in words. It is for those who ask by themselves.
func (h *Handling) AskCall(ctx context.Context, tx db.Tx, ticket, phone, wished string, due time.Time) error {
	return askCallback(ctx, tx, ticket, callback{Phone: phone, Wished: wished, Due: due})
}
