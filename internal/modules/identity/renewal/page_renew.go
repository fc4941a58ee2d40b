package renewal

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// renewView is the page of somebody on the way in whose password must change.
type renewView struct {
	Actor    entry.Actor
	Person   account.Person
	Why      Reason
	Problems web.Problems
	Stopped  *web.Failure
	Fields   NewPasswordProps
}

// due returns who must choose a new password here and why. ok is false when the
// way does not ask for one now: it was done in another tab, or something else
// comes first. The answer is then written already.
func (x *Renewal) due(w http.ResponseWriter, r *http.Request) (a entry.Actor, p account.Person, why Reason, ok bool, err error) {
	a, err = x.Door.Actor(r)
	if err != nil {
		return a, p, "", false, err
	}
	if !a.SigningIn() {
		return a, p, "", false, web.SeeOther(w, r, "/identity/password")
	}
	why, must, err := x.MustChange(r.Context(), a.Person)
	if err != nil {
		return a, p, "", false, err
	}
	may, err := x.Way.MayRenew(r, a)
	if err != nil {
		return a, p, "", false, err
	}
	if !must || !may {
		return a, p, "", false, x.Door.Proceed(w, r, a, "/")
	}
	p, err = x.People.PersonByID(r.Context(), a.Person)
	return a, p, why, err == nil, err
}

func (x *Renewal) renewPage(w http.ResponseWriter, r *http.Request) error {
	a, p, why, ok, err := x.due(w, r)
	if err != nil || !ok {
		return err
	}
	return web.Render(w, r, http.StatusOK, renewTempl(renewView{Actor: a, Person: p, Why: why, Fields: x.Fields(p, "", nil)}))
}

func (x *Renewal) renew(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	a, p, why, ok, err := x.due(w, r)
	if err != nil || !ok {
		return err
	}
	plain := values.Get(PlainField)
	problems, err := x.Problems(r.Context(), p, plain, values.Get(AgainField))
	if stopped := wait(w, r, err); stopped != nil {
		return web.Render(w, r, stopped.Status, renewTempl(renewView{Actor: a, Person: p, Why: why, Stopped: stopped, Fields: x.Fields(p, "", nil)}))
	}
	if err != nil {
		return err
	}
	if problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, renewTempl(renewView{Actor: a, Person: p, Why: why, Problems: problems, Fields: x.Fields(p, "", problems)}))
	}
	kind := "identity.password_changed"
	if why == Forgotten {
		kind = "identity.password_reset"
	}
	if err := x.replace(r, p, "", plain, a.Attempt, kind); err != nil {
		return err
	}
	web.SetCookie(w, r, recoveryCookie, "", -1)
	return x.Door.Proceed(w, r, a, "/")
}
