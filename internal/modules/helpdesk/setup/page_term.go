package setup

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// termsView lists the starts of term.
type termsView struct{ Terms []termRow }

type termRow struct {
	ID, Name, Detail, State string
	Tone                    ui.Tone
}

func (s *Setup) termsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	terms, err := s.Calendars.Terms.Shelf.All(ctx)
	if err != nil {
		return err
	}
	var view termsView
	for _, item := range slices.Backward(terms) {
		state, tone := s.stateOf(ctx, item.Of)
		view.Terms = append(view.Terms, termRow{item.ID, item.Of.Name.In(i18n.Locale(ctx)), spanText(ctx, item.Of.Span), state, tone})
	}
	return web.Render(w, r, http.StatusOK, termsTempl(view))
}

// stateOf words how far a term is.
func (s *Setup) stateOf(ctx context.Context, one term.Term) (string, ui.Tone) {
	today := hours.DateIn(s.Clock.Now(), s.Zone)
	switch {
	case one.Ended || one.Last < today:
		return t(ctx, "term.over"), ""
	case one.First > today:
		return t(ctx, "term.planned"), ui.Info
	}
	return t(ctx, "term.running"), ui.Good
}

// termView is the page of one start of term.
type termView struct {
	ID               string
	Item             kept.Item[term.Term]
	State            string
	Form             url.Values
	Problems         web.Problems
	Calendars, Areas []ui.Option
	Members          []termMember
	Words            string
	Found            []memberView
	Queues           []ui.Option
}

// termMember is somebody who strengthens a queue.
type termMember struct {
	memberView
	Queue, QueueName, State string
}

// term reads the start of term of an address; a new one is not kept yet.
func (s *Setup) term(r *http.Request) (kept.Item[term.Term], error) {
	if r.PathValue("id") == newID {
		return kept.Item[term.Term]{}, nil
	}
	return s.Calendars.Terms.Shelf.One(r.Context(), r.PathValue("id"))
}

func (s *Setup) termPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	item, err := s.term(r)
	if err != nil {
		return err
	}
	var week hours.Week
	for _, d := range weekdays[:5] { // longer than most desks
		week[d] = []hours.Frame{{From: 8 * 60, To: 19 * 60}}
	}
	form := url.Values{"ask": words(item.Of.Ask, func(a ticket.Area) string { return string(a) })}
	for calendar, own := range item.Of.Weeks {
		week = own // one week for all of them
		form.Add("calendars", calendar)
	}
	if item.ID == "" { // all desks, until somebody says otherwise
		plans, err := s.Calendars.Plans.All(ctx)
		if err != nil {
			return err
		}
		for _, plan := range plans {
			form.Add("calendars", plan.ID)
		}
	} else {
		form.Set("first", item.Of.First.String())
		form.Set("last", item.Of.Last.String())
	}
	for field, values := range weekText(week) {
		form[field] = values
	}
	setNamed(form, "name", item.Of.Name)
	setNamed(form, "banner", item.Of.Banner)
	return s.showTerm(w, r, http.StatusOK, item, form, nil)
}

func (s *Setup) showTerm(w http.ResponseWriter, r *http.Request, status int, item kept.Item[term.Term], form url.Values, problems web.Problems) error {
	ctx := r.Context()
	view := termView{ID: r.PathValue("id"), Item: item, Form: form, Problems: problems, Words: strings.TrimSpace(r.URL.Query().Get("q"))}
	view.State, _ = s.stateOf(ctx, item.Of)
	plans, err := s.Calendars.Plans.All(ctx)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		view.Calendars = append(view.Calendars, ui.Option{Value: plan.ID, Label: plan.Of.Name.In(i18n.Locale(ctx))})
	}
	for _, a := range ticket.Areas {
		view.Areas = append(view.Areas, ui.Option{Value: string(a), Label: i18n.T(ctx, "helpdesk.area."+string(a))})
	}
	if item.ID != "" {
		if err := s.staff(ctx, &view); err != nil {
			return err
		}
	}
	return web.Render(w, r, status, termTempl(view))
}

// staff fills in who strengthens which queue, and who could.
func (s *Setup) staff(ctx context.Context, view *termView) error {
	queues, err := s.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, q := range queues {
		names[q.ID] = s.queueName(ctx, q)
	}
	view.Queues = s.queueOptions(ctx, queues, "")
	planned, err := s.Calendars.Terms.Members(ctx, view.ID)
	if err != nil {
		return err
	}
	for _, m := range planned {
		one, err := s.members(ctx, []campus.PersonID{m.Person})
		if err != nil {
			return err
		}
		view.Members = append(view.Members, termMember{one[0], m.Queue, names[m.Queue], m.State})
	}
	view.Found, err = s.search(ctx, view.Words, nil)
	return err
}

func (s *Setup) keepTerm(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	item, err := s.term(r)
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	one := item.Of
	one.Name, one.Span = in.named("name", true), in.span()
	one.Banner = hours.Named{French: in.line("banner_fr"), English: in.line("banner_en")}
	if len(one.Banner.French) > maxWords || len(one.Banner.English) > maxWords {
		in.wrong("banner_fr", "name_long", "limit", maxWords)
	}
	one.Ask = picked(in, "ask", ticket.Areas)
	plans, err := s.Calendars.Plans.All(ctx)
	if err != nil {
		return err
	}
	week := in.week()
	one.Weeks = map[string]hours.Week{}
	for _, plan := range plans {
		if slices.Contains(in.Values["calendars"], plan.ID) {
			one.Weeks[plan.ID] = week
		}
	}
	item.Version = in.version()
	if in.problems.Any() {
		return s.showTerm(w, r, http.StatusUnprocessableEntity, item, in.Values, in.problems)
	}
	item.Of, item.Position = one, int64(one.First)
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		written, err := s.Calendars.Terms.Shelf.Keep(ctx, tx, web.Viewer(r).Person, item)
		item.ID = written.ID
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/term/"+item.ID)
}

// staffed changes who strengthens a queue, and leads back to the term. Whoever is
// added to a term that is under way works there within a minute.
func (s *Setup) staffed(w http.ResponseWriter, r *http.Request, do func(tx db.Tx, term, queue string, who campus.PersonID) error) error {
	ctx := r.Context()
	item, err := s.Calendars.Terms.Shelf.One(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := read(r)
	if err != nil {
		return err
	}
	queue, err := s.Tickets.Queue(ctx, in.Get("queue"))
	if err != nil {
		return err
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error { return do(tx, item.ID, queue.ID, campus.PersonID(in.Get("person"))) }); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.kept")
	return web.SeeOther(w, r, "/helpdesk/setup/term/"+item.ID+"#members")
}

func (s *Setup) joinTerm(w http.ResponseWriter, r *http.Request) error {
	return s.staffed(w, r, func(tx db.Tx, term, queue string, who campus.PersonID) error {
		known, err := s.Register.KnownPeople(r.Context(), []campus.PersonID{who})
		if err != nil {
			return err
		}
		if _, there := known[who]; !there {
			return kept.Missing
		}
		return s.Calendars.Terms.Join(r.Context(), tx, term, queue, who)
	})
}

func (s *Setup) leaveTerm(w http.ResponseWriter, r *http.Request) error {
	return s.staffed(w, r, func(tx db.Tx, term, queue string, who campus.PersonID) error {
		return s.Calendars.Terms.Leave(r.Context(), tx, term, queue, who)
	})
}

func (s *Setup) endTermPage(w http.ResponseWriter, r *http.Request) error {
	item, err := s.Calendars.Terms.Shelf.One(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, endTermTempl(item))
}

// endTerm ends a start of term before its last day: hours, staff, banner and
// diagnosis are as on other days again.
func (s *Setup) endTerm(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	item, err := s.Calendars.Terms.Shelf.One(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	item.Of.Ended = true
	if err := s.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := s.Calendars.Terms.Shelf.Keep(ctx, tx, web.Viewer(r).Person, item)
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.setup.term.was_ended")
	return web.SeeOther(w, r, "/helpdesk/setup/term")
}
