package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// longestAssertion is how far in the future an assertion may end: it is
// remembered until then.
const longestAssertion = time.Hour

// audience is a text or a list of texts.
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

type assertionClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	ID       string   `json:"jti"`
	Expires  float64  `json:"exp"`
	Issued   float64  `json:"iat"`
	Not      float64  `json:"nbf"`
}

// Claimed is whom an assertion says it is from. Nothing is checked: it only tells
// whose keys to check it with.
func Claimed(text string) (client string, err error) {
	signed, err := parse(text)
	if err != nil {
		return "", err
	}
	var claims assertionClaims
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims); err != nil || claims.Subject == "" {
		return "", errors.New("the assertion names nobody")
	}
	return claims.Subject, nil
}

func parse(text string) (*jose.JSONWebSignature, error) {
	if len(text) > maxLength {
		return nil, errors.New("the assertion is too long")
	}
	signed, err := jose.ParseSignedCompact(text, Algorithms)
	if err != nil {
		return nil, fmt.Errorf("the assertion cannot be read: %w", err)
	}
	return signed, nil
}

// KeyUnknown: none of the client's keys has the name that the assertion gives, or
// made its signature. Keys that were fetched a while ago may be old.
var KeyUnknown = errors.New("none of the client's keys made this signature")

// Assertion checks that a client signed an assertion for one of these audiences
// (RFC 7523 §3).
func Assertion(text, client string, keys []jose.JSONWebKey, audiences []string, now time.Time) (Once, error) {
	signed, err := parse(text)
	if err != nil {
		return Once{}, err
	}
	payload, err := verify(signed, keys)
	if err != nil {
		return Once{}, err
	}
	var claims assertionClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Once{}, errors.New("the claims of the assertion cannot be read")
	}
	expires := time.Unix(int64(claims.Expires), 0)
	switch {
	case claims.Issuer != client || claims.Subject != client:
		return Once{}, errors.New("iss and sub are not the client")
	case !slices.ContainsFunc(claims.Audience, func(a string) bool { return slices.Contains(audiences, a) }):
		return Once{}, fmt.Errorf("aud is %q, it must be %s", claims.Audience, audiences[0])
	case claims.ID == "" || len(claims.ID) > 256:
		return Once{}, errors.New("jti is missing")
	case claims.Expires == 0:
		return Once{}, errors.New("exp is missing")
	case !now.Before(expires.Add(Skew)):
		return Once{}, fmt.Errorf("exp is %s, our clock says %s", expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case expires.After(now.Add(longestAssertion)):
		return Once{}, errors.New("exp is more than an hour ahead")
	case claims.Issued != 0 && time.Unix(int64(claims.Issued), 0).After(now.Add(Skew)), claims.Not != 0 && time.Unix(int64(claims.Not), 0).After(now.Add(Skew)):
		return Once{}, fmt.Errorf("the assertion comes from the future, our clock says %s", now.UTC().Format(time.RFC3339))
	}
	return Once{Key: "assertion " + client + " " + claims.ID, Until: expires.Add(Skew)}, nil
}

// verify tries the keys that the signature can be of.
func verify(signed *jose.JSONWebSignature, keys []jose.JSONWebKey) ([]byte, error) {
	kid := signed.Signatures[0].Protected.KeyID
	for _, k := range keys {
		if kid != "" && k.KeyID != "" && k.KeyID != kid {
			continue
		}
		if k.Algorithm != "" && k.Algorithm != signed.Signatures[0].Protected.Algorithm {
			continue
		}
		if payload, err := signed.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	return nil, KeyUnknown
}
