package activation

import (
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// letterView is what somebody sees who was invited.
type letterView struct {
	Token    string // of the letter's link; without it the code is asked for
	Typed    string
	Problems web.Problems
	Stopped  *web.Failure
}

// letterPage is behind the link of an invitation, and behind nothing for who
// types the letter's code. It never uses anything up.
func (x *Activation) letterPage(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if token == "" {
		return web.Render(w, r, http.StatusOK, letterTempl(letterView{}))
	}
	if _, err := x.invited(r.Context(), token); err != nil {
		return err
	}
	unreferred(w)
	return web.Render(w, r, http.StatusOK, letterTempl(letterView{Token: token}))
}

func (x *Activation) acceptLetter(w http.ResponseWriter, r *http.Request) error {
	began := time.Now()
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := letterView{Token: values.Get("token"), Typed: values.Get("code")}
	secret := view.Token
	if secret == "" {
		secret = normalLetterCode(view.Typed)
		switch {
		case secret == "":
			view.Problems.Add("code", "identity.activation.problem.letter_missing")
		case len(secret) != letterCodeLength:
			view.Problems.Add("code", "identity.activation.problem.letter_form", "count", letterCodeLength)
		}
		if view.Problems.Any() {
			return web.Render(w, r, http.StatusUnprocessableEntity, letterTempl(view))
		}
	}
	token, err := x.accept(r.Context(), secret, web.ClientAddr(r))
	if err != nil {
		f := fault.Of(err)
		if view.Token != "" || f.Reason != LetterUnknown && f.Reason != Slowed {
			return err
		}
		hold(r.Context(), began)
		view.Stopped = stopped(w, r, f)
		return web.Render(w, r, view.Stopped.Status, letterTempl(view))
	}
	x.keep(w, r, token)
	return web.SeeOther(w, r, "/activate/password")
}
