package activation

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// inviteView is the form that invites somebody who is in the register.
type inviteView struct {
	Login    string
	Problems web.Problems
}

func (x *Activation) invitePage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, inviteTempl(inviteView{}))
}

func (x *Activation) sendInvitation(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view := inviteView{Login: strings.TrimSpace(values.Get("login"))}
	if view.Login == "" {
		view.Problems.Add("login", "identity.activation.problem.login_missing")
		return web.Render(w, r, http.StatusUnprocessableEntity, inviteTempl(view))
	}
	i, err := x.Invite(r.Context(), web.Viewer(r), view.Login, journal.From(r))
	if errors.Is(err, NobodyKnown) || errors.Is(err, NotInvitable) {
		f := fault.Of(err)
		web.Note(r, f)
		view.Problems.Add("login", f.Reason.Code()+".field")
		return web.Render(w, r, http.StatusUnprocessableEntity, inviteTempl(view))
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.activation.invitations.sent", "to", i.SentTo)
	return web.SeeOther(w, r, "/identity/invitations")
}

// guestForm is what an agent says of a guest, as they typed it.
type guestForm struct {
	GivenName, FamilyName, Mail, Unit, Locale string
	Ends                                      string // a day, as 2027-06-30
}

func readGuestForm(r *http.Request) (guestForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return guestForm{}, err
	}
	return guestForm{
		GivenName: strings.TrimSpace(values.Get("given_name")), FamilyName: strings.TrimSpace(values.Get("family_name")),
		Mail: values.Get("mail"), Unit: strings.TrimSpace(values.Get("unit")), Locale: values.Get("locale"), Ends: values.Get("ends"),
	}, nil
}

// maxName bounds a name, in bytes.
const maxName = 200

// check says what is wrong with each field. The guest is complete when nothing
// is.
func (x *Activation) checkGuest(ctx context.Context, f guestForm) (Guest, web.Problems) {
	g := Guest{GivenName: f.GivenName, FamilyName: f.FamilyName, Unit: f.Unit}
	var problems web.Problems
	if len(g.GivenName) > maxName {
		problems.Add("given_name", "identity.activation.problem.name_long", "limit", maxName)
	}
	switch {
	case g.FamilyName == "":
		problems.Add("family_name", "identity.activation.problem.name_missing")
	case len(g.FamilyName) > maxName:
		problems.Add("family_name", "identity.activation.problem.name_long", "limit", maxName)
	}
	address, err := x.Reach.Normal(reach.RecoveryMail, f.Mail)
	g.Mail = strings.ToLower(address)
	if err != nil {
		problems.Add("mail", "identity.activation.problem.address_form")
	}
	if strings.ContainsAny(g.Unit, "|;") || len(g.Unit) > maxName {
		problems.Add("unit", "identity.activation.problem.unit_form")
	}
	var known bool
	if g.Locale, known = campus.ParseLocale(f.Locale); !known {
		problems.Add("locale", "identity.activation.problem.locale_missing")
	}
	zone := i18n.Of(ctx).Zone()
	day, err := time.ParseInLocation(time.DateOnly, f.Ends, zone)
	g.Ends = day.AddDate(0, 0, 1) // the last day counts to its end
	now := x.Clock.Now()
	switch {
	case f.Ends == "":
		problems.Add("ends", "identity.activation.problem.ends_missing")
	case err != nil:
		problems.Add("ends", "identity.activation.problem.ends_form")
	case !g.Ends.After(now):
		problems.Add("ends", "identity.activation.problem.ends_past")
	case g.Ends.Sub(now) > x.config.GuestLongest+24*time.Hour:
		problems.Add("ends", "identity.activation.problem.ends_far", "date", now.Add(x.config.GuestLongest))
	}
	return g, problems
}

// guestView is the form that invites somebody from outside.
type guestView struct {
	Form     guestForm
	Problems web.Problems
}

func (x *Activation) guestPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, guestTempl(guestView{Form: guestForm{Locale: string(i18n.Locale(r.Context()))}}))
}

func (x *Activation) sendGuestInvitation(w http.ResponseWriter, r *http.Request) error {
	form, err := readGuestForm(r)
	if err != nil {
		return err
	}
	g, problems := x.checkGuest(r.Context(), form)
	if problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, guestTempl(guestView{form, problems}))
	}
	if _, err := x.People.PersonByLogin(r.Context(), g.Mail); err == nil {
		problems.Add("mail", "identity.activation.problem.mail_known")
		return web.Render(w, r, http.StatusUnprocessableEntity, guestTempl(guestView{form, problems}))
	} else if fault.Of(err).Reason.Kind() != fault.NotFound {
		return err
	}
	i, err := x.InviteGuest(r.Context(), web.Viewer(r), g, journal.From(r))
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.activation.invitations.sent", "to", i.SentTo)
	return web.SeeOther(w, r, "/identity/invitations")
}

// localeOptions are the languages that a letter can be written in.
func localeOptions(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, l := range campus.Locales {
		options = append(options, ui.Option{Value: string(l), Label: i18n.T(ctx, "identity.activation.guest.in."+string(l))})
	}
	return options
}
