package activation

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// codeView is what the page of the code shows.
type codeView struct {
	Sent     bool // a code has left
	Newest   reach.Sent
	To       reach.Point   // where it went
	Others   []reach.Point // where else it can go
	Lasts    time.Duration
	Problems web.Problems
	Stopped  *web.Failure // why no code has left
}

// legible lists the reasons why a code cannot be sent that another way, or some
// patience, mends.
var legible = []*fault.Reason{mailer.SMSOff, mailer.TooManySMS, reach.TooSoon, SentElsewhere, code.TooMany, Slowed, PointMissing}

func (x *Activation) codePage(w http.ResponseWriter, r *http.Request) error {
	b, err := x.at(r)
	if err != nil {
		return err
	}
	if !b.ProvedAt.IsZero() {
		return web.SeeOther(w, r, "/activate/password")
	}
	return x.showCode(w, r, http.StatusOK, b, codeView{})
}

func (x *Activation) showCode(w http.ResponseWriter, r *http.Request, status int, b begun, view codeView) error {
	points, err := x.points(r.Context(), b.Person)
	if err != nil {
		return err
	}
	view.Lasts = x.config.CodeLasts
	for _, point := range points {
		if point.ID != b.Point {
			view.Others = append(view.Others, point)
			continue
		}
		view.Sent, view.To = true, point
		if view.Newest, err = x.Reach.Sent(r.Context(), point, codeKind); err != nil {
			return fmt.Errorf("see what became of a code: %w", err)
		}
	}
	return web.Render(w, r, status, codeTempl(view))
}

func (x *Activation) sendCode(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	b, err := x.at(r)
	if err != nil {
		return err
	}
	if !b.ProvedAt.IsZero() {
		return web.SeeOther(w, r, "/activate/password")
	}
	if err := x.sendAgain(r.Context(), b, values.Get("point")); err != nil {
		return x.unsent(w, r, b, err)
	}
	web.Flash(w, r, "identity.activation.code.sent_again")
	return web.SeeOther(w, r, "/activate/code")
}

// unsent shows the page of the code with the reason why none has left.
func (x *Activation) unsent(w http.ResponseWriter, r *http.Request, b begun, err error) error {
	for _, reason := range legible {
		if errors.Is(err, reason) {
			failure := stopped(w, r, fault.Of(err))
			return x.showCode(w, r, failure.Status, b, codeView{Stopped: failure})
		}
	}
	return err
}

func (x *Activation) proveCode(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	b, err := x.at(r)
	if err != nil {
		return err
	}
	err = x.prove(r.Context(), b, values.Get(reach.CodeField))
	if err == nil {
		return web.SeeOther(w, r, "/activate/password")
	}
	if now, again := x.at(r); again == nil && !now.ProvedAt.IsZero() { // the button was pressed twice
		return web.SeeOther(w, r, "/activate/password")
	}
	problems, ok := reach.Problem(err)
	if !ok {
		return err
	}
	f := fault.Of(err)
	web.Note(r, f)
	return x.showCode(w, r, f.Reason.Kind().Status(), b, codeView{Problems: problems})
}
