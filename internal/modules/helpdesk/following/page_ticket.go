package following

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/secretword"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// maxReply is how long an answer may be, in characters.
const maxReply = 10000

// ticketView is a request as its requester sees it.
type ticketView struct {
	ticket.Ticket
	Thread   ticket.Thread
	Outlook  promise.Outlook
	Queue    string
	Assignee string
	Into     string // number of the request that it was merged into, when it is theirs too
	Opened   string // "yes" just after it was opened, "masked" when a password was hidden
	SignedIn bool
	Reply    string
	Tray     attached.Tray // files that wait for the next try of an answer
	Problems web.Problems
}

func (f *Following) ticketPage(w http.ResponseWriter, r *http.Request) error {
	t, _, err := f.own(r)
	if errors.Is(err, ticket.Missing) && !web.Viewer(r).SignedIn() {
		return web.SeeOther(w, r, FollowURL+"?number="+url.QueryEscape(r.PathValue("number")))
	}
	if err != nil {
		return err
	}
	view, err := f.view(r, t)
	if err != nil {
		return err
	}
	view.Opened = r.URL.Query().Get("opened")
	return web.Render(w, r, http.StatusOK, ticketTempl(view))
}

// view gathers what a requester sees.
func (f *Following) view(r *http.Request, t ticket.Ticket) (ticketView, error) {
	ctx := r.Context()
	view := ticketView{Ticket: t, SignedIn: web.Viewer(r).SignedIn()}
	thread, err := f.Tickets.Thread(ctx, t.ID)
	if err != nil {
		return view, err
	}
	view.Thread = thread.Public()
	queue, err := f.Tickets.Queue(ctx, t.Queue)
	if err != nil {
		return view, err
	}
	view.Queue = queue.Name(i18n.Locale(ctx))
	if view.Assignee, err = f.nameOf(ctx, t.Assignee); err != nil {
		return view, err
	}
	if view.Outlook, err = f.Forecast.Outlook(ctx, t); err != nil {
		return view, err
	}
	if t.MergedInto != "" {
		into, err := f.Tickets.ByID(ctx, t.MergedInto)
		if err != nil {
			return view, err
		}
		if into.Requester == t.Requester && into.RequesterMail == t.RequesterMail {
			view.Into = into.Number
		}
	}
	return view, nil
}

// reply adds what the requester says. It takes up again what was over.
func (f *Following) reply(w http.ResponseWriter, r *http.Request) error {
	t, by, err := f.own(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	said := strings.TrimSpace(strings.ReplaceAll(values.Get("body"), "\r\n", "\n"))
	field := "files"
	wait, calm := f.replies.Allow(t.ID)
	if !calm {
		field = "" // who sends without end brings nothing more
	}
	brought, err := f.Files.Bring(r, field)
	if err != nil {
		return err
	}
	if problems := wrongReply(said, brought); problems.Any() {
		return f.again(w, r, http.StatusUnprocessableEntity, t, said, brought, problems)
	}
	if !calm {
		hasty := fault.Of(TooFast.With(fault.Args{"wait": wait}))
		web.Note(r, hasty)
		var problems web.Problems
		problems.Add("body", TooFast.Code()+".message", web.Pairs(hasty.Args)...)
		return f.again(w, r, TooFast.Kind().Status(), t, said, brought, problems)
	}
	body, masked := secretword.Mask(said)
	if err := f.write(r.Context(), t, by, func(work *ticket.Work) error {
		if work.Before().State == ticket.Merged {
			return ticket.WrongState
		}
		work.Say(ticket.Message{Body: body, Files: brought.Files})
		return nil
	}); err != nil {
		return errors.Join(err, f.Files.Drop(r.Context(), brought.Files))
	}
	done := "helpdesk.following.replied"
	if masked > 0 {
		done = "helpdesk.following.replied_masked"
	}
	web.Flash(w, r, done)
	return web.SeeOther(w, r, TicketURL(t.Number))
}

// again is the page with an answer that is to mend. Its files wait for the next try.
func (f *Following) again(w http.ResponseWriter, r *http.Request, status int, t ticket.Ticket, said string, brought attached.Brought, problems web.Problems) error {
	view, err := f.view(r, t)
	if err == nil {
		view.Tray, err = f.Files.LayAside(r, brought.Files)
	}
	if err != nil {
		return errors.Join(err, f.Files.Drop(r.Context(), brought.Files))
	}
	view.Reply, view.Problems = said, problems
	return web.Render(w, r, status, ticketTempl(view))
}

// wrongReply is what is to mend in an answer. Files alone are an answer too.
func wrongReply(said string, brought attached.Brought) (problems web.Problems) {
	switch {
	case utf8.RuneCountInString(said) > maxReply:
		problems.Add("body", "helpdesk.following.problem.long", "limit", maxReply)
	case said == "" && !slices.ContainsFunc(brought.Files, func(f ticket.Attachment) bool { return f.Ref != "" }):
		problems.Add("body", "helpdesk.following.problem.body_missing")
	}
	if brought.Lost {
		problems.Add("files", "helpdesk.tray.lost")
	}
	return problems
}

func (f *Following) change(ctx context.Context, t ticket.Ticket, by ticket.Actor, do func(*ticket.Work) error) error {
	if wait, ok := f.replies.Allow(t.ID); !ok {
		return TooFast.With(fault.Args{"wait": wait})
	}
	return f.write(ctx, t, by, do)
}

func (f *Following) write(ctx context.Context, t ticket.Ticket, by ticket.Actor, do func(*ticket.Work) error) error {
	return f.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := f.Tickets.Change(ctx, tx, t.ID, by, do)
		return err
	})
}

// solved ends a request: "this solved it", or it is not needed any more.
func (f *Following) solved(w http.ResponseWriter, r *http.Request) error {
	t, by, err := f.own(r)
	if err != nil {
		return err
	}
	if err := f.change(r.Context(), t, by, (*ticket.Work).Close); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.following.closed")
	return web.SeeOther(w, r, TicketURL(t.Number)+"#rating")
}

// reopen takes a request up again that is over.
func (f *Following) reopen(w http.ResponseWriter, r *http.Request) error {
	t, by, err := f.own(r)
	if err != nil {
		return err
	}
	if err := f.change(r.Context(), t, by, func(work *ticket.Work) error {
		if before := work.Before().State; !before.Over() || before == ticket.Merged {
			return ticket.WrongState
		}
		work.Reopen()
		return nil
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.following.reopened")
	return web.SeeOther(w, r, TicketURL(t.Number)+"#reply")
}

func (f *Following) file(w http.ResponseWriter, r *http.Request) error {
	t, _, err := f.own(r)
	if err != nil {
		return err
	}
	return f.Files.ServePublic(w, r, t, r.PathValue("id"))
}

// rate keeps the answer to the one question.
func (f *Following) rate(w http.ResponseWriter, r *http.Request) error {
	t, by, err := f.own(r)
	if err != nil {
		return err
	}
	if err := f.keepRating(r, t, by); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.following.rated")
	return web.SeeOther(w, r, TicketURL(t.Number))
}

// maxRatingWords is how long the words beside a rating may be, in characters.
const maxRatingWords = 1000

func (f *Following) keepRating(r *http.Request, t ticket.Ticket, by ticket.Actor) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	rating := ratingOf(values.Get("answer"))
	if rating == 0 {
		return web.FormMalformed
	}
	words, _ := secretword.Mask(strings.TrimSpace(values.Get("words")))
	if runes := []rune(words); len(runes) > maxRatingWords {
		words = string(runes[:maxRatingWords])
	}
	return f.change(r.Context(), t, by, func(work *ticket.Work) error {
		if before := work.Before().State; !before.Over() || before == ticket.Merged {
			return NotOver
		}
		work.Rate(rating, words)
		return nil
	})
}

// ratingOf reads an answer; 0 is none.
func ratingOf(text string) ticket.Rating {
	n, err := strconv.Atoi(text)
	if err != nil || n < int(ticket.RatedNo) || n > int(ticket.RatedYes) {
		return 0
	}
	return ticket.Rating(n)
}

func ratings(ctx context.Context) []ui.Option {
	var list []ui.Option
	for _, r := range []ticket.Rating{ticket.RatedYes, ticket.RatedPartly, ticket.RatedNo} {
		list = append(list, ui.Option{Value: strconv.Itoa(int(r)), Label: i18n.T(ctx, "helpdesk.following.rating_"+strconv.Itoa(int(r)))})
	}
	return list
}

// state says in words how far it is.
func (v ticketView) state(ctx context.Context) string {
	if v.State == ticket.New && v.Assignee != "" || v.State == ticket.Open && v.Assignee == "" && v.LastBy == ticket.Requester {
		return i18n.T(ctx, "helpdesk.following.state.queued")
	}
	return i18n.T(ctx, "helpdesk.following.state."+string(v.State), "until", v.PostponedUntil)
}

// facts are the lines beside the request.
func (v ticketView) facts(ctx context.Context) []ui.Fact {
	var facts []ui.Fact
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "helpdesk.following."+key), Text: text})
		}
	}
	at := func(key string, due ui.Fact) {
		due.Label = i18n.T(ctx, "helpdesk.following."+key)
		facts = append(facts, due)
	}
	facts = append(facts, ui.Fact{Label: i18n.T(ctx, "helpdesk.following.number"), Text: ticket.Spoken(v.Number), Code: true})
	add("state_label", v.state(ctx))
	who := v.Queue
	if v.Assignee != "" {
		who = i18n.T(ctx, "helpdesk.following.who", "name", v.Assignee, "queue", v.Queue)
	}
	add("who_label", who)
	if v.State.Over() {
		return facts
	}
	o := v.Outlook
	if o.Still == "" && v.AnsweredAt.IsZero() && !o.AnswerDue.IsZero() {
		at("answer_due", ui.Fact{Body: localTime(o.AnswerDue)})
	}
	if o.Still == "" && !o.SolveDue.IsZero() {
		at("solve_due", ui.Fact{Body: localTime(o.SolveDue)})
	}
	switch e := o.Answer; {
	case e.Cases == 0 || e.Usual.IsZero() && !e.Overdue:
	case e.Overdue:
		add("estimate", i18n.T(ctx, "helpdesk.following.overdue"))
	case e.Usual.IsZero():
		at("estimate", ui.Fact{Body: localTime(e.Late)})
	default:
		at("estimate", ui.Fact{Body: localTime(e.Usual)})
	}
	if e := o.Solve; e.Cases > 0 && !e.Usual.IsZero() {
		at("estimate_solved", ui.Fact{Body: localTime(e.Usual)})
	}
	if o.Ahead >= 0 && v.AnsweredAt.IsZero() && o.Still == "" {
		add("ahead_label", i18n.T(ctx, "helpdesk.following.ahead", "count", o.Ahead))
	}
	if !o.Desk.Open && !o.Desk.Next.IsZero() {
		at("desk_opens", ui.Fact{Body: localTime(o.Desk.Next)})
	}
	return facts
}

// author is who said something, as the requester reads it.
func (v ticketView) author(ctx context.Context, m ticket.Message) string {
	switch {
	case m.By.Role == ticket.Requester:
		return i18n.T(ctx, "helpdesk.following.you")
	case m.By.Role == ticket.Other: // a mail says any name
		return i18n.T(ctx, "helpdesk.following.other_sender", "address", m.By.Mail)
	case m.By.Name != "":
		return m.By.Name
	default:
		return i18n.T(ctx, "helpdesk.following.desk")
	}
}
