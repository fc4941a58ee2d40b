package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// door is the way in as the alcoves see it.
type door struct{ *Module }

var _ entry.Door = door{}

// freshFor is how long a second factor covers sensitive acts.
const freshFor = 10 * time.Minute

// Actor implements [entry.Door].
func (d door) Actor(r *http.Request) (entry.Actor, error) {
	v, code := web.Viewer(r), r.URL.Query().Get("at")
	if r.Method == http.MethodPost {
		values, err := web.Form(r)
		if err != nil {
			return entry.Actor{}, err
		}
		if at := values.Get("at"); at != "" {
			code = at
		}
	}
	if v.SignedIn() && code == "" {
		return d.known(r, inside(v))
	}
	a, err := d.storyOf(r, code)
	if errors.Is(err, SignInLost) && v.SignedIn() { // another tab finished it
		return d.known(r, inside(v))
	}
	if err != nil {
		return entry.Actor{}, err
	}
	if a.ProvedAt.IsZero() { // nobody proved anything yet
		return entry.Actor{}, SignInLost.With(fault.Args{"incident": a.Code})
	}
	return d.known(r, entry.Actor{Person: a.Person, Attempt: a.ID, At: a.Code, Method: a.Method, ProvedAt: a.ProvedAt, FactorAt: a.FactorAt, Shared: a.Shared})
}

// known says which of their browsers somebody uses.
func (d door) known(r *http.Request, a entry.Actor) (entry.Actor, error) {
	if a.Shared {
		return a, nil
	}
	browser, known, err := d.devices.Of(r, a.Person)
	if err != nil {
		return entry.Actor{}, err
	}
	if known {
		a.Browser = browser.ID
	}
	return a, nil
}

func inside(v campus.Viewer) entry.Actor {
	return entry.Actor{Person: v.Person, Session: v.Session, ProvedAt: v.SignedInAt, FactorAt: v.FactorAt, Shared: v.SharedComputer}
}

// Proved implements [entry.Door].
func (d door) Proved(w http.ResponseWriter, r *http.Request, actor entry.Actor, p entry.Proof, back string) error {
	if !actor.SigningIn() {
		if err := d.strengthen(w, r, actor, p); err != nil {
			return err
		}
		return web.SeeOther(w, r, web.Local(back))
	}
	a, err := d.step(r, actor, attempt.Step{Stage: entry.StageFactor, Result: attempt.Passed, Method: p.Method}, func(a *attempt.Attempt, now time.Time) {
		a.FactorMethod, a.FactorAt, a.Trust, a.Outcome = p.Method, now, p.Trust, attempt.Open
	})
	if err != nil {
		return err
	}
	return d.goOn(w, r, a)
}

// Stumbled implements [entry.Door].
func (d door) Stumbled(r *http.Request, actor entry.Actor, method entry.Method, reason error) (incident string) {
	if !actor.SigningIn() {
		return ""
	}
	f := fault.Of(reason)
	_, err := d.step(r, actor, attempt.Step{Stage: entry.StageFactor, Result: attempt.Failed, Method: method, Reason: f.Reason.Code(), Facts: facts(f.Args)},
		func(a *attempt.Attempt, _ time.Time) { a.Outcome = attempt.Stopped })
	if err != nil { // the person is told why their code was refused all the same
		d.log.WarnContext(r.Context(), "record a failed factor", "attempt", actor.At, "error", err)
	}
	return actor.At
}

// step adds a step to the story of somebody on the way in.
func (d door) step(r *http.Request, actor entry.Actor, step attempt.Step, change func(a *attempt.Attempt, now time.Time)) (attempt.Attempt, error) {
	a, err := d.stories.ByID(r.Context(), actor.Attempt)
	if err != nil {
		return a, err
	}
	err = d.db.InTx(r.Context(), func(tx db.Tx) error {
		change(&a, tx.Now().Time())
		return d.stories.Add(r.Context(), tx, &a, step)
	})
	if err != nil {
		return a, fmt.Errorf("record a step of the sign-in: %w", err)
	}
	return a, nil
}

// Proceed implements [entry.Door].
func (d door) Proceed(w http.ResponseWriter, r *http.Request, actor entry.Actor, back string) error {
	if !actor.SigningIn() {
		return web.SeeOther(w, r, web.Local(back))
	}
	a, err := d.stories.ByID(r.Context(), actor.Attempt)
	if err != nil {
		return err
	}
	return d.goOn(w, r, a)
}

// PutOff implements [entry.Door].
func (d door) PutOff(w http.ResponseWriter, r *http.Request, actor entry.Actor) error {
	a, err := d.step(r, actor, attempt.Step{Stage: entry.StageFactor, Result: attempt.Asked}, func(a *attempt.Attempt, _ time.Time) { a.PutOff = true })
	if err != nil {
		return err
	}
	return d.goOn(w, r, a)
}

// Enter implements [entry.Door].
func (d door) Enter(w http.ResponseWriter, r *http.Request, who campus.PersonID, p entry.Proof, from entry.Arrival) error {
	person, err := d.PersonByID(r.Context(), who)
	if err != nil {
		return err
	}
	from.Next = web.Local(from.Next)
	device, known, err := d.devices.Of(r, who)
	if err != nil {
		return err
	}
	c := risk.Circumstances{Identifier: person.Login}
	if known {
		c.Device = device.ID
	}
	a, err := d.tellProved(w, r, c, who, from, p)
	if err != nil {
		return err
	}
	return d.goOn(w, r, a)
}

// Refused records a sign-in that stopped elsewhere, before anything was proved
// here, and returns its incident code. Whoever is stopped without end gets none.
func (d door) Refused(w http.ResponseWriter, r *http.Request, why entry.Refusal) (incident string, err error) {
	arrival, begun, err := d.arrive(w, r, web.Local(why.Next), why.Shared)
	if err != nil {
		return "", err
	}
	if _, ok := d.refusals.Allow(limit.AddressKey(web.ClientAddr(r))); !ok {
		return "", nil
	}
	f := fault.Of(why.Reason)
	step := attempt.Step{Stage: entry.StagePassword, Result: attempt.Failed, Method: why.Method, Reason: f.Reason.Code(), Facts: facts(f.Args)}
	for name, value := range why.Facts {
		step.Facts[name] = value
	}
	var a attempt.Attempt
	err = d.db.InTx(r.Context(), func(tx db.Tx) error {
		if a, err = d.resume(r.Context(), tx, begun, arrival); err != nil {
			return err
		}
		a.Person, a.Typed, a.Outcome = why.Person, why.Typed, attempt.Stopped
		a.Method, a.ProvedAt, a.FactorMethod, a.FactorAt = "", time.Time{}, "", time.Time{}
		return d.stories.Add(r.Context(), tx, &a, step)
	})
	if err != nil {
		return "", fmt.Errorf("record a sign-in that stopped elsewhere: %w", err)
	}
	return a.Code, nil
}

// Confirm implements [entry.Door].
func (d door) Confirm(w http.ResponseWriter, r *http.Request) (bool, error) {
	v := web.Viewer(r)
	if !v.SignedIn() {
		return true, nil // on the way in, where the password was right just now
	}
	now := d.clock.Now()
	strong, err := d.factors.Has(r.Context(), v.Person)
	if err != nil {
		return false, err
	}
	if inside(v).Fresh(now, freshFor) || !strong && now.Sub(v.SignedInAt) < freshFor {
		return true, nil
	}
	back := r.URL.RequestURI()
	if r.Method != http.MethodGet { // a form cannot be sent again by a link: go back to its page
		back = r.URL.Path
		if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host {
			back = web.Local(from.RequestURI())
		}
	}
	if strong {
		return false, web.SeeOther(w, r, "/login/factor?"+url.Values{"back": {back}}.Encode())
	}
	return false, web.SeeOther(w, r, "/login?"+url.Values{"renew": {"1"}, "next": {back}}.Encode())
}

// Confirm answers with a page that asks who is there to prove it anew, and then
// leads back, unless they did within ten minutes: for sensitive acts of other rooms.
func (m *Module) Confirm(w http.ResponseWriter, r *http.Request) (ok bool, err error) {
	return door{m}.Confirm(w, r)
}

// gate looks at somebody on the way in. It answers with a page of the way that
// must come first, or with why they may not go on.
type gate func(r *http.Request, p account.Person, a *attempt.Attempt) (page string, err error)

// goOn answers with the next page of the way in, or opens the session when
// nothing stands in the way any more.
func (m *Module) goOn(w http.ResponseWriter, r *http.Request, a attempt.Attempt) error {
	if a.ProvedAt.IsZero() {
		return SignInLost.With(fault.Args{"incident": a.Code})
	}
	person, err := m.PersonByID(r.Context(), a.Person)
	if err != nil {
		return err
	}
	for _, look := range m.gates() {
		page, err := look(r, person, &a)
		if err != nil {
			return m.turnAway(r, a, err)
		}
		if page != "" {
			return web.SeeOther(w, r, page+"?"+url.Values{"at": {a.Code}}.Encode())
		}
	}
	return m.letIn(w, r, person, a)
}

// turnAway records that a rule stopped somebody, and gives their failure page
// the incident code.
func (m *Module) turnAway(r *http.Request, a attempt.Attempt, why error) error {
	f := fault.Of(why)
	err := m.db.InTx(r.Context(), func(tx db.Tx) error {
		a.Outcome = attempt.Stopped
		return m.stories.Add(r.Context(), tx, &a, attempt.Step{Stage: entry.StagePolicy, Result: attempt.Failed, Reason: f.Reason.Code(), Facts: facts(f.Args)})
	})
	if err != nil {
		return fmt.Errorf("record why the sign-in stopped: %w", err)
	}
	args := fault.Args{"incident": a.Code}
	for k, v := range f.Args {
		args[k] = v
	}
	return f.Reason.Because(why, args)
}

// leadsTo says where a sign-in leads: the name and the identifier of a service,
// both empty for the portal, and the origins on which its answer ends.
func (m *Module) leadsTo(ctx context.Context, actor entry.Actor) (name, service string, origins []string, err error) {
	if !actor.SigningIn() || m.doors == nil {
		return "", "", nil, nil
	}
	a, err := m.stories.ByID(ctx, actor.Attempt)
	if err != nil {
		return "", "", nil, err
	}
	d, _ := m.doors.Destination(ctx, a.Next) // none: the portal
	return d.Name, d.Service, d.Origins, nil
}

// originsOf are where the redirects behind a local address end.
func (m *Module) originsOf(ctx context.Context, next string) []string {
	if m.doors == nil {
		return nil
	}
	d, _ := m.doors.Destination(ctx, web.Local(next))
	return d.Origins
}
