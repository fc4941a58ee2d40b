package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// changeForm is a new password for a directory, chosen on our page because the
// old one ended.
type changeForm struct {
	Login, Old, Fresh, Again, Next string
}

func readChangeForm(r *http.Request) (changeForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return changeForm{}, err
	}
	return changeForm{
		Login: strings.ToLower(strings.TrimSpace(values.Get("username"))), Old: values.Get("old"), Fresh: values.Get("fresh"), Again: values.Get("again"),
		Next: web.Local(values.Get("next")),
	}, nil
}

func (f changeForm) check() (problems web.Problems) {
	if f.Login == "" || len(f.Login) > maxHint {
		problems.Add("username", "identity.problem.username_missing")
	}
	if f.Old == "" || len(f.Old) > password.MaxLength {
		problems.Add("old", "identity.problem.password_missing")
	}
	switch {
	case f.Fresh == "":
		problems.Add("fresh", "identity.upstream.change.fresh_missing")
	case len(f.Fresh) > password.MaxLength:
		problems.Add("fresh", "identity.problem.password_long", "limit", password.MaxLength)
	case f.Fresh == f.Old:
		problems.Add("fresh", "identity.upstream.change.same")
	case f.Fresh != f.Again:
		problems.Add("again", "identity.upstream.change.differs")
	}
	return problems
}

// changeView is the page.
type changeView struct {
	Form         changeForm
	Name, URL    string
	PasswordPage string
	Stopped      *web.Failure
	Problems     web.Problems
}

// changing returns the directory of the address, when it lets us change
// passwords.
func (x *Upstreams) changing(r *http.Request) (*upstream, error) {
	u, err := x.byID(r.PathValue("id"))
	if err != nil || u.directory == nil || !u.directory.Changes() {
		return nil, Missing
	}
	return u, nil
}

func (x *Upstreams) changePage(w http.ResponseWriter, r *http.Request) error {
	u, err := x.changing(r)
	if err != nil {
		return err
	}
	return x.showChange(w, r, u, http.StatusOK, changeView{Form: changeForm{Next: web.Local(r.URL.Query().Get("next"))}})
}

func (x *Upstreams) showChange(w http.ResponseWriter, r *http.Request, u *upstream, status int, v changeView) error {
	v.Form.Old, v.Form.Fresh, v.Form.Again = "", "", "" // never sent back
	v.Name, v.URL, v.PasswordPage = u.called(r.Context()), changeURL(u.ID), u.PasswordPage
	return web.Render(w, r, status, changeTempl(v))
}

// change replaces a password in its directory, and signs its owner in with it.
func (x *Upstreams) change(w http.ResponseWriter, r *http.Request) error {
	u, err := x.changing(r)
	if err != nil {
		return err
	}
	form, err := readChangeForm(r)
	if err != nil {
		return err
	}
	if problems := form.check(); problems.Any() {
		return x.showChange(w, r, u, http.StatusUnprocessableEntity, changeView{Form: form, Problems: problems})
	}
	done, err := x.Guess(form.Login, web.ClientAddr(r))
	if err != nil {
		return x.changeStopped(w, r, u, form, fault.Of(err), nil)
	}
	if err = x.ended(r.Context(), u, form); err == nil {
		err = u.directory.Change(r.Context(), form.Login, form.Old, form.Fresh)
	}
	var f *Failure
	told := errors.As(err, &f)
	done(told && f.Reason == Refused)
	switch {
	case told:
		return x.changeStopped(w, r, u, form, x.worded(r.Context(), u, f), f)
	case errors.Is(err, PasswordThere):
		return x.changeStopped(w, r, u, form, fault.Of(err), nil)
	case err != nil:
		return err
	}
	x.Log.InfoContext(r.Context(), "a password was changed in a directory", "upstream", u.ID)
	a, err := u.directory.Check(r.Context(), form.Login, form.Fresh)
	if errors.As(err, &f) { // changed, and something else stands in the way
		return x.changeStopped(w, r, u, form, x.worded(r.Context(), u, f), f)
	}
	if err != nil {
		return err
	}
	v, err := x.vouched(r.Context(), u, a)
	if err != nil {
		return err
	}
	if v.Stopped != nil {
		return v.Stopped
	}
	web.Flash(w, r, "identity.upstream.change.done")
	return x.Door.Enter(w, r, v.Person.ID, v.Proof, entry.Arrival{Next: form.Next})
}

// ended is nil for a password that is right and opens nothing any more. One that
// still opens the door is not changed by it alone: whoever stole it meets a second
// factor there, and must not shut its owner out by this side entrance. What the
// directory says before a password was right is told nobody here, as at the door.
func (x *Upstreams) ended(ctx context.Context, u *upstream, form changeForm) error {
	_, err := u.directory.Check(ctx, form.Login, form.Old)
	var f *Failure
	switch {
	case err == nil:
		return x.There(ctx, u.ID)
	case !errors.As(err, &f):
		return err
	case f.Proved && (f.Reason == PasswordExpired || f.Reason == PasswordReset):
		return nil
	case f.Proved, f.Untested:
		return f
	case f.Reason == AccountLocked:
		if err := x.tellLocked(ctx, u, form.Login); err != nil {
			return err
		}
	}
	return &Failure{Reason: Refused, Code: f.Code, Text: f.Text, Cause: f}
}

// changeStopped shows the form again with the reason. f is nil for a reason that
// is not the directory's.
func (x *Upstreams) changeStopped(w http.ResponseWriter, r *http.Request, u *upstream, form changeForm, said *fault.Fault, f *Failure) error {
	if wait, ok := said.Args["wait"].(time.Duration); ok {
		web.RetryAfter(w, wait)
	}
	failure := web.Explain(r.Context(), said)
	web.Note(r, said)
	if f != nil && f.Reason != PasswordForm {
		facts := u.facts(f)
		incident, err := x.Door.Refused(w, r, entry.Refusal{Arrival: entry.Arrival{Next: form.Next}, Method: entry.Directory, Reason: said, Facts: facts})
		if err != nil {
			return err
		}
		failure.Incident = incident
	}
	return x.showChange(w, r, u, failure.Status, changeView{Form: form, Stopped: &failure})
}

// ChangeTo is the ChangeURL of a verdict on the way to next.
func (v Verdict) ChangeTo(next string) string {
	if next == "" || next == "/" || !strings.HasPrefix(v.ChangeURL, "/") {
		return v.ChangeURL
	}
	return v.ChangeURL + "?" + url.Values{"next": {next}}.Encode()
}
