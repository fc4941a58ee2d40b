package oidcop

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// leaving is a sign-out that a client began (RP-Initiated Logout §2).
type leaving struct {
	service *registry.Service // nil: nobody is known to ask
	onward  string            // registered address, with its state; empty for none
	refused error             // why an address is not followed
	sure    bool              // the hint is of this very session, so nobody is asked
}

// logout ends the session for a client. Without a hint of this session the person
// is asked: any page can send somebody here (§6).
func (p *Provider) logout(w http.ResponseWriter, r *http.Request) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return RequestUnreadable.With(fault.Args{"problem": "query"})
	}
	l, err := p.readLogout(r, values)
	if err != nil {
		return err
	}
	p.speak(w, r, values["ui_locales"])
	if web.Viewer(r).SignedIn() && !l.sure {
		return p.askLogout(w, r, l, values)
	}
	return p.leave(w, r, l)
}

// logoutPosted takes the same from a form of the client. Cookies do not come along
// when another site posts, so the browser asks again by itself.
func (p *Provider) logoutPosted(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	return p.Gate.Leave(w, r, logoutPath+"?"+form.Encode())
}

// readLogout finds out who asks, and where the browser goes afterwards.
func (p *Provider) readLogout(r *http.Request, values url.Values) (leaving, error) {
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return leaving{}, err
	}
	var l leaving
	client := values.Get("client_id")
	if text := values.Get("id_token_hint"); text != "" {
		h, err := p.readHint(r.Context(), text)
		switch {
		case err != nil || client != "" && !slices.Contains(h.Audience, client):
			client = "" // a hint that is not ours, or of another client: nobody is known to ask
		case client == "" && len(h.Audience) == 1:
			client = h.Audience[0]
		}
		if l.service = x.Client(client); l.service != nil {
			v := web.Viewer(r)
			l.sure = v.SignedIn() && h.SID != "" && h.SID == sessionID(v.Session, l.service.ID) && h.Subject == p.subject(l.service, v.Person)
		}
	} else {
		l.service = x.Client(client)
	}
	target := values.Get("post_logout_redirect_uri")
	switch {
	case target == "":
	case l.service != nil && slices.Contains(l.service.OIDC.LogoutRedirectURIs, target):
		l.onward = target
		if state := values.Get("state"); state != "" {
			l.onward = withState(target, state)
		}
	default:
		l.refused = LogoutTargetUnknown.With(fault.Args{"address": shorten(target)})
		if l.service != nil {
			p.note(r, gate.Incident{
				Service: l.service, Reason: LogoutTargetUnknown, Difference: "oidc_redirect", Expected: strings.Join(l.service.OIDC.LogoutRedirectURIs, " "), Received: target,
				Facts: fault.Args{"address": shorten(target)},
			})
		}
	}
	return l, nil
}

func withState(address, state string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // it was registered, so it can be read
	}
	q := u.Query()
	q.Set("state", state)
	u.RawQuery = q.Encode()
	return u.String()
}

// leave ends the session, if there is one.
func (p *Provider) leave(w http.ResponseWriter, r *http.Request, l leaving) error {
	return p.Exit.SignOut(w, r, gate.Departing{Service: l.service, Onward: l.onward, Refused: l.refused})
}

// logoutView asks whether somebody wants to sign out.
type logoutView struct {
	Service string // empty when nobody is known to ask
	Fields  []hidden
	Stopped *web.Failure
}

// askLogout asks the person, since the client did not say whom it means.
func (p *Provider) askLogout(w http.ResponseWriter, r *http.Request, l leaving, values url.Values) error {
	view := logoutView{}
	kept := url.Values{}
	for _, name := range []string{"client_id", "post_logout_redirect_uri", "state"} {
		if value := values.Get(name); value != "" && l.service != nil {
			kept.Set(name, value)
		}
	}
	if l.service != nil {
		view.Service = l.service.Name(i18n.Locale(r.Context()))
		kept.Set("client_id", l.service.OIDC.ClientID)
	}
	view.Fields = fields(kept)
	if l.onward != "" {
		web.AllowFormTo(w, addOrigin(nil, l.onward)...)
	}
	if l.refused != nil {
		failure := web.Explain(r.Context(), fault.Of(l.refused))
		view.Stopped = &failure
	}
	return web.Render(w, r, http.StatusOK, logoutTempl(view))
}

// confirmLogout is the person's own yes.
func (p *Provider) confirmLogout(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	l, err := p.readLogout(r, form)
	if err != nil && !errors.Is(err, LogoutTargetUnknown) {
		return err
	}
	return p.leave(w, r, l)
}

// logoutLead says who asks to sign somebody out, when that is known.
func logoutLead(ctx context.Context, v logoutView) string {
	if v.Service == "" {
		return i18n.T(ctx, "sso.oidc.logout.lead")
	}
	return i18n.T(ctx, "sso.oidc.logout.lead_service", "service", v.Service)
}
