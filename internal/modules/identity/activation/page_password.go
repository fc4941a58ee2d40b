package activation

import (
	"context"
	"errors"
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// passwordForm is the first password, typed twice.
type passwordForm struct {
	Plain, Again string
	Shared       bool // a shared computer
}

func readPasswordForm(r *http.Request) (passwordForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return passwordForm{}, err
	}
	return passwordForm{Plain: values.Get(renewal.PlainField), Again: values.Get(renewal.AgainField), Shared: values.Get("shared") != ""}, nil
}

// passwordView is what the page of the first password shows.
type passwordView struct {
	Person   account.Person
	Invited  bool // by a letter
	Shared   bool
	Later    bool // a link to go on elsewhere can be sent
	Fields   renewal.NewPasswordProps
	Problems web.Problems
}

// ready is the activation of this browser and its owner, once they have proved
// who they are. gone tells that the answer has been given: the way leads
// elsewhere.
func (x *Activation) ready(w http.ResponseWriter, r *http.Request) (b begun, p account.Person, gone bool, err error) {
	if b, err = x.at(r); err != nil {
		return b, p, false, err
	}
	if b.ProvedAt.IsZero() {
		return b, p, true, web.SeeOther(w, r, "/activate/code")
	}
	p, err = x.owner(r.Context(), b)
	if errors.Is(err, NotInvited) && web.Viewer(r).Person == b.Person { // finished here: the back button, or another tab
		return b, p, true, web.SeeOther(w, r, "/activate/factor")
	}
	if errors.Is(err, Blocked) {
		return b, p, true, x.showBlocked(w, r, b, err)
	}
	return b, p, false, err
}

// showBlocked tells somebody who has proved who they are why their account
// cannot be activated, who decided it, and who can mend it.
func (x *Activation) showBlocked(w http.ResponseWriter, r *http.Request, b begun, err error) error {
	why, lost := x.Endings.Standing(r.Context(), b.Person)
	if lost != nil {
		return lost
	}
	failure := stopped(w, r, fault.Of(err))
	return web.Render(w, r, failure.Status, blockedTempl(blockedView{Failure: *failure, Why: why, Way: wayOf(stepPassword, b.Invitation != ""), Desk: x.desk(r.Context())}))
}

// blockedView is what such a person sees.
type blockedView struct {
	web.Failure
	Why  lifecycle.Standing
	Way  way
	Desk string
}

// facts are what the institution says of its decision.
func (v blockedView) facts(ctx context.Context) []ui.Fact {
	var facts []ui.Fact
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "identity.activation.blocked."+key), Text: text})
		}
	}
	add("reason", v.Why.ReasonText)
	if !v.Why.Since.IsZero() {
		add("since", i18n.Date(ctx, v.Why.Since, i18n.Day))
	}
	if !v.Why.Until.IsZero() {
		add("until", i18n.Date(ctx, v.Why.Until, i18n.Moment))
	}
	add("office", v.Why.Office)
	add("contact", v.Why.Contact)
	add("appeal", v.Why.Appeal)
	add("desk", v.Desk)
	return facts
}

// stages show that the account stopped the way, and not what was typed.
func (v blockedView) stages(ctx context.Context) []ui.Stage {
	stages := v.Way.stages(ctx)
	stages[v.Way.now].State, stages[v.Way.now].Tone = ui.StageStop, ui.Bad
	return stages
}

func (x *Activation) passwordPage(w http.ResponseWriter, r *http.Request) error {
	b, p, gone, err := x.ready(w, r)
	if gone || err != nil {
		return err
	}
	return x.showPassword(w, r, http.StatusOK, b, passwordView{Person: p})
}

func (x *Activation) showPassword(w http.ResponseWriter, r *http.Request, status int, b begun, view passwordView) error {
	view.Fields = x.Passwords.Fields(view.Person, "", view.Problems)
	view.Invited, view.Later = b.Invitation != "", b.Point != ""
	return web.Render(w, r, status, passwordTempl(view))
}

func (x *Activation) choosePassword(w http.ResponseWriter, r *http.Request) error {
	form, err := readPasswordForm(r)
	if err != nil {
		return err
	}
	b, p, gone, err := x.ready(w, r)
	if gone || err != nil {
		return err
	}
	problems, err := x.Passwords.Problems(r.Context(), p, form.Plain, form.Again)
	if err != nil {
		return err
	}
	if problems.Any() {
		return x.showPassword(w, r, http.StatusUnprocessableEntity, b, passwordView{Person: p, Shared: form.Shared, Problems: problems})
	}
	secret, err := x.Passwords.Hash(r.Context(), form.Plain)
	if err != nil {
		return err
	}
	if err := x.finish(r.Context(), b, p, secret, journal.From(r)); err != nil {
		return err
	}
	return x.Door.Enter(w, r, p.ID, entry.Proof{Method: entry.Password}, entry.Arrival{Next: "/activate/factor", Shared: form.Shared})
}

func (x *Activation) goOnLater(w http.ResponseWriter, r *http.Request) error {
	b, p, gone, err := x.ready(w, r)
	if gone || err != nil {
		return err
	}
	point, err := x.later(r.Context(), b, p)
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.activation.password.link_sent", "to", point.Masked)
	return web.SeeOther(w, r, "/activate/password")
}
