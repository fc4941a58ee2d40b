package identity

import (
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// gates are what everybody passes on the way in, in this order: what is final
// comes before what one can do something about, and a factor before the new
// password that it protects.
func (m *Module) gates() []gate {
	return []gate{m.standingGate, m.lockGate, m.factorGate, m.renewalGate}
}

// standingGate stops whoever may not use their account, and says who can mend it.
func (m *Module) standingGate(r *http.Request, p account.Person, _ *attempt.Attempt) (string, error) {
	return "", m.standing(r.Context(), p)
}

// standing is nil for an account that may be used, and else why it may not.
func (m *Module) standing(ctx context.Context, p account.Person) error {
	if p.State.Usable() {
		return nil
	}
	s, err := m.lifecycle.Standing(ctx, p.ID)
	if err != nil {
		return err
	}
	args := fault.Args{"why": s.Why(ctx), "who": s.Who(ctx)}
	switch {
	case p.State == account.Invited:
		return AccountInvited
	case s.Office == "": // closed by the command line, which asks for no reason
		return AccountClosed
	case p.State == account.Suspended && !s.Until.IsZero():
		args["until"] = s.Until
		return AccountSuspendedUntil.With(args)
	case p.State == account.Suspended:
		return AccountSuspended.With(args)
	default:
		args["since"] = s.Since
		return AccountEnded.With(args)
	}
}

// lockGate leads whoever is locked out, by failures or by suspicion, to the page
// on which they unlock themselves.
func (m *Module) lockGate(r *http.Request, p account.Person, _ *attempt.Attempt) (string, error) {
	d, _, err := m.devices.Of(r, p.ID)
	if err != nil {
		return "", err
	}
	_, locked, err := m.risk.LockOf(r.Context(), p.ID, d.ID)
	if err != nil || !locked {
		return "", err
	}
	return "/login/locked", nil
}

// bars is what keeps somebody on the way in from registering a factor: they may
// not use their account, or they are locked out.
func (m *Module) bars(r *http.Request, actor entry.Actor) (page string, err error) {
	a, err := m.stories.ByID(r.Context(), actor.Attempt)
	if err != nil {
		return "", err
	}
	p, err := m.PersonByID(r.Context(), a.Person)
	if err != nil {
		return "", err
	}
	for _, look := range []gate{m.standingGate, m.lockGate} {
		page, err := look(r, p, &a)
		if err != nil {
			return "", m.turnAway(r, a, err)
		}
		if page != "" {
			return page, nil
		}
	}
	return "", nil
}

// factorGate asks for a second factor, or for the first one to be registered.
// Whoever has one is asked for it even when none of theirs works: the page then
// tells which ways remain.
func (m *Module) factorGate(r *http.Request, p account.Person, a *attempt.Attempt) (string, error) {
	if !a.FactorAt.IsZero() {
		return "", nil
	}
	ctx := r.Context()
	required, err := m.factors.Required(ctx, p, web.ClientAddr(r), a.Service)
	if err != nil {
		return "", err
	}
	switch {
	case required.Needed && risk.ParseVerdict(a.Suspicion).Act == risk.AskFactor:
		return "/login/factor", nil
	case required.Needed:
		trusted, err := m.trusted(r, p.ID, a.Shared)
		if err != nil || trusted {
			return "", err
		}
		return "/login/factor", nil
	case required.Enrol && !a.PutOff:
		return "/login/prepare-factor", nil
	}
	return "", nil
}

// trusted reports whether the browser stands in for a factor, because its owner
// proved one in it lately and asked for that.
func (m *Module) trusted(r *http.Request, who campus.PersonID, shared bool) (bool, error) {
	if shared {
		return false, nil
	}
	d, known, err := m.devices.Of(r, who)
	return known && d.Trusted(m.clock.Now()), err
}

// HasFactor reports whether somebody has a second factor that works now.
func (m *Module) HasFactor(ctx context.Context, who campus.PersonID) (bool, error) {
	all, err := m.factors.Of(ctx, who)
	if err != nil {
		return false, err
	}
	now := m.clock.Now()
	return slices.ContainsFunc(all, func(f factor.Factor) bool { return f.Usable(now) }), nil
}

// renewalGate asks for a new password when the one that was right must change.
func (m *Module) renewalGate(r *http.Request, p account.Person, a *attempt.Attempt) (string, error) {
	switch a.Method {
	case entry.Passkey, entry.Upstream, entry.Directory: // no password of ours was used
		return "", nil
	}
	_, must, err := m.renewal.MustChange(r.Context(), p.ID)
	if err != nil || !must {
		return "", err
	}
	return "/login/new-password", nil
}

// MayRenew reports whether all that comes before a new password on the way in
// was proved.
func (m *Module) MayRenew(r *http.Request, actor entry.Actor) (bool, error) {
	if !actor.SigningIn() {
		return true, nil
	}
	a, err := m.stories.ByID(r.Context(), actor.Attempt)
	if err != nil {
		return false, err
	}
	p, err := m.PersonByID(r.Context(), a.Person)
	if err != nil {
		return false, err
	}
	for _, look := range []gate{m.standingGate, m.lockGate, m.factorGate} {
		if page, err := look(r, p, &a); err != nil || page != "" {
			return false, err
		}
	}
	return true, nil
}

// MayReplace reports whether somebody's password alone changes it: only where it
// alone would open a session, from there. Whoever stole one and meets a factor, a
// lock or a suspicion at the door must not shut its owner out by the side entrance.
func (m *Module) MayReplace(r *http.Request, p account.Person) (bool, error) {
	ctx := r.Context()
	if has, err := m.factors.Has(ctx, p.ID); err != nil || has {
		return false, err
	}
	if page, err := m.lockGate(r, p, nil); err != nil || page != "" {
		return false, err
	}
	d, _, err := m.devices.Of(r, p.ID)
	if err != nil {
		return false, err
	}
	verdict, err := m.risk.Assess(ctx, risk.Circumstances{Person: p, Identifier: p.Login, Address: web.ClientAddr(r), Device: d.ID})
	if err != nil {
		return false, err
	}
	act, err := m.proportion(ctx, p.ID, verdict.Act)
	return act == risk.Allow, err
}

// letIn opens the session at the end of the way.
func (m *Module) letIn(w http.ResponseWriter, r *http.Request, p account.Person, a attempt.Attempt) error {
	known, err := m.devices.List(r.Context(), p.ID)
	if err != nil {
		return err
	}
	sight := device.See(r)
	sight.Shared, sight.Trust, sight.Place = a.Shared, a.Trust && !a.Shared, m.risk.Place(web.ClientAddr(r))
	sight.Expected = len(known) == 0 // somebody's first browser is no surprise
	var d device.Device
	_, err = m.openSession(w, r, a, func(tx db.Tx) (err error) {
		if d, err = m.devices.Remember(r.Context(), tx, p, sight); err != nil {
			return err
		}
		err = m.risk.Note(r.Context(), tx, risk.Signal{
			Circumstances: risk.Circumstances{Person: p, Identifier: a.Typed, Address: web.ClientAddr(r), Device: d.ID},
			Outcome:       risk.In, Proved: a.FactorMethod, Verdict: risk.ParseVerdict(a.Suspicion), Incident: a.Code,
		})
		if err != nil {
			return err
		}
		e := journal.From(r)
		e.Person, e.Actor, e.Kind = p.ID, p.ID, "identity.signed_in"
		e.Facts = map[string]string{"method": string(a.Method), "factor": string(a.FactorMethod), "incident": a.Code}
		return m.journal.Write(r.Context(), tx, e)
	})
	if err != nil {
		return err
	}
	m.devices.Keep(w, r, d)
	return web.SeeOther(w, r, web.Local(a.Next))
}
