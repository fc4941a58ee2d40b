package oidcop

import (
	"context"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// letter is the mail about a stolen token, if there is somebody to tell who can do
// something about it.
func (p *Provider) letter(ctx context.Context, s *registry.Service, g grant.Grant) (m mailer.Message, owed bool) {
	if p.Mailer == nil || s == nil || g.Person == "" {
		return m, false
	}
	v, err := p.People.Viewer(ctx, g.Person)
	if err != nil || v.Mail == "" {
		p.Log.WarnContext(ctx, "nobody can be told of a stolen token", "person", string(g.Person), "error", err)
		return m, false
	}
	return p.warning(s, v, p.Clock.Now()), true
}

// warning is the mail to somebody in whose name a stolen token was used.
func (p *Provider) warning(s *registry.Service, v campus.Viewer, at time.Time) mailer.Message {
	locale := v.Locale
	if locale == "" {
		locale = campus.French
	}
	said := p.Texts.For(locale)
	name := s.Name(locale)
	return mailer.Message{
		Kind: RefreshReplayed.Code(), To: v.Mail, Subject: said.T("sso.oidc.warning.subject", "service", name),
		Text: strings.Join([]string{
			said.T("sso.oidc.warning.what", "service", name, "at", said.Date(at, i18n.Full)), "",
			said.T("sso.oidc.warning.done", "service", name), "",
			said.T("sso.oidc.warning.next", "address", p.BaseURL+"/identity/sessions"),
		}, "\n"),
	}
}
