package enrol

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// frame is what the pages have around their content: the portal for somebody
// inside a session, the front door for somebody on the way in.
type frame struct {
	Actor       entry.Actor
	Title, Lead string
	Problems    web.Problems
	Refused     *web.Failure // why the form did not do what it should
	// AtField puts Refused beside the field of a long page instead of above all.
	AtField bool
	// Back is the page above this one; the list, or the choice on the way in,
	// when empty.
	Back ui.Link
	// First: this page is the choice itself, which nothing stands above.
	First bool
}

func (f frame) crumbs(ctx context.Context) []ui.Link {
	list := ui.Link{Label: i18n.T(ctx, "identity.enrol.factors"), URL: ListURL}
	if f.Back.URL == "" {
		return []ui.Link{list}
	}
	return []ui.Link{list, f.Back}
}

// back is where somebody on the way in returns to: they have no crumbs.
func (f frame) back() string {
	if f.Back.URL != "" {
		return f.Back.URL
	}
	return here(FirstURL, f.Actor)
}

// above and beside are where a refusal is shown.
func (f frame) above() *web.Failure {
	if f.AtField {
		return nil
	}
	return f.Refused
}

func (f frame) beside() *web.Failure {
	if f.AtField {
		return f.Refused
	}
	return nil
}

// backLabel is the key of what that link says.
func (f frame) backLabel() string {
	if f.Back.URL != "" {
		return "identity.enrol.back"
	}
	return "identity.enrol.other_ways"
}

// boost keeps htmx off forms on the way in: they may end at a service, where it
// cannot follow.
func (f frame) boost() string {
	if f.Actor.SigningIn() {
		return "false"
	}
	return "true"
}

// choice is the page with every way, for somebody who wants another one.
func (f frame) choice() string {
	if f.Actor.SigningIn() {
		return here(FirstURL, f.Actor)
	}
	return AddURL
}

// refused is the frame after the form was refused. Somebody on the way in finds
// the refusal in the story of their sign-in, under its incident code.
func (x *Enrol) refused(r *http.Request, f frame, kind entry.Method, err error) (frame, int) {
	why := fault.Of(err)
	incident := x.Door.Stumbled(r, f.Actor, kind, err)
	web.Note(r, why)
	failure := web.Explain(r.Context(), why)
	failure.Incident = incident
	f.Refused = &failure
	return f, failure.Status
}

// icon is the sign of a kind of factor.
func icon(kind entry.Method) string {
	switch kind {
	case entry.TOTP:
		return "phone"
	case entry.SMS:
		return "sms"
	case entry.Mail:
		return "mail"
	case entry.Recovery:
		return "file"
	case entry.Passkey:
		return "user"
	default:
		return "key"
	}
}

// kindName is what a kind of factor is called.
func kindName(ctx context.Context, kind entry.Method) string {
	return i18n.T(ctx, "identity.enrol.kind."+string(kind))
}
