package support

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mileusna/useragent"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// recentSize is how many sign-ins of somebody an agent sees, maxReason how long
// the reason for opening somebody may be, in characters.
const (
	recentSize = 10
	maxReason  = 300
)

// personView is what an agent sees of somebody: enough to help, and no secret.
// Numbers and addresses are masked; the secretariat's reason and note are not here.
type personView struct {
	account.Person
	opening
	Standing  lifecycle.Standing
	Factors   []factor.Factor
	Points    []reach.Point
	Recent    []attempt.Attempt
	Devices   int
	Trusted   int
	Lock      *risk.Locked
	Recovery  *recovery.Request
	MayRelay  bool
	Elsewhere []contract.Card // what the other rooms know
	Relayed   *factor.Relayed // shown once
	Now       time.Time
}

// view gathers what an agent may see of somebody.
func (s *Support) view(r *http.Request, who campus.PersonID, from opening) (personView, error) {
	ctx := r.Context()
	view := personView{opening: from, Now: s.Clock.Now()}
	var err error
	if view.Person, err = s.People.PersonByID(ctx, who); err != nil {
		return view, err
	}
	if view.Standing, err = s.Accounts.Standing(ctx, who); err != nil {
		return view, err
	}
	if view.Factors, err = s.Factors.Of(ctx, who); err != nil {
		return view, err
	}
	if view.Points, err = s.Contacts.Points(ctx, who); err != nil {
		return view, err
	}
	if view.Recent, err = s.Stories.Of(ctx, who, recentSize); err != nil {
		return view, err
	}
	devices, err := s.Devices.List(ctx, who)
	if err != nil {
		return view, err
	}
	view.Devices = len(devices)
	for _, d := range devices {
		if d.Trusted(view.Now) {
			view.Trusted++
		}
	}
	locks, err := s.Locks.Locks(ctx, who)
	if err != nil {
		return view, err
	}
	for i := range locks {
		if locks[i].Holds(view.Now) {
			view.Lock = &locks[i]
			break
		}
	}
	q, ok, err := s.Recoveries.Open(ctx, who)
	if err != nil {
		return view, err
	}
	if ok {
		view.Recovery = &q
	}
	agent, err := s.People.PersonByID(ctx, web.Viewer(r).Person)
	if err != nil {
		return view, err
	}
	if view.Elsewhere, err = s.About(ctx, web.Viewer(r), who); err != nil {
		return view, err
	}
	view.MayRelay = len(view.Factors) > 0 && s.Factors.MayRelay(agent, view.Person)
	return view, nil
}

// askView asks an agent why they open somebody without an incident code.
type askView struct {
	Person   account.Person
	Reason   string
	Problems web.Problems
}

func (s *Support) personPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.person(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	mark := r.URL.Query().Get("opened")
	if !s.opened(r, mark, string(p.ID)) {
		return web.Render(w, r, http.StatusOK, askTempl(askView{Person: p}))
	}
	view, err := s.view(r, p.ID, opening{Mark: mark, Back: personURL(p.ID, mark)})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, personTempl(view))
}

// openPerson opens somebody for a reason, which the person can read in their
// journal.
func (s *Support) openPerson(w http.ResponseWriter, r *http.Request) error {
	p, err := s.person(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := askView{Person: p, Reason: strings.TrimSpace(values.Get("reason"))}
	switch {
	case view.Reason == "":
		view.Problems.Add("reason", "identity.support.problem.reason_missing")
	case utf8.RuneCountInString(view.Reason) > maxReason:
		view.Problems.Add("reason", "identity.support.problem.reason_long", "limit", maxReason)
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, askTempl(view))
	}
	if err := s.write(r.Context(), r, p.ID, accountOpened, "reason", view.Reason); err != nil {
		return err
	}
	return web.SeeOther(w, r, personURL(p.ID, s.mark(r, string(p.ID))))
}

// acting reads whom an agent acts on, and refuses those whom they did not open.
func (s *Support) acting(r *http.Request) (account.Person, opening, error) {
	values, err := web.Form(r)
	if err != nil {
		return account.Person{}, opening{}, err
	}
	p, err := s.person(r.Context(), r.PathValue("id"))
	if err != nil {
		return account.Person{}, opening{}, err
	}
	from := opening{Mark: values.Get("opened"), Back: personURL(p.ID, values.Get("opened"))}
	if !s.opened(r, from.Mark, string(p.ID)) {
		return account.Person{}, opening{}, NotOpened
	}
	if back := values.Get("back"); strings.HasPrefix(back, "/identity/support/incidents/") {
		from.Back = web.Local(back)
	}
	return p, from, nil
}

func (s *Support) sendReset(w http.ResponseWriter, r *http.Request) error {
	p, from, err := s.acting(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if err := s.DB.InTx(ctx, func(tx db.Tx) error { return s.Resets.SendReset(ctx, tx, p, journal.From(r)) }); err != nil {
		return err
	}
	web.Flash(w, r, "identity.support.done.reset")
	return web.SeeOther(w, r, from.Back)
}

func (s *Support) sendUnlock(w http.ResponseWriter, r *http.Request) error {
	p, from, err := s.acting(r)
	if err != nil {
		return err
	}
	if err := s.Locks.SendUnlock(r.Context(), web.Viewer(r), p.ID, journal.From(r)); err != nil {
		return err
	}
	web.Flash(w, r, "identity.support.done.unlock")
	return web.SeeOther(w, r, from.Back)
}

// relay shows a code to read out, in the answer to the post itself: it is kept
// nowhere. Posting again makes another, which replaces it.
func (s *Support) relay(w http.ResponseWriter, r *http.Request) error {
	p, from, err := s.acting(r)
	if err != nil {
		return err
	}
	v := web.Viewer(r)
	agent, err := s.People.PersonByID(r.Context(), v.Person)
	if err != nil {
		return err
	}
	given, err := s.Factors.Relay(r.Context(), factor.At(r, entry.Actor{Person: v.Person, Session: v.Session}), agent, p)
	if err != nil {
		return err
	}
	view, err := s.view(r, p.ID, from)
	if err != nil {
		return err
	}
	view.Relayed = &given
	return web.Render(w, r, http.StatusOK, personTempl(view))
}

// browser says in words what a User-Agent header stands for.
func browser(ctx context.Context, agent string) string {
	ua := useragent.Parse(agent)
	if ua.Name == "" {
		return i18n.T(ctx, "identity.support.browser_unknown")
	}
	words := strings.TrimSpace(ua.Name + " " + ua.Version)
	if ua.OS != "" {
		words += " · " + strings.TrimSpace(ua.OS+" "+ua.OSVersion)
	}
	return words
}
