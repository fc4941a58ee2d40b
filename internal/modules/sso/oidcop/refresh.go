package oidcop

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// refresh gives new tokens for a refresh token, which works once (RFC 9700
// §2.2.2): who shows a used one has stolen it, or was stolen from. Everything that
// came of it ends, and both sides are told.
func (p *Provider) refresh(a asking) (*tokens, error) {
	ctx, secret := a.r.Context(), a.form.Get("refresh_token")
	if secret == "" {
		return nil, refuse(invalidRequest, RequestUnreadable, "refresh_token is missing")
	}
	gone := refuse(invalidGrant, TokenRefused, "this refresh token is unknown, expired or revoked")
	t, err := p.grants.Token(ctx, secret)
	if errors.Is(err, grant.Unknown) || err == nil && t.Kind != grant.Refresh {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	switch {
	case t.Grant.Client != a.service.OIDC.ClientID:
		// Another client holds it, so it has leaked.
		return nil, p.refreshStolen(a, t)
	case t.UsedAt != 0:
		return nil, p.refreshStolen(a, t)
	case !t.Live(p.DB.Now()):
		return nil, gone
	case t.Thumbprint != "" && t.Thumbprint != a.thumbprint:
		p.note(a.r, gate.Incident{Service: a.service, Reason: ProofRefused, Difference: "oidc_key", Expected: t.Thumbprint, Received: a.thumbprint})
		return nil, refuse(invalidProof, ProofRefused, "the refresh token is bound to another key")
	}
	scopes := t.Scopes
	if asked := strings.Fields(a.form.Get("scope")); len(asked) > 0 {
		for _, scope := range asked {
			if !slices.Contains(t.Scopes, scope) {
				return nil, refuse(invalidScope, RequestRefused, "a refresh cannot widen the scope")
			}
		}
		scopes = asked
	}
	if err := p.mayStill(ctx, a.service, t.Grant); err != nil {
		return nil, err
	}
	again := t.Grant
	again.Detail.Nonce = "" // Core §12.2
	m, err := p.mint(a, again, scopes, true)
	if err != nil {
		return nil, err
	}
	won := false
	err = p.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if won, err = p.grants.Use(ctx, tx, t); err != nil || !won {
			return err
		}
		return p.keep(ctx, tx, m, t.Grant)
	})
	if err != nil {
		return nil, err
	}
	if !won {
		if t, err = p.grants.Token(ctx, secret); err != nil {
			return nil, err
		}
		if t.UsedAt == 0 { // ended or expired in between
			return nil, gone
		}
		return nil, p.refreshStolen(a, t)
	}
	return &m.tokens, nil
}

// refreshStolen ends the whole family of a refresh token that two hold.
func (p *Provider) refreshStolen(a asking, t grant.Token) error {
	ctx := a.r.Context()
	x, err := p.Gate.Registry(ctx)
	if err != nil {
		return err
	}
	s := x.Get(t.Grant.Service)
	letter, owed := p.letter(ctx, s, t.Grant)
	err = p.DB.InTx(ctx, func(tx db.Tx) error {
		open, err := p.grants.End(ctx, tx, t.Grant.ID, grant.RefreshReplayed)
		if err != nil || !open || !owed {
			return err
		}
		return p.Mailer.Send(ctx, tx, letter)
	})
	if err != nil {
		return err
	}
	p.note(a.r, gate.Incident{
		Service: s, Reason: RefreshReplayed, Expected: t.Grant.Client, Received: a.service.OIDC.ClientID, Age: p.DB.Now().Sub(t.IssuedAt),
	})
	return refuse(invalidGrant, RefreshReplayed, "this refresh token was shown before; everything that came of it has been revoked")
}

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
