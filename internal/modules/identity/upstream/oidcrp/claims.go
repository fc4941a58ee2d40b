package oidcrp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// personalTenant is the tenant of Microsoft accounts that people made themselves.
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Some providers write numbers and booleans as strings.
type (
	number  int64
	boolean bool
	list    []string
)

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	value, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if string(b) == "null" || err != nil || value < -1e15 || value > 1e15 {
		*n = 0
		return nil // no instant is as good as none
	}
	*n = number(value)
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *boolean) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	*v = text == "true" || text == "1"
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = strings.Fields(one)
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// verify checks an ID token (Core §3.1.3.7).
func (p *Provider) verify(ctx context.Context, m *metadata, raw string, t upstream.Transaction, date *time.Time) (*claims, error) {
	token, err := m.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, p.unsigned(raw, m, err)
	}
	c := &claims{issued: token.IssuedAt}
	if err := token.Claims(c); err != nil {
		return nil, &upstream.Failure{Reason: upstream.Unfit, Expected: "claims of the usual types", Received: "others", Cause: err}
	}
	if err := token.Claims(&c.all); err != nil {
		return nil, &upstream.Failure{Reason: upstream.Unfit, Expected: "claims", Received: "no JSON object", Cause: err}
	}
	if err := p.issued(m, c); err != nil {
		return nil, err
	}
	unfit := func(name, want, got string) error {
		return &upstream.Failure{Reason: upstream.Unfit, Expected: name + " " + want, Received: name + " " + got}
	}
	switch {
	case !slices.Contains(token.Audience, p.OIDC.ClientID):
		return nil, unfit("aud", p.OIDC.ClientID, strings.Join(token.Audience, " "))
	case c.Party != "" && c.Party != p.OIDC.ClientID, c.Party == "" && len(token.Audience) > 1:
		return nil, unfit("azp", p.OIDC.ClientID, c.Party)
	case c.Subject == "":
		return nil, missing("sub")
	case c.Nonce != t.Secrets[keepNonce] || c.Nonce == "":
		return nil, &upstream.Failure{Reason: upstream.Stale, Expected: "the nonce of this sign-in", Received: "another one"}
	}
	return c, p.timely(c, token.Expiry, *date)
}

// issued checks who made the token: the issuer, and at Entra the tenant.
func (p *Provider) issued(m *metadata, c *claims) error {
	if want := m.issuerOf(c.Tenant); c.Issuer != want || m.shared() && c.Tenant == "" {
		return &upstream.Failure{Reason: upstream.Unfit, Expected: "iss " + want, Received: "iss " + c.Issuer}
	}
	if len(p.OIDC.Tenants) > 0 && !slices.Contains(p.OIDC.Tenants, c.Tenant) {
		f := &upstream.Failure{Reason: upstream.WrongTenant, Expected: "tid " + strings.Join(p.OIDC.Tenants, " or "), Received: "tid " + c.Tenant}
		if c.Tenant == personalTenant {
			f.Received += " (a personal account)"
		}
		return f
	}
	return nil
}

// oldest is how long ago a token that comes straight from the provider may have
// been made.
const oldest = 10 * time.Minute

// timely checks the token's instants against our clock.
func (p *Provider) timely(c *claims, expiry, date time.Time) error {
	now, skew := p.clock.Now(), p.SkewOr2m()
	c.ahead = c.issued.Sub(now)
	off := func(name string, at time.Time) error {
		f := &upstream.Failure{
			Reason: upstream.ClockOff, Args: fault.Args{"by": at.Sub(now).Abs().Round(time.Second)}, Ahead: c.ahead, Timed: true,
			Expected: fmt.Sprintf("%s within %v of %s", name, skew, now.UTC().Format(time.RFC3339)), Received: name + " " + at.UTC().Format(time.RFC3339),
		}
		if !date.IsZero() {
			f.Text = "Date: " + date.UTC().Format(time.RFC3339)
		}
		return f
	}
	switch {
	case c.issued.IsZero() || c.issued.Unix() == 0:
		return missing("iat")
	case c.issued.After(now.Add(skew)):
		return off("iat", c.issued)
	case c.issued.Before(now.Add(-skew - oldest)):
		return off("iat", c.issued)
	case c.Before != 0 && time.Unix(int64(c.Before), 0).After(now.Add(skew)):
		return off("nbf", time.Unix(int64(c.Before), 0))
	case !expiry.After(now.Add(-skew)):
		return off("exp", expiry)
	}
	return nil
}

// unsigned is why a signature does not hold.
func (p *Provider) unsigned(raw string, m *metadata, err error) error {
	var header struct {
		Algorithm string `json:"alg"`
		Key       string `json:"kid"`
	}
	first, _, _ := strings.Cut(raw, ".")
	if body, wrong := base64.RawURLEncoding.DecodeString(first); wrong == nil {
		if json.Unmarshal(body, &header) != nil {
			header.Algorithm = "no header"
		}
	}
	switch text := err.Error(); {
	case strings.Contains(text, "fetching keys"): // the library gives this error no type
		f := p.silent(err)
		f.Expected = "the keys of " + m.JWKS
		return f
	case !slices.Contains(algorithms, header.Algorithm):
		return &upstream.Failure{Reason: upstream.Unfit, Expected: "alg " + strings.Join(algorithms, ", "), Received: "alg " + header.Algorithm, Cause: err}
	default:
		return &upstream.Failure{Reason: upstream.KeyUnknown, Expected: "a key of " + m.JWKS, Received: "kid " + header.Key + " (" + header.Algorithm + ")", Cause: err}
	}
}

// deepest is how far down objects within claims are read: realm_access.roles of
// Keycloak is two.
const deepest = 3

// flatten makes claims attributes: a member of an object is named by the path to
// it.
func flatten(into map[string][]string, prefix string, all map[string]any) {
	for name, value := range all {
		name = prefix + name
		switch v := value.(type) {
		case map[string]any:
			if strings.Count(name, ".") < deepest-1 {
				flatten(into, name+".", v)
			}
		case []any:
			for _, one := range v {
				if text, ok := plain(one); ok {
					into[name] = append(into[name], text)
				}
			}
		default:
			if text, ok := plain(v); ok {
				into[name] = []string{text}
			}
		}
	}
}

// plain is a value as text; ok is false for what is none.
func plain(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	default:
		return "", false
	}
}
