package lifecycle

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// MaxNote is how long a note of the secretariat may be, in characters.
const MaxNote = 1000

// decideView is the page that states what a decision does, before it is taken.
type decideView struct {
	accountView
	Act      string // suspend, close, expire or reopen
	Form     decideForm
	Problems web.Problems
	Reasons  []ReasonConfig
	KeepDays int
}

// decideForm is what the secretariat chose.
type decideForm struct {
	Reason, Note, From, Until string
	Was, Decision             string
}

// decidePage states the effect of an act. One that the account's state does not
// allow any more leads back to the account, which says why.
func (l *Lifecycle) decidePage(w http.ResponseWriter, r *http.Request) error {
	view, err := l.viewOf(r)
	if err != nil {
		return err
	}
	act := r.PathValue("act")
	if act != "reopen" && orderedState[act] == "" {
		return web.PageMissing
	}
	if !slices.Contains(view.acts(), act) {
		return web.SeeOther(w, r, "/identity/accounts/"+string(view.Person.ID))
	}
	form := decideForm{Was: string(view.Person.State)}
	if view.Holding != nil {
		form.Decision = view.Holding.ID
	}
	return web.Render(w, r, http.StatusOK, decideTempl(l.decideView(view, act, form, nil)))
}

func (l *Lifecycle) decideView(view accountView, act string, form decideForm, problems web.Problems) decideView {
	return decideView{accountView: view, Act: act, Form: form, Problems: problems, Reasons: l.config.reasons(), KeepDays: l.config.keep(0)}
}

func readDecideForm(r *http.Request) (decideForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return decideForm{}, err
	}
	return decideFormOf(values), nil
}

func decideFormOf(values url.Values) decideForm {
	return decideForm{
		Reason: values.Get("reason"), Note: strings.TrimSpace(strings.ReplaceAll(values.Get("note"), "\r\n", "\n")),
		From: strings.TrimSpace(values.Get("from")), Until: strings.TrimSpace(values.Get("until")),
		Was: values.Get("was"), Decision: values.Get("decision"),
	}
}

// ReadOrder reads a decision for many accounts from the fields reason, note, from
// and until of a form. Act is suspend, close or expire.
func (l *Lifecycle) ReadOrder(values url.Values, act string, now time.Time) (Order, web.Problems) {
	f := decideFormOf(values)
	f.Was = "" // each account has its own
	return l.order(f, act, now)
}

// order turns the form into a decision. A day at the beginning means its first
// moment, a day at the end its last.
func (l *Lifecycle) order(f decideForm, act string, now time.Time) (Order, web.Problems) {
	var problems web.Problems
	o := Order{State: orderedState[act], Reason: f.Reason, Note: f.Note, Was: account.State(f.Was)}
	if _, ok := l.config.reason(f.Reason); !ok {
		problems.Add("reason", "identity.lifecycle.problem.reason")
	}
	if f.From != "" {
		begins, err := time.ParseInLocation(dayLayout, f.From, l.Zone)
		switch {
		case err != nil || begins.Year() > 2200:
			problems.Add("from", "identity.lifecycle.problem.day")
		case endOfDay(begins, l.Zone).Before(now):
			problems.Add("from", "identity.lifecycle.problem.from_past")
		default:
			o.From = begins
		}
	}
	if f.Until != "" {
		ends, err := ParseDay(f.Until, l.Zone)
		switch {
		case err != nil:
			problems.Add("until", "identity.lifecycle.problem.day")
		case !ends.After(now) || !ends.After(o.From):
			problems.Add("until", "identity.lifecycle.problem.until_past")
		default:
			o.Until = ends
		}
	} else if o.State == account.Expiring {
		problems.Add("until", "identity.lifecycle.problem.until_missing")
	}
	if utf8.RuneCountInString(f.Note) > MaxNote {
		problems.Add("note", "identity.lifecycle.problem.note_long", "limit", MaxNote)
	}
	return o, problems
}

func (l *Lifecycle) suspend(w http.ResponseWriter, r *http.Request) error {
	return l.takeDecision(w, r, "suspend")
}

func (l *Lifecycle) close(w http.ResponseWriter, r *http.Request) error {
	return l.takeDecision(w, r, "close")
}

func (l *Lifecycle) expire(w http.ResponseWriter, r *http.Request) error {
	return l.takeDecision(w, r, "expire")
}

func (l *Lifecycle) takeDecision(w http.ResponseWriter, r *http.Request, act string) error {
	form, err := readDecideForm(r)
	if err != nil {
		return err
	}
	view, err := l.viewOf(r)
	if err != nil {
		return err
	}
	o, problems := l.order(form, act, view.Now)
	if problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, decideTempl(l.decideView(view, act, form, problems)))
	}
	o.Event = journal.From(r)
	if _, err := l.Decide(r.Context(), web.Viewer(r), view.Person.ID, o); err != nil {
		return err
	}
	web.Flash(w, r, "identity.lifecycle.done."+act)
	return web.SeeOther(w, r, "/identity/accounts/"+string(view.Person.ID))
}

func (l *Lifecycle) reopen(w http.ResponseWriter, r *http.Request) error {
	form, err := readDecideForm(r)
	if err != nil {
		return err
	}
	view, err := l.viewOf(r)
	if err != nil {
		return err
	}
	if utf8.RuneCountInString(form.Note) > MaxNote {
		var problems web.Problems
		problems.Add("note", "identity.lifecycle.problem.note_long", "limit", MaxNote)
		return web.Render(w, r, http.StatusUnprocessableEntity, decideTempl(l.decideView(view, "reopen", form, problems)))
	}
	if err := l.Lift(r.Context(), web.Viewer(r), view.Person.ID, form.Decision, form.Note, journal.From(r)); err != nil {
		return err
	}
	web.Flash(w, r, "identity.lifecycle.done.reopen")
	return web.SeeOther(w, r, "/identity/accounts/"+string(view.Person.ID))
}

func (l *Lifecycle) undo(w http.ResponseWriter, r *http.Request) error {
	form, err := readDecideForm(r)
	if err != nil {
		return err
	}
	view, err := l.viewOf(r)
	if err != nil {
		return err
	}
	if err := l.Undo(r.Context(), web.Viewer(r), view.Person.ID, form.Decision, journal.From(r)); err != nil {
		return err
	}
	web.Flash(w, r, "identity.lifecycle.done.undo")
	return web.SeeOther(w, r, "/identity/accounts/"+string(view.Person.ID))
}
