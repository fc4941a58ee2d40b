package counter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// proofPurpose names appointments among what waits for a code.
const proofPurpose = "appointment"

// The bounds of what people type.
const (
	maxName  = 120
	maxWords = 1000
	maxMail  = 254
	mostDays = 14 // that are offered at once
)

// reasonsView is what somebody can come for.
type reasonsView struct {
	Desk
	Where string
	Stand counterView
}

func (x *Reception) reasonsPage(w http.ResponseWriter, r *http.Request) error {
	d, err := x.counters.One(r.Context(), r.PathValue("code"))
	if err != nil {
		return err
	}
	stand, err := x.standing(r.Context(), d)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, reasonsTempl(reasonsView{Desk: d, Where: stand.Where, Stand: stand}))
}

// slotsView is the form of an appointment: a day, its times, and who comes.
type slotsView struct {
	Title, Where, Counter, Bring string
	Identity                     bool
	Action                       string
	Days                         []ui.TabLink
	Day                          string
	Times                        []ui.Option
	Notice                       string // why another time has to be chosen
	Stranger                     bool
	Moving                       bool
	Requests                     []ui.Option
	Form                         url.Values
	Problems                     web.Problems
	Crumbs                       []ui.Link
}

func (x *Reception) slotsPage(w http.ResponseWriter, r *http.Request) error {
	view := slotsView{Form: url.Values{}}
	if r.URL.Query().Get("gone") != "" {
		view.Notice = "taken"
	}
	if r.URL.Query().Get("already") != "" {
		view.Notice = "already"
	}
	return x.showSlots(w, r, http.StatusOK, view)
}

func (x *Reception) showSlots(w http.ResponseWriter, r *http.Request, status int, view slotsView) error {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	d, err := x.counters.One(ctx, r.PathValue("code"))
	if err != nil {
		return err
	}
	p, ok := d.Purpose(r.PathValue("purpose"))
	if !ok {
		return Missing
	}
	view.Title, view.Bring, view.Identity = p.Name.In(l), p.Bring.In(l), p.Identity
	view.Action = CountersURL + "/" + d.Code + "/" + p.ID
	view.Crumbs = crumbs(ctx, ui.Link{Label: d.Name.In(l), URL: CountersURL + "/" + d.Code})
	if err := x.offer(r, d, &view); err != nil {
		return err
	}
	view.Where = x.around(l, d) // what it is called stands in the way back
	v := web.Viewer(r)
	if view.Stranger = !v.SignedIn(); !view.Stranger {
		mine, err := x.Tickets.Of(ctx, v.Person)
		if err != nil {
			return err
		}
		for _, one := range mine {
			if !one.State.Over() && len(view.Requests) < 20 {
				view.Requests = append(view.Requests, ui.Option{Value: one.Number, Label: ticket.Spoken(one.Number) + " · " + one.Subject})
			}
		}
	}
	return web.Render(w, r, status, slotsTempl(view))
}

// offer fills in the days with free times, and the times of the chosen one.
func (x *Reception) offer(r *http.Request, d Desk, view *slotsView) error {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	view.Counter, view.Where = d.Name.In(l), x.where(l, d)
	days, err := x.nextFree(ctx, d, calendar, 0, mostDays)
	if err != nil || len(days) == 0 {
		return err
	}
	chosen := days[0]
	if day, err := hours.ParseDate(r.FormValue("day")); err == nil {
		chosen = day
	}
	slots, err := x.free(ctx, d, calendar, chosen)
	if err != nil {
		return err
	}
	if len(slots) == 0 { // full meanwhile: the next one
		chosen = days[0]
		for _, day := range days {
			if wanted, err := hours.ParseDate(r.FormValue("day")); err == nil && day >= wanted {
				chosen = day
				break
			}
		}
		if slots, err = x.free(ctx, d, calendar, chosen); err != nil {
			return err
		}
	}
	view.Day = i18n.Date(ctx, chosen.Time(), i18n.Day)
	for _, day := range days {
		view.Days = append(view.Days, ui.TabLink{Label: i18n.Date(ctx, day.Time(), i18n.Day), URL: view.Action + "?day=" + day.String(), Current: day == chosen})
	}
	seen := map[string]bool{}
	for _, s := range slots {
		label := i18n.Date(ctx, x.wall(s.Begins, calendar.Zone()), i18n.Clock)
		if seen[label] { // an hour that the clocks show twice
			label += " (" + s.Begins.In(calendar.Zone()).Format("MST") + ")"
		}
		seen[label] = true
		view.Times = append(view.Times, ui.Option{Value: strconv.FormatInt(s.Begins.Unix(), 10), Label: label})
	}
	return nil
}

// readTime reads the chosen time.
func readTime(values url.Values, problems *web.Problems) time.Time {
	seconds, err := strconv.ParseInt(values.Get("at"), 10, 64)
	if err != nil {
		problems.Add("at", "helpdesk.counter.problem.time")
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// take takes an appointment, or sends a code first to who has not signed in.
func (x *Reception) take(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view := slotsView{Form: values}
	wish := Wish{
		Code: r.PathValue("code"), Purpose: r.PathValue("purpose"), At: readTime(values, &view.Problems), Person: v.Person, Name: v.DisplayName(), Mail: v.Mail,
		Locale: i18n.Locale(ctx), Words: values.Get("words"), Number: values.Get("request"),
	}
	if len(wish.Words) > maxWords {
		view.Problems.Add("words", "helpdesk.counter.problem.long", "limit", maxWords)
	}
	if !v.SignedIn() {
		return x.takeByCode(w, r, view, wish)
	}
	if view.Problems.Any() {
		return x.showSlots(w, r, http.StatusUnprocessableEntity, view)
	}
	var made Visit
	if err := x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		made, err = x.book(ctx, tx, wish)
		return err
	}); err != nil {
		return x.another(w, r, view, err)
	}
	web.Flash(w, r, "helpdesk.counter.taken")
	return web.SeeOther(w, r, "/helpdesk/appointments/"+made.ID)
}

// another shows the times that are free after one was lost.
func (x *Reception) another(w http.ResponseWriter, r *http.Request, view slotsView, err error) error {
	switch {
	case errors.Is(err, Taken):
		view.Notice = "taken"
	case errors.Is(err, Already):
		view.Notice = "already"
	default:
		return err
	}
	web.Note(r, fault.Of(err))
	return x.showSlots(w, r, http.StatusConflict, view)
}

// takeByCode keeps the wish of who has not signed in until they typed their code.
func (x *Reception) takeByCode(w http.ResponseWriter, r *http.Request, view slotsView, wish Wish) error {
	wish.Number = "" // nobody knows yet whose requests
	if wish.Name = campus.OneLine(view.Form.Get("name")); wish.Name == "" || len(wish.Name) > maxName {
		view.Problems.Add("name", "helpdesk.counter.problem.name")
	}
	to, err := x.Contacts.ReadContact(campus.OneLine(view.Form.Get("mail")))
	switch {
	case err != nil && fault.Of(err).Reason.Kind() == fault.Broken:
		return err
	case err != nil || to.Phone:
		view.Problems.Add("mail", "helpdesk.counter.problem.mail")
	}
	if view.Problems.Any() {
		return x.showSlots(w, r, http.StatusUnprocessableEntity, view)
	}
	wish.Mail = to.Value
	err = x.Proving.Begin(w, r, proofPurpose, to, wish)
	if refused := fault.Of(err); err != nil && refused.Reason.Kind() == fault.Busy {
		web.Note(r, refused)
		view.Problems.Add("mail", refused.Reason.Code()+".message", web.Pairs(refused.Args)...)
		return x.showSlots(w, r, refused.Reason.Kind().Status(), view)
	}
	return err
}

// proved takes the appointment of who typed their code. When its time went to
// somebody else meanwhile, they are led to the times that are left.
func (x *Reception) proved(ctx context.Context, tx db.Tx, p proving.Proved) (to string, tickets []string, err error) {
	var wish Wish
	if err := json.Unmarshal(p.Begun, &wish); err != nil {
		return "", nil, fmt.Errorf("read an appointment that waits for its code: %w", err)
	}
	wish.Person, wish.Mail = p.Person, p.Contact.Value
	back := CountersURL + "/" + wish.Code + "/" + wish.Purpose + "?day=" + wish.At.Format(time.DateOnly)
	made, err := x.book(ctx, tx, wish)
	switch {
	case errors.Is(err, Taken):
		return back + "&gone=1", nil, nil
	case errors.Is(err, Already):
		return back + "&already=1", nil, nil
	case err != nil:
		return "", nil, err
	}
	return x.appointmentPath(made), []string{made.Ticket}, nil
}
