package oidcrp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

const (
	// fresh is how long what the provider says of itself is taken as it is; stale how
	// long it is when the provider no longer answers.
	fresh = time.Hour
	stale = 24 * time.Hour
	// patience is how long a provider that did not answer is left alone.
	patience = 15 * time.Second
	// maxAnswer bounds what a provider may answer, in bytes.
	maxAnswer = 1 << 20

	wellKnown = "/.well-known/openid-configuration"
	// tenantMark stands for the tenant in the issuer of Entra's shared endpoints.
	tenantMark = "{tenantid}"
)

// metadata is what a provider says of itself (Discovery 1.0 §3).
type metadata struct {
	Issuer      string   `json:"issuer"`
	JWKS        string   `json:"jwks_uri"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	EndSession  string   `json:"end_session_endpoint"`
	SaysIssuer  bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	Algorithms  []string `json:"id_token_signing_alg_values_supported"`
	TakesClaims *bool    `json:"claims_parameter_supported"` // nil when it is not said

	provider    *oidc.Provider
	verifier    *oidc.IDTokenVerifier
	at          time.Time
	certificate time.Time // end of the certificate that it was fetched with
}

// shared reports whether the issuer stands for many tenants.
func (m *metadata) shared() bool { return strings.Contains(m.Issuer, tenantMark) }

// issuerOf is the issuer of one tenant.
func (m *metadata) issuerOf(tenant string) string {
	return strings.ReplaceAll(m.Issuer, tenantMark, tenant)
}

// tenantIn is the tenant of an issuer that follows a pattern; "" when it does not.
func tenantIn(issuer, pattern string) string {
	before, after, ok := strings.Cut(pattern, tenantMark)
	if !ok || !strings.HasPrefix(issuer, before) || !strings.HasSuffix(issuer, after) || len(issuer) < len(before)+len(after) {
		return ""
	}
	return issuer[len(before) : len(issuer)-len(after)]
}

// algorithms are what an ID token may be signed with: never a shared secret, never
// nothing.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// newClient is how providers are asked: no redirects, because what they lead to is
// not what was configured, and no endless answers.
func newClient(c upstream.Config) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.OIDC.CAFile != "" {
		pem, err := os.ReadFile(c.OIDC.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authority of the provider: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", c.OIDC.CAFile)
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	return &http.Client{
		Timeout: c.TimeoutOr5s(), Transport: bounded{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// bounded cuts answers that are too long, and tells what the provider's clock
// says.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	if seen, ok := r.Context().Value(dateKey{}).(*time.Time); ok {
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			*seen = date
		}
	}
	if seen, ok := r.Context().Value(certificateKey{}).(*time.Time); ok && resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		*seen = resp.TLS.PeerCertificates[0].NotAfter
	}
	return resp, nil
}

type (
	dateKey        struct{}
	certificateKey struct{}
)

// witness notes the Date header of the answers under a context: the second
// opinion on a clock that is off.
func witness(ctx context.Context) (context.Context, *time.Time) {
	date := new(time.Time)
	return context.WithValue(ctx, dateKey{}, date), date
}

// metadata is what the provider says of itself, fetched now and then.
func (p *Provider) metadata(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	known, now := p.known, p.clock.Now()
	waiting := !p.downSince.IsZero() && now.Before(p.retryAt)
	p.mu.Unlock()
	usable := known != nil && now.Sub(known.at) < stale
	switch {
	case known != nil && now.Sub(known.at) < fresh, usable && waiting:
		return known, nil
	case waiting:
		return nil, p.silent(nil)
	case !usable:
		p.renewing.Lock()
	case !p.renewing.TryLock(): // somebody is at it; what we have will do
		return known, nil
	}
	defer p.renewing.Unlock()
	p.mu.Lock()
	current := p.known
	waiting = !p.downSince.IsZero() && p.clock.Now().Before(p.retryAt)
	p.mu.Unlock()
	switch { // what another request did meanwhile
	case current != known:
		return current, nil
	case waiting && usable:
		return known, nil
	case waiting:
		return nil, p.silent(nil)
	}
	// Somebody who closes their browser must not make the provider seem down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.TimeoutOr5s())
	defer cancel()
	m, err := p.fetch(ctx)
	if err == nil {
		p.learn(m)
		return m, nil
	}
	failure := p.failed(err)
	if usable {
		return known, nil
	}
	return nil, failure
}

// fetch asks the provider about itself.
func (p *Provider) fetch(ctx context.Context) (*metadata, error) {
	m := &metadata{at: p.clock.Now()}
	// The library keeps this context for the keys that it fetches later.
	lasting := oidc.InsecureIssuerURLContext(p.with(context.WithoutCancel(ctx)), p.OIDC.Issuer)
	type found struct {
		provider *oidc.Provider
		err      error
	}
	done := make(chan found, 1)
	go func() { // the client's time-out ends it when nobody waits any more
		provider, err := oidc.NewProvider(context.WithValue(lasting, certificateKey{}, &m.certificate), p.OIDC.Issuer)
		done <- found{provider, err}
	}()
	var got found
	select {
	case got = <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if got.err != nil {
		return nil, got.err
	}
	m.provider = got.provider
	if err := m.provider.Claims(m); err != nil {
		return nil, fmt.Errorf("read the metadata: %w", err)
	}
	if err := p.fits(m); err != nil {
		return nil, err
	}
	m.verifier = oidc.NewVerifier(m.Issuer, oidc.NewRemoteKeySet(lasting, m.JWKS), &oidc.Config{
		// The claims are checked by claims.go, which keeps both values.
		SkipClientIDCheck: true, SkipExpiryCheck: true, SkipIssuerCheck: true, SupportedSigningAlgs: algorithms,
	})
	return m, nil
}

// fits checks that the metadata are those of the issuer that was configured
// (Discovery §4.3), and complete.
func (p *Provider) fits(m *metadata) error {
	same := m.Issuer == p.OIDC.Issuer || p.OIDC.SharedIssuer() && m.shared()
	endpoint := m.provider.Endpoint()
	switch {
	case !same:
		return &upstream.Failure{Reason: upstream.Misconfigured, Expected: "issuer " + p.OIDC.Issuer, Received: "issuer " + m.Issuer}
	case endpoint.AuthURL == "" || endpoint.TokenURL == "" || m.JWKS == "":
		return &upstream.Failure{Reason: upstream.Misconfigured, Expected: "authorization_endpoint, token_endpoint and jwks_uri", Received: "not all of them"}
	}
	return nil
}

func (p *Provider) learn(m *metadata) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.downSince = m, time.Time{}
}

// failed notes that the provider did not say who it is.
func (p *Provider) failed(cause error) error {
	p.mu.Lock()
	now := p.clock.Now()
	if p.downSince.IsZero() {
		p.downSince = now
	}
	p.retryAt = now.Add(patience)
	p.mu.Unlock()
	if f, told := cause.(*upstream.Failure); told { // it answered, and what it said does not fit
		return f
	}
	return p.silent(cause)
}

// silent is the failure of a provider that does not answer.
func (p *Provider) silent(cause error) *upstream.Failure {
	p.mu.Lock()
	since := p.downSince
	p.mu.Unlock()
	if since.IsZero() {
		since = p.clock.Now()
	}
	f := &upstream.Failure{
		Reason: upstream.Unreachable, Untested: true, Args: fault.Args{"since": since}, Expected: "an answer of " + p.OIDC.Issuer,
		Received: "none since " + since.UTC().Format(time.RFC3339), Cause: cause,
	}
	return f
}
