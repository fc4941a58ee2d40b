package oidcop

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// asking is a request for tokens whose client is known.
type asking struct {
	r          *http.Request
	service    *registry.Service
	form       url.Values
	thumbprint string // the key that it proved to hold (DPoP); empty for none
}

// token answers the token endpoint (RFC 6749 §3.2).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) (any, error) {
	form, s, err := p.authenticate(r)
	if err != nil {
		return nil, err
	}
	useful, err := p.shows(r, s)
	if err != nil {
		return nil, err
	}
	thumbprint, err := p.possession(r, "")
	if err != nil {
		return nil, err
	}
	if s.OIDC.DPoP && thumbprint == "" {
		return nil, refuse(invalidProof, ProofRefused, "this client must prove that it holds a key (DPoP)")
	}
	a := asking{r: r, service: s, form: form, thumbprint: thumbprint}
	wanted, known := map[string]struct {
		grant registry.Grant
		give  func(asking) (*tokens, error)
	}{
		"authorization_code": {registry.GrantCode, p.redeemCode},
		"refresh_token":      {registry.GrantRefresh, p.refresh},
		"client_credentials": {registry.GrantClient, p.clientAlone},
		deviceGrant:          {registry.GrantDevice, p.redeemDevice},
	}[form.Get("grant_type")]
	switch {
	case !known && form.Get("grant_type") == "":
		return nil, refuse(invalidRequest, RequestUnreadable, "grant_type is missing")
	case !known:
		return nil, refuse(unsupportedGrant, RequestRefused, "this grant_type is not supported")
	case !s.OIDC.Allows(wanted.grant):
		return nil, refuse(unauthorizedClient, RequestRefused, "the client's entry does not hold the grant %s", wanted.grant)
	}
	given, err := wanted.give(a)
	if err != nil {
		return nil, err // a typed nil in an interface would be an answer
	}
	useful()
	return given, nil
}

// tokens is a successful answer (RFC 6749 §5.1, Core §3.1.3.3).
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int64  `json:"expires_in"`
	Refresh string `json:"refresh_token,omitempty"`
	ID      string `json:"id_token,omitempty"`
	Scope   string `json:"scope"`
}

// minted are the secrets of an answer, made before the transaction that keeps
// them.
type minted struct {
	tokens
	scopes     []string
	thumbprint string // of the access token
	refreshKey string // of the refresh token
}

// secretBytes is the entropy of codes and tokens.
const secretBytes = 32

// mint makes the tokens of a grant. An ID token is part of it when the scopes have
// openid.
func (p *Provider) mint(a asking, g grant.Grant, scopes []string, refreshable bool) (minted, error) {
	ctx := a.r.Context()
	m := minted{scopes: scopes, thumbprint: a.thumbprint, tokens: tokens{
		Type: "Bearer", Expires: int64(p.config.AccessLifetime / time.Second), Scope: strings.Join(scopes, " "),
	}}
	if a.thumbprint != "" {
		m.Type = "DPoP"
	}
	var err error
	if m.Access, err = p.accessToken(ctx, a, g, scopes); err != nil {
		return minted{}, err
	}
	if refreshable {
		m.Refresh = "r." + id.Token(secretBytes)
		if a.service.OIDC.Public() {
			// Nothing else tells a public client from a thief (RFC 9449 §5).
			m.refreshKey = a.thumbprint
		}
	}
	if slices.Contains(scopes, registry.ScopeOpenID) && g.Person != "" {
		told, err := p.attributes(ctx, a.service, g, scopes)
		if err != nil {
			return minted{}, err
		}
		if m.ID, err = p.idToken(ctx, a.service, g, told, "", m.Access, false); err != nil {
			return minted{}, err
		}
	}
	return m, nil
}

// accessToken makes an access token: opaque, or a JWT for a client whose programs
// cannot ask us (RFC 9068).
func (p *Provider) accessToken(ctx context.Context, a asking, g grant.Grant, scopes []string) (string, error) {
	if a.service.OIDC.AccessToken != registry.TokenJWT {
		return "a." + id.Token(secretBytes), nil
	}
	now := p.Clock.Now()
	subject := a.service.OIDC.ClientID
	if g.Person != "" {
		subject = p.subject(a.service, g.Person)
	}
	claims := map[string]any{
		"iss": p.BaseURL, "sub": subject, "aud": a.service.OIDC.ClientID, "client_id": a.service.OIDC.ClientID,
		"iat": now.Unix(), "exp": now.Add(p.config.AccessLifetime).Unix(), "jti": id.New(), "scope": strings.Join(scopes, " "),
	}
	if a.thumbprint != "" {
		claims["cnf"] = map[string]string{"jkt": a.thumbprint}
	}
	return p.sign(ctx, a.service.OIDC.Algorithm(), "at+jwt", claims)
}

// keep stores what was minted with its grant.
func (p *Provider) keep(ctx context.Context, tx db.Tx, m minted, g grant.Grant) error {
	if err := p.grants.Add(ctx, tx, m.Access, g, grant.Access, m.scopes, m.thumbprint, p.config.AccessLifetime); err != nil {
		return err
	}
	if m.Refresh == "" {
		return nil
	}
	return p.grants.Add(ctx, tx, m.Refresh, g, grant.Refresh, g.Detail.Scopes, m.refreshKey, p.config.RefreshLifetime)
}

// lifetime is how long a grant lasts.
func (p *Provider) lifetime(offline bool) time.Duration {
	if offline {
		return p.config.OfflineLifetime
	}
	return p.config.OnlineLifetime
}

// clientAlone gives a token to a client for itself (RFC 6749 §4.4): none of a
// person's, so none of the scopes that are about people.
func (p *Provider) clientAlone(a asking) (*tokens, error) {
	scopes := strings.Fields(a.form.Get("scope"))
	for _, scope := range scopes {
		if !slices.Contains(a.service.OIDC.Scopes, scope) || slices.Contains(registry.Scopes, scope) || scope == registry.ScopeOpenID || scope == registry.ScopeOffline {
			return nil, refuse(invalidScope, RequestRefused, "a client by itself may not ask for one of these scopes")
		}
	}
	g := grant.Grant{Kind: grant.Client, Service: a.service.ID, Client: a.service.OIDC.ClientID, Detail: grant.Detail{Scopes: scopes}}
	m, err := p.mint(a, g, scopes, false)
	if err != nil {
		return nil, err
	}
	ctx := a.r.Context()
	err = p.DB.InTx(ctx, func(tx db.Tx) error {
		begun, err := p.grants.Begin(ctx, tx, g, p.config.AccessLifetime)
		if err != nil {
			return err
		}
		return p.keep(ctx, tx, m, begun)
	})
	if err != nil {
		return nil, err
	}
	return &m.tokens, nil
}
