package renewal

import (
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

const currentField = "current_password"

// changeView is "Change my password", inside a session.
type changeView struct {
	Person   account.Person
	EndsOn   time.Time // zero for never
	Problems web.Problems
	Stopped  *web.Failure
	Fields   NewPasswordProps
}

func (x *Renewal) changePage(w http.ResponseWriter, r *http.Request) error {
	return x.showChange(w, r, http.StatusOK, nil, nil)
}

func (x *Renewal) showChange(w http.ResponseWriter, r *http.Request, status int, problems web.Problems, stopped *web.Failure) error {
	p, err := x.People.PersonByID(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	ends, err := x.EndsOn(r.Context(), p.ID)
	if err != nil {
		return err
	}
	return web.Render(w, r, status, changeTempl(changeView{Person: p, EndsOn: ends, Problems: problems, Stopped: stopped, Fields: x.Fields(p, "", problems)}))
}

// change takes the current password as the proof that it is not somebody at an
// abandoned screen.
func (x *Renewal) change(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	v := web.Viewer(r)
	current, plain := values.Get(currentField), values.Get(PlainField)
	var problems web.Problems
	if current == "" {
		problems.Add(currentField, "identity.renewal.problem.current_missing")
		return x.showChange(w, r, http.StatusUnprocessableEntity, problems, nil)
	}
	p, err := x.Checker.CheckPassword(r.Context(), v.Login, current, web.ClientAddr(r))
	if f := fault.Of(err); err != nil && f.Reason.Kind() == fault.Invalid {
		problems.Add(currentField, "identity.renewal.problem.current_wrong")
		return x.showChange(w, r, http.StatusUnprocessableEntity, problems, nil)
	}
	if stopped := wait(w, r, err); stopped != nil {
		return x.showChange(w, r, stopped.Status, nil, stopped)
	}
	if err != nil {
		return err
	}
	if problems, err = x.Problems(r.Context(), p, plain, values.Get(AgainField)); err != nil {
		return err
	}
	if problems.Any() {
		return x.showChange(w, r, http.StatusUnprocessableEntity, problems, nil)
	}
	if err := x.replace(r, p, current, plain, v.Session, "identity.password_changed"); err != nil {
		return err
	}
	web.Flash(w, r, "identity.renewal.changed")
	return web.SeeOther(w, r, "/identity/password")
}

// replace makes plain the password of somebody and ends their sessions and
// sign-ins but the one that session names.
// current is the one that they had, or empty when they did not type it now.
func (x *Renewal) replace(r *http.Request, p account.Person, current, plain, session, kind string) error {
	secret, err := x.Hash(r.Context(), plain)
	if err != nil {
		return err
	}
	if current != "" {
		secret.before = x.mark(rules.Normal(current))
	}
	e := journal.From(r)
	e.Kind, e.Actor = kind, p.ID
	return x.DB.InTx(r.Context(), func(tx db.Tx) error { return x.store(r.Context(), tx, p, secret, session, e) })
}

// wait words a failure that asks somebody to come back later, for the page they
// are on; nil for any other.
func wait(w http.ResponseWriter, r *http.Request, err error) *web.Failure {
	f := fault.Of(err)
	if err == nil || f.Reason.Kind() != fault.Busy && f.Reason.Kind() != fault.Unavailable {
		return nil
	}
	if d, ok := f.Args["wait"].(time.Duration); ok {
		web.RetryAfter(w, d)
	}
	failure := web.Explain(r.Context(), f)
	web.Note(r, f)
	return &failure
}
