package renewal

import (
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// forgottenView asks whose password was forgotten.
type forgottenView struct {
	Login    string
	Stopped  *web.Failure
	Problems web.Problems
}

func (x *Renewal) forgottenPage(w http.ResponseWriter, r *http.Request) error {
	v := forgottenView{Login: web.Viewer(r).Login}
	return web.Render(w, r, http.StatusOK, forgottenTempl(v))
}

func (x *Renewal) forgotten(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	v := forgottenView{Login: strings.TrimSpace(values.Get(loginField))}
	if key := x.misread(v.Login); key != "" {
		v.Problems.Add(loginField, key)
		return web.Render(w, r, http.StatusUnprocessableEntity, forgottenTempl(v))
	}
	err = x.begin(w, r, v.Login)
	if v.Stopped = wait(w, r, err); v.Stopped != nil {
		return web.Render(w, r, v.Stopped.Status, forgottenTempl(v))
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, "/password/code")
}

// misread explains an identifier that cannot be one, by its form alone: what is
// answered says nothing about who exists.
func (x *Renewal) misread(typed string) (key string) {
	_, domain, mail := strings.Cut(typed, "@")
	switch {
	case typed == "":
		return "identity.renewal.problem.login_missing"
	case len(typed) > longestLogin:
		return "identity.renewal.problem.login_long"
	case mail && !x.OwnDomain(domain):
		return "identity.renewal.problem.personal_mail"
	case strings.Trim(typed, "0123456789 ") == "":
		return "identity.renewal.problem.number"
	}
	return ""
}
