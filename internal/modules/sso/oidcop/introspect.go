package oidcop

import (
	"errors"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// introspect tells a resource server about a token (RFC 7662). A client may ask
// about its own tokens; about those of others only when its entry says that it is
// a resource server. Of everything else it learns that it is not active.
func (p *Provider) introspect(w http.ResponseWriter, r *http.Request) (any, error) {
	form, asker, err := p.authenticate(r)
	if err != nil {
		return nil, err
	}
	if asker.OIDC.Public() {
		e := refuse(invalidClient, ClientRefused, "a public client may not ask about tokens")
		e.status = http.StatusUnauthorized
		return nil, e
	}
	if form.Get("token") == "" {
		return nil, refuse(invalidRequest, RequestUnreadable, "token is missing")
	}
	inactive := map[string]any{"active": false}
	t, err := p.grants.Token(r.Context(), form.Get("token"))
	if errors.Is(err, grant.Unknown) {
		return inactive, nil
	}
	if err != nil {
		return nil, err
	}
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return nil, err
	}
	s := x.Get(t.Grant.Service)
	if s == nil || s.Disabled || !t.Live(p.DB.Now()) || t.Grant.Client != asker.OIDC.ClientID && !(asker.OIDC.Introspects && t.Kind == grant.Access) {
		return inactive, nil
	}
	if err := p.mayStill(r.Context(), s, t.Grant); err != nil {
		var why *refusal
		if errors.As(err, &why) {
			return inactive, nil
		}
		return nil, err
	}
	return p.about(s, t), nil
}

// about says what a live token is.
func (p *Provider) about(s *registry.Service, t grant.Token) map[string]any {
	said := map[string]any{
		"active": true, "iss": p.BaseURL, "client_id": t.Grant.Client, "aud": t.Grant.Client, "scope": strings.Join(t.Scopes, " "),
		"iat": t.IssuedAt.Time().Unix(), "exp": min(t.ExpiresAt, t.Grant.ExpiresAt).Time().Unix(), "sub": t.Grant.Client,
	}
	if t.Grant.Person != "" {
		said["sub"] = p.subject(s, t.Grant.Person)
		if t.Grant.Detail.ACR != "" {
			said["acr"], said["auth_time"] = t.Grant.Detail.ACR, t.Grant.Detail.AuthTime // RFC 9470 §6.2
		}
		if s.OIDC.Subject != registry.SubjectPairwise && t.Grant.Detail.Login != "" {
			said["username"] = t.Grant.Detail.Login
		}
	}
	if t.Kind == grant.Access {
		said["token_type"] = "Bearer"
	}
	if t.Thumbprint != "" {
		said["token_type"], said["cnf"] = "DPoP", map[string]string{"jkt": t.Thumbprint}
	}
	return said
}

// revoke ends a token of the client (RFC 7009): a refresh token with everything
// that came of it, an access token alone. A token that is unknown, or another
// client's, gets the same answer.
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) (any, error) {
	form, s, err := p.authenticate(r)
	if err != nil {
		return nil, err
	}
	if form.Get("token") == "" {
		return nil, refuse(invalidRequest, RequestUnreadable, "token is missing")
	}
	ctx := r.Context()
	t, err := p.grants.Token(ctx, form.Get("token"))
	if errors.Is(err, grant.Unknown) || err == nil && t.Grant.Client != s.OIDC.ClientID {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, p.DB.InTx(ctx, func(tx db.Tx) error {
		if t.Kind == grant.Access {
			return p.grants.EndToken(ctx, tx, t)
		}
		_, err := p.grants.End(ctx, tx, t.Grant.ID, grant.Revoked)
		return err
	})
}
