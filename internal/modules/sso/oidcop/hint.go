package oidcop

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
)

// hint is an ID token of ours that a client gives back (id_token_hint): it says
// whom the client means, and proves nothing about who asks.
type hint struct {
	Issuer   string       `json:"iss"`
	Subject  string       `json:"sub"`
	Audience jwt.Audience `json:"aud"`
	SID      string       `json:"sid"`
}

// maxHint is more than any ID token of ours has, in bytes.
const maxHint = 16 << 10

// readHint reads a hint. It may have run out long ago (RP-Initiated Logout §4), and
// its key may sign no more; but a key of ours it must be.
func (p *Provider) readHint(ctx context.Context, text string) (hint, error) {
	if len(text) > maxHint {
		return hint{}, errors.New("the hint is too long")
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return hint{}, fmt.Errorf("read the hint: %w", err)
	}
	all, err := p.Keys.All(ctx, keys.OIDC)
	if err != nil {
		return hint{}, err
	}
	header := token.Headers[0]
	for _, k := range all {
		if k.ID != header.KeyID || k.Algorithm != header.Algorithm {
			continue
		}
		var h hint
		if err := token.Claims(publicKey(k).Key, &h); err != nil {
			return hint{}, errors.New("the signature of the hint is wrong")
		}
		if h.Issuer != p.BaseURL || header.ExtraHeaders[jose.HeaderType] != "JWT" {
			return hint{}, errors.New("the hint is no ID token of ours")
		}
		return h, nil
	}
	return hint{}, errors.New("no key of ours signed the hint")
}
