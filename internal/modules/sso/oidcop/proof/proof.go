// Package proof checks what clients sign to show who they are: proofs of
// possession (DPoP, RFC 9449) and assertions instead of a password (RFC 7523,
// private_key_jwt of OpenID Connect Core §9), with keys that it fetches. What may be
// shown once only is returned for the caller to remember.
package proof

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Algorithms are what clients may sign with: asymmetric, so that nobody can pass
// a public key off as a shared secret, and never "none".
var Algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA}

// Skew is how far a client's clock may be off, either way.
const Skew = 2 * time.Minute

// maxLength bounds what is read before a signature is checked, in bytes.
const maxLength = 8 << 10

// Once is what must be remembered: the same must not be shown again before Until.
type Once struct {
	Key   string
	Until time.Time
}

// Use is where and for what a proof is shown.
type Use struct {
	Method  string
	Address string // full address of the endpoint
	// Token is the access token that it is shown with; empty at the token endpoint.
	Token string
	Now   time.Time
}

// DPoP checks a proof (RFC 9449 §4.3) and returns the thumbprint of its key.
func DPoP(text string, use Use) (thumbprint string, once Once, err error) {
	if len(text) > maxLength {
		return "", Once{}, errors.New("the proof is too long")
	}
	signed, err := jose.ParseSignedCompact(text, Algorithms)
	if err != nil {
		return "", Once{}, fmt.Errorf("the proof cannot be read: %w", err)
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "dpop+jwt" {
		return "", Once{}, errors.New("the type of the proof is not dpop+jwt")
	}
	key := header.JSONWebKey
	if key == nil || !key.Valid() || !key.IsPublic() {
		return "", Once{}, errors.New("the proof holds no public key")
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return "", Once{}, errors.New("the signature of the proof is wrong")
	}
	var claims struct {
		ID     string  `json:"jti"`
		Method string  `json:"htm"`
		URI    string  `json:"htu"`
		At     float64 `json:"iat"`
		Hash   string  `json:"ath"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", Once{}, errors.New("the claims of the proof cannot be read")
	}
	switch at := time.Unix(int64(claims.At), 0); {
	case claims.ID == "" || len(claims.ID) > 256:
		return "", Once{}, errors.New("jti is missing")
	case claims.Method != use.Method:
		return "", Once{}, fmt.Errorf("htm is %q, the request is %s", cut(claims.Method), use.Method)
	case !sameEndpoint(claims.URI, use.Address):
		return "", Once{}, fmt.Errorf("htu is %q, the request goes to %s", cut(claims.URI), use.Address)
	case claims.At == 0:
		return "", Once{}, errors.New("iat is missing")
	case at.Before(use.Now.Add(-Skew)) || at.After(use.Now.Add(Skew)):
		return "", Once{}, fmt.Errorf("iat is %s, our clock says %s", at.UTC().Format(time.RFC3339), use.Now.UTC().Format(time.RFC3339))
	case use.Token != "" && claims.Hash != Hash(use.Token):
		return "", Once{}, errors.New("ath is not the hash of the access token")
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", Once{}, fmt.Errorf("the key of the proof cannot be named: %w", err)
	}
	thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	return thumbprint, Once{Key: "dpop " + thumbprint + " " + claims.ID, Until: use.Now.Add(2 * Skew)}, nil
}

// Hash is the SHA-256 of a token in base64url (RFC 9449 §4.2).
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sameEndpoint compares an address with ours without query and fragment; scheme
// and host in any case (RFC 9449 §4.3).
func sameEndpoint(said, ours string) bool {
	a, err := url.Parse(said)
	if err != nil {
		return false
	}
	b, err := url.Parse(ours)
	return err == nil && strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(host(a), host(b)) && a.EscapedPath() == b.EscapedPath()
}

// host is the host with its port, unless that is the usual one.
func host(u *url.URL) string {
	if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return u.Hostname()
	}
	return u.Host
}

func cut(text string) string { return text[:min(len(text), 200)] }
