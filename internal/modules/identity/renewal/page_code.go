package renewal

import (
	"errors"
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// codeView asks for the code of a recovery. It says the same whether or not one
// was sent.
type codeView struct {
	Form     reach.CodeProps
	Problems web.Problems
	Stopped  *web.Failure
}

func (x *Renewal) codePage(w http.ResponseWriter, r *http.Request) error {
	row, err := x.recovery(r)
	if err != nil {
		return err
	}
	if !row.ProvedAt.IsZero() { // back from the way in
		return x.enter(w, r, row)
	}
	return x.showCode(w, r, http.StatusOK, row.EndsAt, nil, nil)
}

// showCode draws the page; refused is what was said of the last code, if any.
func (x *Renewal) showCode(w http.ResponseWriter, r *http.Request, status int, ends db.Time, refused error, stopped *web.Failure) error {
	ctx := r.Context()
	problems, _ := reach.Problem(refused)
	return web.Render(w, r, status, codeTempl(codeView{
		Problems: problems, Stopped: stopped,
		Form: reach.CodeProps{
			Action: "/password/code", Resend: "/password/code/again", Lasts: ends.Sub(db.At(x.Clock.Now())), Refused: refused,
			Ways: []ui.Link{
				{Label: i18n.T(ctx, "identity.renewal.code.other_login"), URL: "/password/forgotten"},
				{Label: i18n.T(ctx, "identity.renewal.forgotten.no_contact"), URL: "/identity/recovery"},
			},
		},
	}))
}

func (x *Renewal) takeCode(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	row, err := x.recovery(r)
	if err != nil {
		return err
	}
	err = x.prove(r.Context(), &row, values.Get(reach.CodeField))
	if _, ok := reach.Problem(err); ok {
		web.Note(r, fault.Of(err))
		return x.showCode(w, r, fault.Of(err).Reason.Kind().Status(), row.EndsAt, err, nil)
	}
	if err != nil {
		return err
	}
	return x.enter(w, r, row)
}

func (x *Renewal) sendAgain(w http.ResponseWriter, r *http.Request) error {
	row, err := x.recovery(r)
	if err != nil {
		return err
	}
	err = x.again(r.Context(), row)
	if errors.Is(err, Slowed) {
		stopped := wait(w, r, err)
		return x.showCode(w, r, stopped.Status, row.EndsAt, nil, stopped)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.renewal.code.sent_again")
	return web.SeeOther(w, r, "/password/code")
}
