package oidcrp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
)

var _ upstream.Ender = (*Provider)(nil)

// logoutEvent is the member of "events" that makes a token a logout token
// (Back-Channel Logout 1.0, 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaims are those of a logout token. Presence matters: the raw ones are kept.
type logoutClaims struct {
	Issuer   string                     `json:"iss"`
	Subject  string                     `json:"sub"`
	Audience audience                   `json:"aud"`
	Issued   number                     `json:"iat"`
	Expiry   *number                    `json:"exp"` // required by the final text, not by drafts that are in use
	ID       string                     `json:"jti"`
	Session  string                     `json:"sid"`
	Tenant   string                     `json:"tid"`
	Events   map[string]json.RawMessage `json:"events"`
	Nonce    json.RawMessage            `json:"nonce"`
}

// audience is one name or several; unlike list, a name with a space stays one.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// Ended implements [upstream.Ender]: it checks a logout token (Back-Channel Logout
// 1.0, 2.6). What it says is looked at before its signature, which may cost a
// question about new keys: strangers must not make us ask.
func (p *Provider) Ended(ctx context.Context, form url.Values) (upstream.Ending, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*p.TimeoutOr5s())
	defer cancel()
	raw := form.Get("logout_token")
	c, err := readLogout(raw)
	if err != nil {
		return upstream.Ending{}, err
	}
	m, err := p.metadata(ctx)
	if err != nil {
		return upstream.Ending{}, err
	}
	if err := p.ends(m, c); err != nil {
		return upstream.Ending{}, err
	}
	if _, err := m.verifier.Verify(ctx, raw); err != nil {
		return upstream.Ending{}, p.unsigned(raw, m, err)
	}
	return upstream.Ending{
		Issuer: c.Issuer, Subject: c.Subject, Session: c.Session, ID: c.ID, Until: p.clock.Now().Add(oldest + 2*p.SkewOr2m()),
	}, nil
}

// readLogout reads a token without believing it.
func readLogout(raw string) (*logoutClaims, error) {
	unfit := func(want, got string) error {
		return &upstream.Failure{Reason: upstream.Unfit, Expected: want, Received: got}
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, unfit("a signed logout_token", fmt.Sprintf("%d parts", len(parts)))
	}
	var header struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
	}
	var c logoutClaims
	for i, into := range []any{&header, &c} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return nil, &upstream.Failure{Reason: upstream.Unfit, Expected: "a logout_token of the usual types", Received: "another one", Cause: err}
		}
	}
	switch kind := strings.TrimPrefix(strings.ToLower(header.Type), "application/"); {
	case !slices.Contains(algorithms, header.Algorithm):
		return nil, unfit("alg "+strings.Join(algorithms, ", "), "alg "+header.Algorithm)
	case kind != "logout+jwt" && kind != "jwt" && kind != "": // 2.4 recommends the first
		return nil, unfit("typ logout+jwt", "typ "+header.Type)
	}
	return &c, nil
}

// ends checks what a logout token says, in the order of 2.6.
func (p *Provider) ends(m *metadata, c *logoutClaims) error {
	unfit := func(name, want, got string) error {
		return &upstream.Failure{Reason: upstream.Unfit, Expected: name + " " + want, Received: name + " " + got}
	}
	if err := p.issued(m, &claims{Issuer: c.Issuer, Tenant: c.Tenant}); err != nil {
		return err
	}
	now, skew := p.clock.Now(), p.SkewOr2m()
	at := time.Unix(int64(c.Issued), 0)
	switch {
	case !slices.Contains(c.Audience, p.OIDC.ClientID):
		return unfit("aud", p.OIDC.ClientID, strings.Join(c.Audience, " "))
	case c.Issued == 0:
		return missing("iat")
	case at.After(now.Add(skew)), at.Before(now.Add(-skew - oldest)):
		return unfit("iat", "within "+(skew+oldest).String()+" of "+now.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
	case c.Expiry != nil && !time.Unix(int64(*c.Expiry), 0).After(now.Add(-skew)):
		return unfit("exp", "after "+now.UTC().Format(time.RFC3339), time.Unix(int64(*c.Expiry), 0).UTC().Format(time.RFC3339))
	case c.Subject == "" && c.Session == "":
		return missing("sub or sid")
	case !isObject(c.Events[logoutEvent]): // otherwise an ID token would be one
		return unfit("events", logoutEvent, fmt.Sprint(len(c.Events), " others"))
	case c.Nonce != nil:
		return unfit("nonce", "none", "one, as in an ID token")
	case c.ID == "":
		return missing("jti")
	}
	return nil
}

func isObject(text json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) }
