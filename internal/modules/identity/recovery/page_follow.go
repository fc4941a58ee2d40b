package recovery

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// maxWords is how long what somebody says about a recovery may be, in characters.
const maxWords = 500

// ladder are the ways back, easiest first.
var ladder = []string{"codes", "other", "device", "relayed", "desk", "supervised"}

// ladderView is the page of the ways back.
type ladderView struct {
	MayAsk bool // the password was proved a moment ago
	At     string
	Delay  time.Duration
}

func (x *Recovery) ladderPage(w http.ResponseWriter, r *http.Request) error {
	view := ladderView{Delay: x.config.Delay}
	if a, err := x.Door.Actor(r); err == nil && a.SigningIn() && !a.ProvedAt.IsZero() {
		view.MayAsk, view.At = true, a.At
	}
	return web.Render(w, r, http.StatusOK, ladderTempl(view))
}

// ask opens a recovery for somebody on the way in who has proved their password.
func (x *Recovery) ask(w http.ResponseWriter, r *http.Request) error {
	a, err := x.Door.Actor(r)
	if err != nil || !a.SigningIn() || a.ProvedAt.IsZero() {
		return AskFirst
	}
	q, err := x.Begin(r.Context(), a.Person, a.Person, "", a.At, journal.From(r))
	if errors.Is(err, Running) {
		var ok bool
		if q, ok, err = x.Open(r.Context(), a.Person); err == nil && !ok {
			return Over // it ended between the two
		}
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, x.FollowURL(q.ID))
}

// followView is a recovery as the person sees it, without an account.
type followView struct {
	Request
	State State
	Now   time.Time
}

func (x *Recovery) followPage(w http.ResponseWriter, r *http.Request) error {
	q, err := x.byToken(r.Context(), followPurpose, r.PathValue("token"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, followTempl(x.follow(q)))
}

func (x *Recovery) follow(q Request) followView {
	now := x.Clock.Now()
	return followView{Request: q, State: q.State(now, x.config.CodeLasts), Now: now}
}

// way is the recovery stage by stage. It names no agent.
func (v followView) way(ctx context.Context) []ui.Stage {
	said := func(key string, pairs ...any) string {
		return i18n.T(ctx, "identity.recovery.way."+key, pairs...)
	}
	moment := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return i18n.Date(ctx, at, i18n.Moment)
	}
	stages := []ui.Stage{
		{State: ui.StageDone, Title: said("asked"), Detail: moment(v.OpenedAt)},
		{Title: said("first"), Detail: moment(v.First.At)},
		{Title: said("second"), Detail: moment(v.Second.At)},
		{Title: said("delay"), Detail: said("delay_why")},
		{Title: said("code"), Detail: said("code_why")},
		{Title: said("done")},
	}
	reached := map[State]int{Asked: 1, Vouched: 2, Waiting: 3, Ready: 4, Given: 4, Done: len(stages)}[v.State]
	if v.Ended != "" && v.State != Done { // it stopped where it was
		switch {
		case v.Second.Given():
			reached = 3
		case v.First.Given():
			reached = 2
		default:
			reached = 1
		}
	}
	for i := range stages {
		switch {
		case i < reached:
			stages[i].State = ui.StageDone
		case i == reached:
			stages[i].State = ui.StageStop
		default:
			stages[i].State = ui.StageLater
		}
	}
	if v.State == Waiting {
		stages[3].Tag = said("goes_on", "at", v.ReadyAt)
	}
	if v.Ended != "" && v.State != Done {
		stages[reached] = ui.Stage{State: ui.StageStop, Tone: ui.Bad, Title: said(string(v.State)), Detail: moment(v.EndedAt)}
		stages = stages[:reached+1]
	}
	return stages
}

func (x *Recovery) stopPage(w http.ResponseWriter, r *http.Request) error {
	q, err := x.byToken(r.Context(), stopPurpose, r.PathValue("token"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, stopTempl(x.follow(q), r.PathValue("token")))
}

// stop ends a recovery that its owner did not ask for. Stopping one that is
// stopped already says the same: mail programs and people click twice.
func (x *Recovery) stop(w http.ResponseWriter, r *http.Request) error {
	q, err := x.byToken(r.Context(), stopPurpose, r.PathValue("token"))
	if err != nil {
		return err
	}
	if err := x.end(r.Context(), q, Stopped, "", "", journal.From(r)); err != nil && !errors.Is(err, Over) {
		return err
	}
	return web.SeeOther(w, r, "/identity/recovery/stop/"+r.PathValue("token"))
}

// openView is the last page: the code, and a new password.
type openView struct {
	Person   account.Person
	Token    string
	Code     string
	Problems web.Problems
	Stopped  *web.Failure
}

func (x *Recovery) openPage(w http.ResponseWriter, r *http.Request) error {
	_, p, err := x.opening(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, x.openTempl(openView{Person: p, Token: r.PathValue("token")}))
}

func (x *Recovery) opening(r *http.Request) (Request, account.Person, error) {
	q, err := x.byLink(r.Context(), r.PathValue("token"))
	if err != nil {
		return Request{}, account.Person{}, err
	}
	p, err := x.People.PersonByID(r.Context(), q.Person)
	return q, p, err
}

// open takes the code and the new password. The password is judged first, so
// that a weak one does not use the code up.
func (x *Recovery) open(w http.ResponseWriter, r *http.Request) error {
	q, p, err := x.opening(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, view := r.Context(), openView{Person: p, Token: r.PathValue("token"), Code: values.Get("code")}
	if strings.TrimSpace(view.Code) == "" {
		view.Problems.Add("code", "identity.recovery.problem.code_missing")
	}
	weak, err := x.Passwords.Problems(ctx, p, values.Get(renewal.PlainField), values.Get(renewal.AgainField))
	if err != nil {
		return err
	}
	view.Problems = append(view.Problems, weak...)
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, x.openTempl(view))
	}
	secret, err := x.Passwords.Hash(ctx, values.Get(renewal.PlainField))
	if err != nil {
		return err
	}
	if err := x.Codes.Check(ctx, codePurpose, q.ID, view.Code); err != nil {
		f := fault.Of(err)
		if f.Reason.Kind() == fault.Broken {
			return err
		}
		web.Note(r, f)
		failure := web.Explain(ctx, f)
		view.Stopped = &failure
		return web.Render(w, r, failure.Status, x.openTempl(view))
	}
	if err := x.finish(ctx, q, p, r.PathValue("token"), secret, journal.From(r)); err != nil {
		return err
	}
	return x.Door.Enter(w, r, q.Person, entry.Proof{Method: entry.Password}, entry.Arrival{Next: "/"})
}

// wordsOf trims what somebody wrote and says what is wrong with it.
func wordsOf(text, field string, needed bool, problems *web.Problems) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch {
	case needed && text == "":
		problems.Add(field, "identity.recovery.problem.words_missing")
	case utf8.RuneCountInString(text) > maxWords:
		problems.Add(field, "identity.recovery.problem.words_long", "limit", maxWords)
	}
	return text
}
