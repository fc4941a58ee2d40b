package risk

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// lockedView is what somebody sees whose account is locked and who proved the
// password.
type lockedView struct {
	Actor    entry.Actor
	Lock     Locked
	Findings []string // in words
	// FactorURL lifts the lock by a second factor; empty when they have none.
	FactorURL string
	Problems  web.Problems
}

// lockHere is the lock that holds for somebody in the browser of a request. Whether
// they call the computer shared does not matter: who keeps its cookie used it before.
func (x *Risk) lockHere(r *http.Request, who campus.PersonID) (l Locked, found bool, err error) {
	d, _, err := x.Devices.Of(r, who)
	if err != nil {
		return Locked{}, false, err
	}
	return x.LockOf(r.Context(), who, d.ID)
}

// onTheWay is who is in the middle of a sign-in; ok is false for anybody else.
func (x *Risk) onTheWay(r *http.Request) (a entry.Actor, ok bool, err error) {
	a, err = x.Door.Actor(r)
	if err != nil {
		if fault.Of(err).Reason == fault.Unexpected {
			return entry.Actor{}, false, err
		}
		return entry.Actor{}, false, nil // nobody is on the way in, or not any more
	}
	return a, a.SigningIn(), nil
}

// lockedPage tells who proved the password why they must wait, until when, and what
// ends it now. A stranger reads only what a lock is.
func (x *Risk) lockedPage(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.onTheWay(r)
	if err != nil {
		return err
	}
	if !ok {
		return web.Render(w, r, http.StatusOK, aboutLocksTempl())
	}
	return x.showLocked(w, r, a, nil)
}

func (x *Risk) showLocked(w http.ResponseWriter, r *http.Request, a entry.Actor, problems web.Problems) error {
	l, locked, err := x.lockHere(r, a.Person)
	if err != nil {
		return err
	}
	if locked && !a.FactorAt.IsZero() {
		err = x.liftByFactor(r, a)
		locked = false
	}
	if err != nil {
		return err
	}
	if !locked {
		return x.Door.Proceed(w, r, a, "/")
	}
	v := lockedView{Actor: a, Lock: l, Problems: problems}
	for _, f := range l.Findings {
		v.Findings = append(v.Findings, Explain(r.Context(), f))
	}
	if x.HasFactor != nil {
		has, err := x.HasFactor(r.Context(), a.Person)
		if err != nil {
			return err
		}
		if has {
			v.FactorURL = x.FactorURL + "?" + url.Values{"at": {a.At}}.Encode()
		}
	}
	status := http.StatusOK
	if problems.Any() {
		status = http.StatusUnprocessableEntity
	}
	return web.Render(w, r, status, lockedTempl(v))
}

// liftByFactor lifts the lock of somebody who proved a second factor in this very
// sign-in, wherever on the way they did: the proof was given, and this only draws
// the conclusion.
func (x *Risk) liftByFactor(r *http.Request, a entry.Actor) error {
	e := journal.From(r)
	e.Person, e.Actor = a.Person, a.Person
	return x.DB.InTx(r.Context(), func(tx db.Tx) error {
		_, err := x.Unlock(r.Context(), tx, ByFactor, e)
		return err
	})
}

// sendKey sends the owner the link and the code that lift the lock.
func (x *Risk) sendKey(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.onTheWay(r)
	if err != nil {
		return err
	}
	if !ok {
		return web.SeeOther(w, r, "/login/locked")
	}
	l, locked, err := x.lockHere(r, a.Person)
	if err != nil {
		return err
	}
	if !locked {
		return x.Door.Proceed(w, r, a, "/")
	}
	err = x.sendUnlock(r.Context(), l, nil)
	if errors.Is(err, NotLocked) {
		return x.Door.Proceed(w, r, a, "/")
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.lock.sent")
	return web.SeeOther(w, r, "/login/locked?"+url.Values{"at": {a.At}}.Encode())
}

// unlockPage is where the link of a letter leads. It only asks: scanners of mail
// follow links.
func (x *Risk) unlockPage(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if token == "" {
		return web.SeeOther(w, r, "/login/locked")
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return web.Render(w, r, http.StatusOK, unlockTempl(token))
}

// unlock lifts a lock, by the token of a link or by a code.
func (x *Risk) unlock(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	a, onTheWay, err := x.onTheWay(r)
	if err != nil {
		return err
	}
	e := journal.From(r)
	if token := form.Get("token"); token != "" {
		who, err := x.unlockByToken(r.Context(), token, e)
		if err != nil {
			return err
		}
		web.Flash(w, r, "identity.lock.lifted")
		if onTheWay && a.Person == who {
			return x.Door.Proceed(w, r, a, "/")
		}
		return web.SeeOther(w, r, "/login")
	}
	if !onTheWay {
		return web.SeeOther(w, r, "/login/locked")
	}
	err = x.Codes.Check(r.Context(), unlockPurpose, string(a.Person), form.Get("code"))
	if f := fault.Of(err); err != nil && f.Reason != fault.Unexpected {
		x.Door.Stumbled(r, a, entry.Mail, err)
		var problems web.Problems
		problems.Add("code", f.Reason.Code()+".message", web.Pairs(f.Args)...)
		return x.showLocked(w, r, a, problems)
	}
	if err != nil {
		return err
	}
	e.Person, e.Actor = a.Person, a.Person
	err = x.DB.InTx(r.Context(), func(tx db.Tx) error {
		_, err := x.Unlock(r.Context(), tx, ByCode, e)
		return err
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.lock.lifted")
	return x.Door.Proceed(w, r, a, "/")
}
