package oidcop

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// How people signed in, as acr says it: REFEDS's profiles, and short names of ours
// for clients that cannot hold an address.
const (
	acrSingle   = "https://refeds.org/profile/sfa"
	acrSeveral  = "https://refeds.org/profile/mfa"
	acrSingleID = "urn:amphi:acr:1"
	acrTwo      = "urn:amphi:acr:2"
)

// acrValues lists them, strongest first.
var acrValues = []string{acrSeveral, acrTwo, acrSingle, acrSingleID}

// needsFactor reports whether a value of acr means a second factor.
func needsFactor(acr string) bool { return acr == acrSeveral || acr == acrTwo }

// reached is how somebody signed in, in the word that the client asked for where
// several mean the same.
func reached(v campus.Viewer, asked []string) string {
	two := !v.FactorAt.IsZero()
	for _, acr := range asked {
		if needsFactor(acr) == two && slices.Contains(acrValues, acr) {
			return acr
		}
	}
	if two {
		return acrSeveral
	}
	return acrSingle
}

// subject is what the client knows the person by (Core §8): the same for ever, and
// never a name or an address, because those change hands.
func (p *Provider) subject(s *registry.Service, who campus.PersonID) string {
	if s.OIDC.Subject == registry.SubjectPairwise {
		return registry.Pairwise(p.MAC, "sector "+s.OIDC.SectorIdentifier(), who)
	}
	return string(who)
}

// sessionID is what the client knows the session by. It tells nothing about the
// session, and another client cannot recognise it.
func sessionID(session, service string) string {
	if session == "" {
		return ""
	}
	return id.Hash("sid " + session + " " + service)[:32]
}

// attributes reads what the client may be told. Where the person was asked, that is
// never more than they were asked about, whatever the entry has come to release.
func (p *Provider) attributes(ctx context.Context, s *registry.Service, g grant.Grant, scopes []string) ([]gate.Attribute, error) {
	told, err := p.Gate.Released(ctx, s, g.Person, request.Wanted(scopes, g.Detail.Claims))
	if s.Consent {
		told = slices.DeleteFunc(told, func(a gate.Attribute) bool { return !slices.Contains(g.Detail.Told, a.Name) })
	}
	return told, err
}

func namesOf(attributes []gate.Attribute) []registry.Attribute {
	names := make([]registry.Attribute, len(attributes))
	for i, a := range attributes {
		names[i] = a.Name
	}
	return names
}

// say adds attributes to claims. only narrows them; nil is all.
func say(claims map[string]any, told []gate.Attribute, only []registry.Attribute) {
	for _, a := range told {
		names, ok := a.Name.Names()
		if !ok || len(a.Values) == 0 || only != nil && !slices.Contains(only, a.Name) {
			continue
		}
		if names.Several {
			claims[names.Claim] = a.Values
		} else {
			claims[names.Claim] = a.Values[0]
		}
		if a.Name == registry.Mail {
			claims["email_verified"] = true // the institution gave the address
		}
	}
}

// sayLogin adds the identifier that every service of the institution is told, to
// clients that know people by one name; pairwise ones only get it as an attribute.
func sayLogin(claims map[string]any, s *registry.Service, d grant.Detail, scopes []string) {
	if _, said := claims["preferred_username"]; !said && d.Login != "" && s.OIDC.Subject != registry.SubjectPairwise && slices.Contains(scopes, registry.ScopeProfile) {
		claims["preferred_username"] = d.Login
	}
}

// idToken says who signed in (Core §2). code and access are what it comes with;
// both may be empty.
func (p *Provider) idToken(ctx context.Context, s *registry.Service, g grant.Grant, told []gate.Attribute, code, access string, all bool) (string, error) {
	now, d := p.Clock.Now(), g.Detail
	claims := map[string]any{
		"iss": p.BaseURL, "sub": p.subject(s, g.Person), "aud": s.OIDC.ClientID,
		"iat": now.Unix(), "exp": now.Add(p.config.IDTokenLifetime).Unix(),
	}
	for name, value := range map[string]string{"nonce": d.Nonce, "acr": d.ACR, "sid": d.SID} {
		if value != "" {
			claims[name] = value
		}
	}
	if d.AuthTime != 0 {
		claims["auth_time"] = d.AuthTime
	}
	if len(d.AMR) > 0 {
		claims["amr"] = d.AMR
	}
	if access != "" {
		claims["at_hash"] = halfHash(access)
	}
	if code != "" {
		claims["c_hash"] = halfHash(code)
	}
	if all || s.OIDC.ClaimsInIDToken {
		say(claims, told, nil)
		sayLogin(claims, s, d, d.Scopes)
	} else {
		say(claims, told, d.Claims.InIDToken())
	}
	return p.sign(ctx, s.OIDC.Algorithm(), "JWT", claims)
}

// halfHash is the left half of a SHA-256 (Core §3.1.3.6), which is the hash of
// both algorithms that we sign with.
func halfHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// sign makes a JWT of a type with the current key of an algorithm.
func (p *Provider) sign(ctx context.Context, algorithm, kind string, claims map[string]any) (string, error) {
	k, err := p.Keys.Current(ctx, keys.OIDC, algorithm)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: jose.JSONWebKey{Key: k.Signer, KeyID: k.ID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(kind)),
	)
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", k.ID, err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", k.ID, err)
	}
	return text, nil
}
