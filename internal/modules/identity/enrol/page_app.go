package enrol

import (
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// appForm is what the page of an authenticator app posts. Enrolment names the
// key that its page showed: a page that is out of date is told so.
type appForm struct {
	Enrolment, Label, Code string
}

func readAppForm(r *http.Request) (appForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return appForm{}, err
	}
	return appForm{
		Enrolment: values.Get("enrolment"), Label: strings.TrimSpace(values.Get("label")), Code: strings.TrimSpace(values.Get("code")),
	}, nil
}

// check looks at the fields; whether the code is right is package factor's.
func (f appForm) check() (problems web.Problems) {
	if f.Code == "" {
		problems.Add("code", "identity.enrol.problem.code_missing")
	}
	problems = append(problems, checkLabel(f.Label)...)
	return problems
}

// appView is an app about to be added.
type appView struct {
	frame
	factor.AppEnrolment
	Form appForm
}

func (x *Enrol) appPage(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.mayAdd(w, r, entry.TOTP)
	if err != nil || !ok {
		return err
	}
	return x.showApp(w, r, http.StatusOK, frame{Actor: a}, appForm{Label: i18n.T(r.Context(), "identity.enrol.app.label_default")})
}

func (x *Enrol) showApp(w http.ResponseWriter, r *http.Request, status int, f frame, form appForm) error {
	enrolment, err := x.Factors.BeginApp(r.Context(), f.Actor)
	if err != nil {
		return err
	}
	f.Title, f.Lead = kindName(r.Context(), entry.TOTP), i18n.T(r.Context(), "identity.enrol.app.lead")
	return web.Render(w, r, status, appTempl(appView{f, enrolment, form}))
}

func (x *Enrol) addApp(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.mayAdd(w, r, entry.TOTP)
	if err != nil || !ok {
		return err
	}
	form, err := readAppForm(r)
	if err != nil {
		return err
	}
	if problems := form.check(); problems.Any() {
		return x.showApp(w, r, http.StatusUnprocessableEntity, frame{Actor: a, Problems: problems}, form)
	}
	f, err := x.Factors.ConfirmApp(r.Context(), factor.At(r, a), form.Enrolment, form.Label, form.Code)
	if err != nil && mendable(err) {
		again, status := x.refused(r, frame{Actor: a}, entry.TOTP, err)
		form.Code, again.AtField = "", status == http.StatusUnprocessableEntity // else the square is a new one
		return x.showApp(w, r, status, again, form)
	}
	if err != nil {
		return err
	}
	p := i18n.Of(r.Context())
	switch {
	case f.Late > 0:
		return x.added(w, r, a, f, "identity.enrol.app.added_late", "late", p.Duration(f.Late))
	case f.Late < 0:
		return x.added(w, r, a, f, "identity.enrol.app.added_early", "early", p.Duration(-f.Late))
	default:
		return x.added(w, r, a, f, "identity.enrol.app.added")
	}
}

// mayAdd is [Enrol.adder] for a method that must be offered.
func (x *Enrol) mayAdd(w http.ResponseWriter, r *http.Request, m entry.Method) (entry.Actor, bool, error) {
	a, ok, err := x.adder(w, r)
	if err == nil && ok && !x.offers(m) {
		return a, false, factor.NotAllowed
	}
	return a, ok, err
}
