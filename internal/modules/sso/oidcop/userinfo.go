package oidcop

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// userInfo says about the person what the token's scopes ask for and the client's
// entry releases (Core §5.3).
func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) (any, error) {
	t, s, err := p.bearer(r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(t.Scopes, registry.ScopeOpenID) || t.Grant.Person == "" {
		e := refuse(insufficientScope, TokenRefused, "the token does not have the scope openid")
		e.status, e.challenge = http.StatusForbidden, `Bearer error="insufficient_scope", scope="openid"`
		return nil, e
	}
	if err := p.mayStill(r.Context(), s, t.Grant); err != nil {
		var why *refusal
		if errors.As(err, &why) {
			return nil, p.refuseToken(t.Thumbprint != "", invalidToken, why.description)
		}
		return nil, err
	}
	told, err := p.attributes(r.Context(), s, t.Grant, t.Scopes)
	if err != nil {
		return nil, err
	}
	// What was asked for the ID token alone stands there.
	only := request.Wanted(t.Scopes, request.Claims{UserInfo: t.Grant.Detail.Claims.UserInfo})
	claims := map[string]any{"sub": p.subject(s, t.Grant.Person)}
	say(claims, told, only)
	sayLogin(claims, s, t.Grant.Detail, t.Scopes)
	return claims, nil
}

// bearer finds the live access token that a request carries (RFC 6750 §2, RFC 9449
// §7.1), with the service that it was given to.
func (p *Provider) bearer(r *http.Request) (grant.Token, *registry.Service, error) {
	secret, bound, err := shownToken(r)
	if err != nil {
		return grant.Token{}, nil, err
	}
	if secret == "" {
		e := refuse(invalidToken, TokenRefused, "no access token came with the request")
		e.status, e.challenge = http.StatusUnauthorized, `Bearer realm="`+p.BaseURL+`"`
		return grant.Token{}, nil, e
	}
	t, err := p.grants.Token(r.Context(), secret)
	if err != nil && !errors.Is(err, grant.Unknown) {
		return grant.Token{}, nil, err
	}
	if err != nil || t.Kind != grant.Access || !t.Live(p.DB.Now()) {
		return grant.Token{}, nil, p.refuseToken(bound, invalidToken, "the access token is unknown, expired or revoked")
	}
	if bound != (t.Thumbprint != "") { // RFC 9449 §7.1: a bound token is no bearer token
		return grant.Token{}, nil, p.refuseToken(t.Thumbprint != "", invalidToken, "the token is shown in the wrong scheme")
	}
	if bound {
		thumbprint, err := p.possession(r, secret)
		var why *refusal
		if errors.As(err, &why) {
			return grant.Token{}, nil, p.refuseToken(true, invalidProof, why.description)
		}
		if err != nil {
			return grant.Token{}, nil, err
		}
		if thumbprint != t.Thumbprint {
			return grant.Token{}, nil, p.refuseToken(true, invalidToken, "the proof is of another key than the token")
		}
	}
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return grant.Token{}, nil, err
	}
	s := x.Get(t.Grant.Service)
	if s == nil || s.Disabled || s.OIDC.ClientID != t.Grant.Client {
		return grant.Token{}, nil, p.refuseToken(bound, invalidToken, "the client of this token is not registered any more")
	}
	return t, s, nil
}

// shownToken reads the token of a request: from its header, or from the body of a
// form. In an address it would end in logs, so there it is not looked for.
func shownToken(r *http.Request) (secret string, bound bool, err error) {
	scheme, value, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	switch strings.ToLower(scheme) {
	case "bearer":
		return strings.TrimSpace(value), false, nil
	case "dpop":
		return strings.TrimSpace(value), true, nil
	}
	if r.Method != http.MethodPost {
		return "", false, nil
	}
	form, err := web.Form(r)
	return form.Get("access_token"), false, err
}

// refuseToken says in the header what is wrong with a token (RFC 6750 §3, RFC 9449
// §7.1).
func (p *Provider) refuseToken(bound bool, code, description string) error {
	scheme := "Bearer "
	if bound {
		scheme = `DPoP algs="ES256 RS256 PS256 ES384 EdDSA", `
	}
	reason := TokenRefused
	if code == invalidProof {
		reason = ProofRefused
	}
	e := refuse(code, reason, "%s", description)
	e.status, e.challenge = http.StatusUnauthorized, scheme+`error="`+code+`", error_description="`+plain(description)+`"`
	return e
}
