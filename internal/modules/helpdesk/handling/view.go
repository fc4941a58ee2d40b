package handling

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// held says who has the ticket, and where.
func (v ticketView) held(ctx context.Context) string {
	if v.Holder == "" {
		return say(ctx, "held.nobody", "queue", v.Queue)
	}
	return say(ctx, "held.by", "name", v.Holder, "queue", v.Queue)
}

// author is who said something.
func author(ctx context.Context, by ticket.Actor) string {
	if by.Role == ticket.House {
		return say(ctx, "house")
	}
	if by.Role == ticket.Other && by.Mail != "" { // a mail says any name
		return strings.TrimSpace(by.Name + " <" + by.Mail + ">")
	}
	return cmp.Or(by.Name, by.Mail, i18n.T(ctx, "helpdesk.event.somebody"))
}

// heading names a message to those who hear the page.
func (v ticketView) heading(ctx context.Context, l line) string {
	key := "message"
	if l.Message.Internal {
		key = "message_internal"
	}
	return say(ctx, key, "name", author(ctx, l.Message.By), "when", i18n.Date(ctx, l.At, i18n.Full))
}

// next are the acts on the state that make sense now.
func (v ticketView) next() []string {
	switch v.State {
	case ticket.New:
		return []string{"take", "wait", "solve", "close"}
	case ticket.Open:
		return []string{"wait", "solve", "close"}
	case ticket.Waiting, ticket.Postponed:
		return []string{"take", "solve", "close"}
	case ticket.Solved:
		return []string{"close", "reopen"}
	case ticket.Closed:
		return []string{"reopen"}
	default:
		return nil
	}
}

// keyOf is the key of an act on the state.
func keyOf(to string) templ.Attributes {
	if to == "solve" {
		return templ.Attributes{"data-key": "s"}
	}
	return nil
}

// about are the facts of the ticket itself.
func (v ticketView) about(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{
		{Label: say(ctx, "place.queue"), Text: v.Queue},
		{Label: say(ctx, "area"), Text: i18n.T(ctx, "helpdesk.area."+string(v.Area))},
	}
	if v.Campus != "" {
		facts = append(facts, ui.Fact{Label: say(ctx, "campus"), Text: v.Campus})
	}
	if v.Service != "" {
		facts = append(facts, ui.Fact{Label: say(ctx, "service"), Text: v.Service})
	}
	for _, because := range v.Routed {
		facts = append(facts, ui.Fact{Label: say(ctx, "because"), Text: reasonOf(ctx, because)})
	}
	if !v.AnswerDue.IsZero() && v.AnsweredAt.IsZero() {
		facts = append(facts, ui.Fact{Label: say(ctx, "answer_due"), Body: ui.When(v.AnswerDue, i18n.Moment)})
	}
	if !v.SolveDue.IsZero() && !v.State.Over() {
		facts = append(facts, ui.Fact{Label: say(ctx, "solve_due"), Body: ui.When(v.SolveDue, i18n.Moment)})
	}
	if !v.PostponedUntil.IsZero() {
		facts = append(facts, ui.Fact{Label: say(ctx, "postponed"), Body: ui.When(v.PostponedUntil, i18n.Moment)})
	}
	if v.Spent > 0 {
		facts = append(facts, ui.Fact{Label: say(ctx, "spent"), Text: i18n.Of(ctx).Duration(v.Spent)})
	}
	if v.Rating != 0 {
		facts = append(facts, ui.Fact{Label: say(ctx, "rating"), Text: i18n.T(ctx, "helpdesk.event.rated_"+strconv.Itoa(int(v.Rating)))})
		if v.RatingWords != "" {
			facts = append(facts, ui.Fact{Label: say(ctx, "rating_words"), Text: v.RatingWords})
		}
	}
	return facts
}

// reasonOf words why a rule placed the ticket.
func reasonOf(ctx context.Context, b ticket.Because) string {
	if b.Key == "" {
		return i18n.Pick(ctx, b.French, b.Words)
	}
	pairs := make([]any, 0, 2*len(b.Facts))
	for name, value := range b.Facts {
		pairs = append(pairs, name, value)
	}
	return i18n.T(ctx, b.Key, pairs...)
}

// known are the facts that the house filled in when the ticket was opened.
func (v ticketView) known(ctx context.Context) []ui.Fact {
	var facts []ui.Fact
	if v.IncidentCode != "" {
		facts = append(facts, ui.Fact{Label: say(ctx, "known.incident"), Body: linkTempl(v.IncidentCode, incidentURL(v.Ticket))})
	}
	if v.Ticket.Reason != "" && v.Reason == nil {
		facts = append(facts, ui.Fact{Label: say(ctx, "known.reason"), Text: v.Ticket.Reason, Code: true})
	}
	for _, f := range v.Facts {
		label := "helpdesk.fact." + f.Label
		if p := i18n.Of(ctx); p != nil && p.Has(label) {
			label = p.T(label)
		} else {
			label = f.Label
		}
		facts = append(facts, ui.Fact{Label: label, Text: f.Content})
	}
	return facts
}

// incidentURL is the story of the sign-in that failed, which leads back here.
func incidentURL(t ticket.Ticket) string {
	return "/identity/support/incidents/" + url.PathEscape(t.IncidentCode) + "?" + url.Values{"return": {URL(t.Number)}}.Encode()
}

// who are the facts of the person who asked.
func (v ticketView) who(ctx context.Context) []ui.Fact {
	var facts []ui.Fact
	if v.Person.Login != "" {
		facts = append(facts, ui.Fact{Label: say(ctx, "who.login"), Text: v.Person.Login, Code: true})
	}
	if v.Person.Number != "" {
		facts = append(facts, ui.Fact{Label: say(ctx, "who.number"), Text: v.Person.Number, Code: true})
	}
	if v.RequesterMail != "" {
		facts = append(facts, ui.Fact{Label: say(ctx, "who.mail"), Text: v.RequesterMail})
	}
	if v.RequesterPhone != "" {
		facts = append(facts, ui.Fact{Label: say(ctx, "who.phone"), Text: v.RequesterPhone})
	}
	if !v.Person.Known {
		facts = append(facts, ui.Fact{Label: say(ctx, "who.account"), Text: say(ctx, "who.no_account")})
	}
	if v.ProvedAt.IsZero() {
		facts = append(facts, ui.Fact{Label: say(ctx, "who.proof"), Text: say(ctx, "who.unproved")})
	}
	return append(facts, ui.Fact{Label: say(ctx, "who.language"), Text: say(ctx, "who.language_"+string(v.Locale))})
}

// when is when somebody wishes to be called.
func (c callback) when(ctx context.Context) string {
	if c.Due.IsZero() {
		return c.Wished
	}
	return say(ctx, "callback.when", "when", c.Due, "wished", c.Wished)
}

// actURL is where an act is confirmed: here, or on the page of its room.
func actURL(number string, a contract.Act) templ.SafeURL {
	if a.URL == "" {
		return at(number, "acts/"+a.ID)
	}
	return templ.SafeURL(a.URL)
}

func thens(ctx context.Context) []ui.Option {
	var list []ui.Option
	for _, t := range []after{waits, solves, closes} {
		list = append(list, ui.Option{Value: string(t), Label: say(ctx, "write.then_"+string(t))})
	}
	return list
}

func priorities(ctx context.Context) []ui.Option {
	var list []ui.Option
	for _, p := range ticket.Priorities {
		list = append(list, ui.Option{Value: strconv.Itoa(int(p)), Label: i18n.T(ctx, "helpdesk.priority."+p.Key())})
	}
	return list
}

// placeProblem reports whether what is to mend stands in the folded form.
func placeProblem(problems web.Problems) bool {
	for _, name := range []string{"assignee", "until", "spent"} {
		if _, ok := problems.Of(name); ok {
			return true
		}
	}
	return false
}

// bytesOf words the size of a file.
func bytesOf(ctx context.Context, n int64) string {
	return say(ctx, "size", "size", i18n.Bytes(n))
}

// below are the crumbs of a page below a ticket.
func below(ctx context.Context, t ticket.Ticket) []ui.Link {
	return append(crumbs(ctx), ui.Link{Label: ticket.Spoken(t.Number), URL: URL(t.Number)})
}

// versionText is the version of a ticket, for a form.
func versionText(t ticket.Ticket) string { return strconv.FormatInt(t.Version, 10) }

// undoText is the sentence about what can be taken back.
func undoText(sent bool) string {
	if sent {
		return "undo.sent"
	}
	return "undo.text"
}

// middle is the part of a long conversation that is put away: the lines from one index
// up to, and without, another.
type middle struct {
	from, to int
	count    int  // messages inside; 0 for nothing put away
	fresh    bool // something inside came while the agent wrote
}

// middle says which lines to put away: what was said counts, and what happened between
// goes with it.
func (v ticketView) middle() middle {
	var said []int // where messages stand
	for i, l := range v.Lines {
		if l.Message != nil {
			said = append(said, i)
		}
	}
	from, to := ui.Middle(len(said))
	if from == to {
		return middle{from: len(v.Lines), to: len(v.Lines)}
	}
	m := middle{from: said[from], to: said[to], count: to - from}
	m.fresh = slices.ContainsFunc(v.Lines[m.from:m.to], func(l line) bool { return l.New })
	return m
}
