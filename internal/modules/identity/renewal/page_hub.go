package renewal

import (
	"context"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const (
	loginField = "username"
	// longestLogin is the longest mail address, in bytes (RFC 5321 §4.5.3.1).
	longestLogin = 254
)

// hubView is "Change my password" for who cannot open a session.
type hubView struct {
	Login    string
	Problems web.Problems
	Stopped  *web.Failure
	Fields   NewPasswordProps
}

func (x *Renewal) hubPage(w http.ResponseWriter, r *http.Request) error {
	return x.showHub(w, r, http.StatusOK, hubView{Login: web.Viewer(r).Login})
}

func (x *Renewal) showHub(w http.ResponseWriter, r *http.Request, status int, v hubView) error {
	v.Fields = x.Fields(account.Person{}, ui.FieldID(loginField), v.Problems)
	return web.Render(w, r, status, hubTempl(v))
}

// hub changes a password in one form, without a session. What depends on the
// person is answered only once the current password was right; until then the
// answer and its time are those of a sign-in.
func (x *Renewal) hub(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	v := hubView{Login: strings.TrimSpace(values.Get(loginField))}
	plain, again := values.Get(PlainField), values.Get(AgainField)
	if v.Problems, err = x.hubProblems(ctx, v.Login, values.Get(currentField), plain, again); err != nil {
		return err
	}
	if v.Problems.Any() {
		return x.showHub(w, r, http.StatusUnprocessableEntity, v)
	}
	p, err := x.Checker.CheckPassword(ctx, v.Login, values.Get(currentField), web.ClientAddr(r))
	if f := fault.Of(err); err != nil && f.Reason.Kind() == fault.Invalid {
		failure := web.Explain(ctx, f)
		web.Note(r, f)
		v.Stopped = &failure
		return x.showHub(w, r, failure.Status, v)
	}
	if v.Stopped = wait(w, r, err); v.Stopped != nil {
		return x.showHub(w, r, v.Stopped.Status, v)
	}
	if err != nil {
		return err
	}
	if !p.State.Usable() {
		return Unusable
	}
	if v.Problems, err = x.Problems(ctx, p, plain, again); err != nil {
		return err
	}
	if v.Problems.Any() {
		return x.showHub(w, r, http.StatusUnprocessableEntity, v)
	}
	alone, err := x.Way.MayReplace(r, p)
	if err != nil {
		return err
	}
	if !alone { // a stolen password alone must not lock its owner out
		return x.Door.Enter(w, r, p.ID, entry.Proof{Method: entry.Password}, entry.Arrival{Next: "/identity/password"})
	}
	if err := x.replace(r, p, values.Get(currentField), plain, "", "identity.password_changed"); err != nil {
		return err
	}
	return web.SeeOther(w, r, "/password/changed")
}

// hubProblems are what can be said before anybody is recognised.
func (x *Renewal) hubProblems(ctx context.Context, login, current, plain, again string) (web.Problems, error) {
	var problems web.Problems
	if login == "" || len(login) > longestLogin {
		problems.Add(loginField, "identity.renewal.problem.login_missing")
	}
	if current == "" {
		problems.Add(currentField, "identity.renewal.problem.current_missing")
	}
	about := account.Person{Login: login}
	if strings.Contains(login, "@") {
		about = account.Person{Mail: login}
	}
	more, err := x.Problems(ctx, about, plain, again)
	if plain != "" && rules.Normal(plain) == rules.Normal(current) {
		more.Add(PlainField, "identity.renewal.problem.unchanged")
	}
	return append(problems, more...), err
}

func (x *Renewal) changedPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, changedTempl())
}

func helpLinks(ctx context.Context) []ui.Link {
	return []ui.Link{{Label: i18n.T(ctx, "identity.renewal.help"), URL: "/portal/help"}}
}
