package outage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// oneView is an incident as everybody reads it.
type oneView struct {
	told
	Facts    []ui.Fact
	Runs     bool
	SignedIn bool
	Follows  bool
	Contact  string
	Problems web.Problems
}

// announced reads an incident of an address, as it was announced. What nobody has
// confirmed is there for nobody.
func (x *Outages) announced(r *http.Request) (told, error) {
	id := r.PathValue("id")
	for _, o := range x.shown(r.Context()) {
		if o.ID == id {
			return o, nil
		}
	}
	o, err := x.ByID(r.Context(), id)
	if err != nil {
		return told{}, err
	}
	if o.State == Merged { // its address was in letters
		if o, err = x.ByID(r.Context(), o.MergedInto); err != nil {
			return told{}, err
		}
	}
	if o.Announced.IsZero() || o.State == Dismissed && o.Kind == Incident {
		return told{}, Missing
	}
	updates, err := updatesOf(r.Context(), x.DB.Read(), o.ID)
	return told{Outage: o, Updates: updates[o.ID]}, err
}

// oneFor makes the page.
func (x *Outages) oneFor(r *http.Request) (oneView, error) {
	o, err := x.announced(r)
	if err != nil {
		return oneView{}, err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view := oneView{told: o, Runs: !o.Past(x.Clock.Now()), SignedIn: v.SignedIn()}
	view.Facts = x.factsOf(ctx, o.Outage)
	if view.SignedIn && view.Runs {
		view.Follows, err = x.follows(ctx, o.ID, v.Person)
	}
	return view, err
}

// factsOf says what is known of an incident.
func (x *Outages) factsOf(ctx context.Context, o Outage) []ui.Fact {
	facts := []ui.Fact{
		{Label: t(ctx, "field.state"), Text: t(ctx, "state."+string(o.State))}, {Label: t(ctx, "field.when"), Text: span(ctx, o)}, {Label: t(ctx, "field.services"), Text: x.what(ctx, o)},
		{Label: t(ctx, "field.campuses"), Text: x.where(ctx, o)}, {Label: t(ctx, "field.impact"), Text: t(ctx, "impact."+string(o.Impact))},
	}
	return slices.DeleteFunc(facts, func(f ui.Fact) bool { return f.Text == "" })
}

func (x *Outages) onePage(w http.ResponseWriter, r *http.Request) error {
	view, err := x.oneFor(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, oneTempl(view))
}

// followPurpose is what a stranger proves their address for.
const followPurpose = "outage.follow"

// following is what a stranger began.
type following struct {
	Outage string        `json:"outage"`
	Locale campus.Locale `json:"locale"`
}

// follow subscribes who asks: at once with an account, after a proof without one.
func (x *Outages) follow(w http.ResponseWriter, r *http.Request) error {
	view, err := x.oneFor(r)
	if err != nil {
		return err
	}
	if !view.Runs {
		return Ended
	}
	ctx, v := r.Context(), web.Viewer(r)
	if v.SignedIn() {
		if err := x.DB.InTx(ctx, func(tx db.Tx) error { return subscribe(ctx, tx, view.ID, v.Person, "", i18n.Locale(ctx)) }); err != nil {
			return err
		}
		web.Flash(w, r, "helpdesk.outage.followed")
		return web.SeeOther(w, r, StatusURL+"/"+view.ID)
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	view.Contact = form.Get("contact")
	contact, err := x.Proofs.ReadContact(view.Contact)
	var why *fault.Fault
	var reason *fault.Reason
	switch {
	case view.Contact == "":
		view.Problems.Add("contact", "helpdesk.outage.problem.contact")
	case errors.As(err, &why):
		view.Problems.Add("contact", why.Reason.Code()+".message", web.Pairs(why.Args)...)
	case errors.As(err, &reason):
		view.Problems.Add("contact", reason.Code()+".message")
	case err != nil:
		return err
	case contact.Phone:
		view.Problems.Add("contact", "helpdesk.outage.problem.phone")
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, oneTempl(view))
	}
	return x.Proving.Begin(w, r, followPurpose, contact, following{Outage: view.ID, Locale: i18n.Locale(ctx)})
}

// proved subscribes a stranger whose address it is.
func (x *Outages) proved(ctx context.Context, tx db.Tx, p proving.Proved) (to string, tickets []string, err error) {
	begun, err := read[following](p.Begun)
	if err != nil {
		return "", nil, err
	}
	o, err := one(ctx, tx, begun.Outage)
	if err != nil {
		return "", nil, err
	}
	if err := subscribe(ctx, tx, o.ID, p.Person, p.Contact.Value, begun.Locale); err != nil {
		return "", nil, err
	}
	return StatusURL + "/" + o.ID + "?followed=yes#follow", nil, nil
}

func (x *Outages) unfollow(w http.ResponseWriter, r *http.Request) error {
	o, err := x.announced(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	if v.SignedIn() {
		if err := x.DB.InTx(ctx, func(tx db.Tx) error {
			if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_outage_subscribers WHERE outage_id = $1 AND person_id = $2", o.ID, string(v.Person)); err != nil {
				return fmt.Errorf("end a subscription: %w", err)
			}
			return nil
		}); err != nil {
			return err
		}
		web.Flash(w, r, "helpdesk.outage.unfollowed")
	}
	return web.SeeOther(w, r, StatusURL+"/"+o.ID)
}

// leavePage asks before a link out of a letter ends anything: programs that look at
// mail follow links.
func (x *Outages) leavePage(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := x.subscriberOf(r.Context(), r.PathValue("token")); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, leaveTempl(r.PathValue("token")))
}

func (x *Outages) leave(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	subscriber, outage, err := x.subscriberOf(ctx, r.PathValue("token"))
	if err != nil {
		return err
	}
	if err := x.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_outage_subscribers WHERE id = $1", subscriber); err != nil {
			return fmt.Errorf("end a subscription: %w", err)
		}
		return nil
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.outage.unfollowed")
	return web.SeeOther(w, r, StatusURL+"/"+outage)
}
