package oidcop

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/proof"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// assertionType is the name of assertions in JWT form (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// credentials are what a request proves its client by (RFC 6749 §2.3).
type credentials struct {
	client string
	by     registry.Auth
	secret string
	proof  string // an assertion
}

// readForm reads the parameters of a program's request. Each may be given once
// (RFC 6749 §3.2), and none in the address, which ends in logs.
func readForm(r *http.Request) (url.Values, error) {
	form, err := web.Form(r)
	if err != nil {
		return nil, err
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, refuse(invalidRequest, RequestUnreadable, "%s is given twice", name)
		}
	}
	for _, name := range []string{"client_secret", "code", "refresh_token", "token", "access_token", "client_assertion"} {
		if r.URL.Query().Has(name) {
			return nil, refuse(invalidRequest, RequestUnreadable, "%s stands in the address, where logs keep it: send it in the body", name)
		}
	}
	return form, nil
}

// readCredentials finds the one way in which the client proves itself.
func readCredentials(r *http.Request, form url.Values) (credentials, error) {
	var c credentials
	ways := 0
	if header := r.Header.Get("Authorization"); strings.HasPrefix(strings.ToLower(header), "basic ") {
		name, secret, ok := r.BasicAuth()
		if !ok {
			return c, refuse(invalidClient, ClientRefused, "the Authorization header cannot be read")
		}
		c, ways = credentials{client: unescape(name), by: registry.AuthBasic, secret: unescape(secret)}, ways+1
	}
	if form.Has("client_secret") {
		c, ways = credentials{client: form.Get("client_id"), by: registry.AuthPost, secret: form.Get("client_secret")}, ways+1
	}
	if form.Has("client_assertion") {
		if form.Get("client_assertion_type") != assertionType {
			return c, refuse(invalidRequest, ClientRefused, "client_assertion_type must be %s", assertionType)
		}
		client, err := proof.Claimed(form.Get("client_assertion"))
		if err != nil {
			return c, refuse(invalidClient, ClientRefused, "%s", err)
		}
		c, ways = credentials{client: client, by: registry.AuthKey, proof: form.Get("client_assertion")}, ways+1
	}
	switch {
	case ways > 1:
		return c, refuse(invalidRequest, ClientRefused, "the client proves itself in more than one way")
	case ways == 0:
		c = credentials{client: form.Get("client_id"), by: registry.AuthPublic}
	}
	if named := form.Get("client_id"); named != "" && named != c.client {
		return c, refuse(invalidRequest, ClientRefused, "client_id is not the client that proves itself")
	}
	if c.client == "" {
		return c, refuse(invalidClient, ClientRefused, "no client is named")
	}
	return c, nil
}

// unescape undoes the form encoding of RFC 6749 §2.3.1, which half of all clients
// leave out: what cannot be decoded was not encoded.
func unescape(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

// authenticate reads a program's request and returns the client that it proves to be
// from.
func (p *Provider) authenticate(r *http.Request) (url.Values, *registry.Service, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, nil, err
	}
	c, err := readCredentials(r, form)
	var why *refusal
	if errors.As(err, &why) && why.code == invalidClient {
		why.status = http.StatusUnauthorized
	}
	if err != nil {
		return nil, nil, err
	}
	key := limit.AddressKey(web.ClientAddr(r))
	if wait := p.failures.Wait(key); wait > 0 {
		e := refuse(invalidClient, TooManyFailures, "too many requests from %s were refused; try again in %s", peer(r), wait.Round(time.Second)+time.Second)
		e.status = http.StatusTooManyRequests
		return nil, nil, e
	}
	s, err := p.prove(r, c)
	if errors.As(err, &why) {
		p.failures.Allow(key) // takes one; Wait above is what refuses
		why.status = http.StatusUnauthorized
		if c.by == registry.AuthBasic {
			why.challenge = `Basic realm="` + p.BaseURL + `", charset="UTF-8"`
		}
	}
	return form, s, err
}

// prove checks the credentials against the registry. An unknown client costs the
// same work and gets the same words as a wrong secret.
func (p *Provider) prove(r *http.Request, c credentials) (*registry.Service, error) {
	ctx := r.Context()
	x, err := p.Gate.Registry(ctx)
	if err != nil {
		return nil, err
	}
	wrong := refuse(invalidClient, ClientRefused, "the client is unknown or could not prove who it is")
	s := x.Client(c.client)
	if s == nil {
		secretMatches("", c.secret)
		return nil, wrong
	}
	incident := gate.Incident{Service: s, Reason: ClientRefused}
	switch {
	case !s.OIDC.Authenticates(c.by):
		incident.Difference, incident.Expected, incident.Received = "oidc_method", methodsOf(s.OIDC), string(c.by)
		p.note(r, incident)
		return nil, wrong
	case c.by == registry.AuthBasic || c.by == registry.AuthPost:
		if !secretMatches(s.OIDC.SecretHash, c.secret) {
			incident.Difference, incident.Expected, incident.Received = "oidc_secret", fingerprint(s.OIDC.SecretHash), fingerprint(hashOf(c.secret))
			p.note(r, incident)
			return nil, wrong
		}
	case c.by == registry.AuthKey:
		if err := p.checkAssertion(r, s, c.proof); err != nil {
			return nil, err
		}
	}
	if s.Disabled {
		return nil, refuse(unauthorizedClient, ClientRefused, "the client's entry is closed")
	}
	return s, nil
}

// begins bounds how much a client that anybody can speak for may leave with us:
// devices that wait, pushed requests.
func (p *Provider) begins(r *http.Request, s *registry.Service) error {
	if !s.OIDC.Public() {
		return nil
	}
	wait, ok := p.pending.Allow(limit.AddressKey(web.ClientAddr(r)))
	if ok {
		return nil
	}
	return tooMuch(r, wait)
}

// tooMuch refuses what nobody in particular asks too often.
func tooMuch(r *http.Request, wait time.Duration) error {
	e := refuse(slowDown, TooManyFailures, "too much was begun from %s; try again in %s", peer(r), wait.Round(time.Second)+time.Second)
	e.status = http.StatusTooManyRequests
	return e
}

// shows bounds the proofs of a client that anybody can speak for: each is
// remembered before we know whether there is anything to give for it. Call useful
// when there was.
func (p *Provider) shows(r *http.Request, s *registry.Service) (useful func(), err error) {
	if !s.OIDC.Public() || len(r.Header.Values("DPoP")) == 0 {
		return func() {}, nil
	}
	from := limit.AddressKey(web.ClientAddr(r))
	if wait, ok := p.proofs.Allow(from); !ok {
		return nil, tooMuch(r, wait)
	}
	return func() { p.proofs.GiveBack(from) }, nil
}

// methodsOf says how a client may prove itself.
func methodsOf(c registry.OIDCClient) string {
	var list []string
	for _, by := range []registry.Auth{registry.AuthBasic, registry.AuthPost, registry.AuthKey, registry.AuthPublic} {
		if c.Authenticates(by) {
			list = append(list, string(by))
		}
	}
	return strings.Join(list, ", ")
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// fingerprint is enough of a hash to see that two secrets differ, and too little
// to find one.
func fingerprint(hash string) string { return "SHA-256 " + hash[:min(6, len(hash))] + "…" }

// secretMatches compares in constant time. Secrets are random and long, so that a
// plain hash is enough (they are made by amphi service add).
func secretMatches(hash, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(hashOf(secret)), []byte(hash)) == 1 && hash != ""
}

// checkAssertion checks what a client signed instead of a secret.
func (p *Provider) checkAssertion(r *http.Request, s *registry.Service, text string) error {
	// The issuer is the audience of choice; the endpoint's address is what many
	// libraries still send (RFC 7523 §3).
	audiences := []string{p.BaseURL, p.BaseURL + tokenPath, p.BaseURL + r.URL.Path}
	now := p.Clock.Now()
	keys, err := p.keys.Of(r.Context(), s.OIDC, false)
	if err != nil {
		p.note(r, gate.Incident{Service: s, Reason: KeysUnavailable, Expected: s.OIDC.JWKSURI, Received: err.Error()})
		return KeysUnavailable.From(err)
	}
	once, err := proof.Assertion(text, s.OIDC.ClientID, keys, audiences, now)
	if errors.Is(err, proof.KeyUnknown) && s.OIDC.JWKS == "" {
		// The client may have a new key.
		if keys, again := p.keys.Of(r.Context(), s.OIDC, true); again == nil {
			once, err = proof.Assertion(text, s.OIDC.ClientID, keys, audiences, now)
		}
	}
	if err == nil {
		err = p.once(r.Context(), once)
	}
	var shown *replayed
	if err != nil && !errors.As(err, &shown) && once.Key != "" {
		return err // the database
	}
	if err != nil {
		p.note(r, gate.Incident{Service: s, Reason: ClientRefused, Difference: "oidc_assertion", Expected: p.BaseURL, Received: err.Error()})
		return refuse(invalidClient, ClientRefused, "%s", err)
	}
	return nil
}

// replayed: something that may be shown once was shown again.
type replayed struct{}

func (*replayed) Error() string { return "the same was shown before (jti)" }

// once remembers a proof, or returns [replayed].
func (p *Provider) once(ctx context.Context, o proof.Once) error {
	first := false
	err := p.DB.InTx(ctx, func(tx db.Tx) (err error) {
		first, err = p.grants.SeeOnce(ctx, tx, o.Key, o.Until)
		return err
	})
	if err == nil && !first {
		return &replayed{}
	}
	return err
}

// possession checks the proof of possession of a request, if it carries one. It
// returns the thumbprint of its key, or "".
func (p *Provider) possession(r *http.Request, token string) (string, error) {
	proofs := r.Header.Values("DPoP")
	if len(proofs) == 0 {
		return "", nil
	}
	if len(proofs) > 1 {
		return "", refuse(invalidProof, ProofRefused, "more than one DPoP header")
	}
	thumbprint, once, err := proof.DPoP(proofs[0], proof.Use{Method: r.Method, Address: p.BaseURL + r.URL.Path, Token: token, Now: p.Clock.Now()})
	if err != nil {
		return "", refuse(invalidProof, ProofRefused, "%s", err)
	}
	err = p.once(r.Context(), once)
	var shown *replayed
	if errors.As(err, &shown) {
		return "", refuse(invalidProof, ProofRefused, "%s", err)
	}
	return thumbprint, err
}

// s256 is the challenge of a verifier (RFC 7636 §4.2).
func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
