package enrol

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// keyKinds are the methods of WebAuthn.
var keyKinds = []entry.Method{entry.SecurityKey, entry.Passkey}

// keyForm is what the page of a key posts; scripts fill Response with the JSON of
// the browser's credential.
type keyForm struct {
	Ceremony, Response, Label string
}

func readKeyForm(r *http.Request) (keyForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return keyForm{}, err
	}
	return keyForm{Ceremony: values.Get("ceremony"), Response: values.Get("response"), Label: strings.TrimSpace(values.Get("label"))}, nil
}

// check looks at the fields. A key need not be named: package factor knows what
// it is.
func (f keyForm) check() (problems web.Problems) {
	if f.Response == "" {
		problems.Add("", "identity.enrol.problem.answer_missing")
	}
	if utf8.RuneCountInString(f.Label) > maxLabel {
		problems.Add("label", "identity.enrol.problem.label_long", "limit", maxLabel)
	}
	return problems
}

// keyView is a key about to be added.
type keyView struct {
	frame
	Kind     entry.Method
	Ceremony factor.Ceremony
	Label    string
}

func (x *Enrol) keyPage(kind entry.Method) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, ok, err := x.mayAdd(w, r, kind)
		if err != nil || !ok {
			return err
		}
		return x.showKey(w, r, http.StatusOK, frame{Actor: a}, kind, "")
	}
}

func (x *Enrol) showKey(w http.ResponseWriter, r *http.Request, status int, f frame, kind entry.Method, label string) error {
	ceremony, err := x.Factors.BeginKey(r.Context(), f.Actor, kind == entry.Passkey)
	if err != nil {
		return err
	}
	f.Title, f.Lead = kindName(r.Context(), kind), i18n.T(r.Context(), "identity.enrol."+string(kind)+".lead")
	return web.Render(w, r, status, keyTempl(keyView{f, kind, ceremony, label}))
}

func (x *Enrol) addKey(kind entry.Method) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, ok, err := x.mayAdd(w, r, kind)
		if err != nil || !ok {
			return err
		}
		form, err := readKeyForm(r)
		if err != nil {
			return err
		}
		if problems := form.check(); problems.Any() {
			return x.showKey(w, r, http.StatusUnprocessableEntity, frame{Actor: a, Problems: problems}, kind, form.Label)
		}
		f, err := x.Factors.ConfirmKey(r.Context(), factor.At(r, a), form.Ceremony, []byte(form.Response), form.Label)
		if err != nil && mendable(err) {
			again, status := x.refused(r, frame{Actor: a}, kind, err)
			return x.showKey(w, r, status, again, kind, form.Label)
		}
		if err != nil {
			return err
		}
		return x.added(w, r, a, f, "identity.enrol."+string(kind)+".added")
	}
}
