package reach

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// pointURL is the address of a page about one point.
func pointURL(pointID, page string) string {
	return "/identity/contacts/" + url.PathEscape(pointID) + "/" + page
}

// newURL is the page on which a number or an address is typed; instead is the
// one that it takes over from.
func newURL(c Channel, instead string) string {
	q := url.Values{"channel": {string(c)}}
	if instead != "" {
		q.Set("instead", instead)
	}
	return "/identity/contacts/new?" + q.Encode()
}

// crumbs lead back to the list.
func crumbs(ctx context.Context) []ui.Link {
	return []ui.Link{{Label: i18n.T(ctx, "identity.reach.list.title"), URL: "/identity/contacts"}}
}

// newForm is what is typed to be reached there from now on.
type newForm struct {
	Channel Channel
	Value   string
	Instead string // the point that it takes over from
}

func readNewForm(values url.Values) newForm {
	f := newForm{Channel: MobilePhone, Value: values.Get("value"), Instead: values.Get("instead")}
	if values.Get("channel") == string(RecoveryMail) {
		f.Channel = RecoveryMail
	}
	return f
}

func (f newForm) check() (problems web.Problems) {
	if f.Value == "" {
		problems.Add("value", "identity.reach.problem."+string(f.Channel)+"_missing")
	}
	return problems
}

// newView is the page on which it is typed.
type newView struct {
	Form     newForm
	Problems web.Problems
	Stopped  *web.Failure
}

func (x *Reach) newPage(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); !ok {
		return err
	}
	return web.Render(w, r, http.StatusOK, newTempl(newView{Form: readNewForm(r.URL.Query())}))
}

func (x *Reach) addPoint(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := newView{Form: readNewForm(values)}
	if view.Problems = view.Form.check(); view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, newTempl(view))
	}
	to, err := x.People.PersonByID(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	pointID, err := x.Add(r.Context(), to, view.Form.Channel, view.Form.Value, view.Form.Instead)
	switch {
	case err == nil:
		return web.SeeOther(w, r, pointURL(pointID, "code"))
	case isAny(err, NumberForm, Landline, AddressForm, Institutional, Known, TooManyPoints):
		f := fault.Of(err)
		web.Note(r, f)
		view.Problems.Add("value", f.Reason.Code()+".message", web.Pairs(f.Args)...)
		return web.Render(w, r, http.StatusUnprocessableEntity, newTempl(view))
	}
	stopped, ok := Unsent(r.Context(), err)
	if !ok {
		return err
	}
	web.Note(r, fault.Of(err))
	view.Stopped = stopped
	return web.Render(w, r, stopped.Status, newTempl(view))
}

func isAny(err error, reasons ...*fault.Reason) bool {
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// codeView is the page on which the code is typed back.
type codeView struct {
	Point    Point
	Form     CodeProps
	Problems web.Problems
}

func (x *Reach) codePage(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); !ok {
		return err
	}
	return x.showCode(w, r, http.StatusOK, codeView{})
}

// showCode draws the page for the point of the address.
func (x *Reach) showCode(w http.ResponseWriter, r *http.Request, status int, view codeView) (err error) {
	ctx := r.Context()
	if view.Point, err = x.point(ctx, web.Viewer(r).Person, r.PathValue("id")); err != nil {
		return err
	}
	if !view.Point.VerifiedAt.IsZero() {
		return web.SeeOther(w, r, "/identity/contacts")
	}
	view.Form.Action, view.Form.Resend, view.Form.Lasts = pointURL(view.Point.ID, "code"), pointURL(view.Point.ID, "send"), x.config.CodeLasts
	if view.Form.Sent, err = x.Sent(ctx, view.Point, confirmKind); err != nil {
		return err
	}
	view.Form.Sent.To = view.Point.spelled() // its owner is who looks
	view.Form.Ways = []ui.Link{{Label: i18n.T(ctx, "identity.reach.code.elsewhere"), URL: newURL(view.Point.Channel, "")}}
	if view.Point.Source == FromSelf {
		view.Form.Ways[0].URL = newURL(view.Point.Channel, view.Point.ID)
	}
	return web.Render(w, r, status, codeTempl(view))
}

func (x *Reach) checkCode(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	to, err := x.People.PersonByID(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	typed := values.Get(CodeField)
	if typed == "" {
		view := codeView{}
		view.Problems.Add(CodeField, "identity.reach.problem.code_missing")
		return x.showCode(w, r, http.StatusUnprocessableEntity, view)
	}
	err = x.Confirm(r.Context(), to, r.PathValue("id"), typed, journal.From(r))
	if problems, ok := Problem(err); ok {
		web.Note(r, fault.Of(err))
		return x.showCode(w, r, http.StatusUnprocessableEntity, codeView{Problems: problems, Form: CodeProps{Refused: err}})
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.reach.flash.confirmed")
	return web.SeeOther(w, r, "/identity/contacts")
}

func (x *Reach) sendCode(w http.ResponseWriter, r *http.Request) error {
	to, err := x.People.PersonByID(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	err = x.Ask(r.Context(), to, r.PathValue("id"))
	if stopped, ok := Unsent(r.Context(), err); ok {
		web.Note(r, fault.Of(err))
		return x.showCode(w, r, stopped.Status, codeView{Form: CodeProps{Stopped: stopped}})
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.reach.flash.sent")
	return web.SeeOther(w, r, pointURL(r.PathValue("id"), "code"))
}

func (x *Reach) removePage(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); !ok {
		return err
	}
	p, err := x.point(r.Context(), web.Viewer(r).Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	if p.Source != FromSelf {
		return FromRecord
	}
	return web.Render(w, r, http.StatusOK, removeTempl(p))
}

func (x *Reach) removePoint(w http.ResponseWriter, r *http.Request) error {
	if ok, err := x.Door.Confirm(w, r); !ok {
		return err
	}
	to, err := x.People.PersonByID(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	if err := x.Remove(r.Context(), to, r.PathValue("id"), journal.From(r)); err != nil {
		return err
	}
	web.Flash(w, r, "identity.reach.flash.removed")
	return web.SeeOther(w, r, "/identity/contacts")
}
