// Package oidcrp is the relying party of OpenID Connect (Core 1.0): Microsoft
// Entra, Keycloak, ProConnect and their like sign people in for us. It asks for a
// code with PKCE (RFC 7636), checks every value that the specifications and the
// OAuth security practice (RFC 9700) name, and keeps both sides of each that
// differs.
package oidcrp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Provider is one OpenID provider. It is safe for concurrent use.
type Provider struct {
	upstream.Config
	clock  clock.Clock
	client *http.Client

	renewing  sync.Mutex // held while the provider is asked about itself
	mu        sync.Mutex
	known     *metadata
	downSince time.Time // zero while it answers
	retryAt   time.Time
}

var _ upstream.Protocol = (*Provider)(nil)

// New makes the provider of a configuration; it is asked about itself when it is
// first needed. New fails when the file of the authority cannot be read.
func New(c upstream.Config, now clock.Clock) (*Provider, error) {
	client, err := newClient(c)
	if err != nil {
		return nil, err
	}
	return &Provider{Config: c, clock: now, client: client}, nil
}

// The names of what a transaction keeps.
const (
	keepNonce    = "nonce"
	keepVerifier = "verifier"
)

// secretBytes is the length of the nonce, in bytes.
const secretBytes = 24

// Start implements [upstream.Protocol].
func (p *Provider) Start(ctx context.Context, t *upstream.Transaction) (upstream.Departure, error) {
	m, err := p.metadata(ctx)
	if err != nil {
		return upstream.Departure{}, err
	}
	t.Secrets[keepNonce], t.Secrets[keepVerifier] = id.Token(secretBytes), oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oidc.Nonce(t.Secrets[keepNonce]), oauth2.S256ChallengeOption(t.Secrets[keepVerifier])}
	add := func(name, value string) {
		if value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	add("prompt", p.prompt(t))
	if t.Force {
		add("max_age", "0") // which makes auth_time required (Core §2)
	}
	add("claims", p.wanted(m))
	if !t.Choose {
		add("login_hint", t.LoginHint)
	}
	add("domain_hint", p.OIDC.DomainHint)
	if !t.Plain {
		add("acr_values", strings.Join(p.Factor.Request, " "))
	}
	return upstream.Departure{URL: p.oauth(m, t.AnswerURL).AuthCodeURL(t.Token, options...)}, nil
}

// wanted asks for the instant of the sign-in by name, of every journey: a session
// there may be old (Core §5.5). Entra takes the parameter and says nothing of it in
// its metadata, and who does not know a parameter ignores it (RFC 6749 §3.1); who
// says that it takes none is left alone.
func (p *Provider) wanted(m *metadata) string {
	if m.TakesClaims != nil && !*m.TakesClaims {
		return ""
	}
	return `{"id_token":{"auth_time":{"essential":true}}}`
}

// prompt is what the person is asked there (Core §3.1.2.1). Several values are
// allowed, but not everywhere; the choice of an account comes with a new sign-in.
func (p *Provider) prompt(t *upstream.Transaction) string {
	switch {
	case t.Choose:
		return "select_account"
	case t.Force:
		return "login"
	default:
		return p.OIDC.Prompt
	}
}

// oauth is the client as the library wants it.
func (p *Provider) oauth(m *metadata, answerURL string) *oauth2.Config {
	scopes := p.OIDC.Scopes
	if len(scopes) == 0 {
		scopes = []string{"profile", "email"}
	}
	endpoint := m.provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(m.AuthMethods) > 0 && !slices.Contains(m.AuthMethods, "client_secret_basic") { // basic is the default (Discovery §3)
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: p.OIDC.ClientID, ClientSecret: p.OIDC.ClientSecret, Endpoint: endpoint, RedirectURL: answerURL,
		Scopes: append([]string{oidc.ScopeOpenID}, slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == oidc.ScopeOpenID })...),
	}
}

// Token implements [upstream.Protocol].
func (p *Provider) Token(back upstream.Return) string { return back.Values.Get("state") }

// Receive implements [upstream.Protocol].
func (p *Provider) Receive(ctx context.Context, back upstream.Return, t upstream.Transaction) (upstream.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*p.TimeoutOr5s())
	defer cancel()
	m, err := p.metadata(ctx)
	if err != nil {
		return upstream.Answer{}, err
	}
	if err := p.from(back.Values, m); err != nil {
		return upstream.Answer{}, err
	}
	if code := back.Values.Get("error"); code != "" {
		return upstream.Answer{}, refusal(code, back.Values.Get("error_description"))
	}
	code := back.Values.Get("code")
	if code == "" {
		return upstream.Answer{}, &upstream.Failure{Reason: upstream.Unfit, Expected: "code or error", Received: strings.Join(names(back.Values), ", ")}
	}
	ctx, dates := witness(p.with(ctx))
	token, err := p.oauth(m, t.AnswerURL).Exchange(ctx, code, oauth2.VerifierOption(t.Secrets[keepVerifier]))
	if err != nil {
		return upstream.Answer{}, p.exchangeFailed(err, m)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return upstream.Answer{}, &upstream.Failure{Reason: upstream.Unfit, Expected: "an id_token", Received: "none"}
	}
	c, err := p.verify(ctx, m, raw, t, dates)
	if err != nil {
		return upstream.Answer{}, err
	}
	if p.OIDC.UserInfo {
		if err := p.ask(ctx, m, token, c); err != nil {
			return upstream.Answer{}, err
		}
	}
	a := p.answer(c)
	a.LogoutHint = raw
	return a, nil
}

// from checks who answers (RFC 9207): an answer of another provider than the one
// that was asked must not be redeemed at this one.
func (p *Provider) from(values url.Values, m *metadata) error {
	said := values.Get("iss")
	if said == "" && !m.SaysIssuer {
		return nil
	}
	if said == m.Issuer || m.shared() && m.issuerOf(tenantIn(said, m.Issuer)) == said {
		return nil
	}
	return &upstream.Failure{Reason: upstream.Unfit, Expected: "iss " + m.Issuer, Received: "iss " + said}
}

// with makes the library use our client.
func (p *Provider) with(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// exchangeFailed reads why a code was not redeemed.
func (p *Provider) exchangeFailed(err error, m *metadata) error {
	var answered *oauth2.RetrieveError
	if !errors.As(err, &answered) {
		return p.silent(err)
	}
	if answered.ErrorCode == "" { // no OAuth error: a proxy's page, or a server that is broken
		f := &upstream.Failure{Reason: upstream.Faulty, Expected: "a token of " + m.provider.Endpoint().TokenURL, Received: answered.Response.Status, Cause: err}
		if answered.Response.StatusCode == http.StatusOK {
			f.Received = "an answer without token"
		}
		return f
	}
	f := refusal(answered.ErrorCode, answered.ErrorDescription)
	f.Cause = err
	return f
}

// claims is what an ID token or userinfo says, and when.
type claims struct {
	Issuer   string  `json:"iss"`
	Subject  string  `json:"sub"`
	AuthTime number  `json:"auth_time"`
	ACR      string  `json:"acr"`
	AMR      list    `json:"amr"`
	Nonce    string  `json:"nonce"`
	Party    string  `json:"azp"`
	Tenant   string  `json:"tid"`
	Object   string  `json:"oid"`
	Session  string  `json:"sid"`
	Before   number  `json:"nbf"`
	Verified boolean `json:"email_verified"`
	Edov     boolean `json:"xms_edov"` // Entra: the owner of the domain verified the address
	issued   time.Time
	ahead    time.Duration
	all      map[string]any
}

// answer is what the claims say about somebody.
func (p *Provider) answer(c *claims) upstream.Answer {
	a := upstream.Answer{
		Issuer: c.Issuer, Subject: c.Subject, Attributes: map[string][]string{}, Methods: c.AMR, Ahead: c.ahead, Timed: true,
		SubjectThere: c.Subject, SessionThere: c.Session,
	}
	if c.Tenant != "" && c.Object != "" { // Entra: sub differs for each application, oid is the person's
		a.Subject = c.Object
	}
	if c.ACR != "" {
		a.Contexts = []string{c.ACR}
	}
	if c.AuthTime != 0 {
		a.AuthnInstant = time.Unix(int64(c.AuthTime), 0).UTC()
	}
	flatten(a.Attributes, "", c.all)
	if !p.OIDC.TrustMail && !bool(c.Verified) && !bool(c.Edov) { // an address that anybody could have typed there matches nobody here
		if address := a.Attributes["email"]; address != nil {
			a.Attributes["email_unverified"] = address
			delete(a.Attributes, "email")
		}
	}
	return a
}

// ask adds what the userinfo endpoint says (Core §5.3).
func (p *Provider) ask(ctx context.Context, m *metadata, token *oauth2.Token, c *claims) error {
	info, err := m.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return &upstream.Failure{Reason: upstream.Faulty, Expected: "an answer of " + m.provider.UserInfoEndpoint(), Received: "none", Cause: err}
	}
	if info.Subject != c.Subject { // another person's answer (Core §5.3.2)
		return &upstream.Failure{Reason: upstream.Unfit, Expected: "sub " + c.Subject, Received: "sub " + info.Subject}
	}
	var more map[string]any
	if err := info.Claims(&more); err != nil {
		return &upstream.Failure{Reason: upstream.Faulty, Expected: "claims", Received: "no JSON object", Cause: err}
	}
	for name, value := range more {
		if _, signed := c.all[name]; !signed {
			c.all[name] = value
		}
	}
	if info.EmailVerified && c.all["email"] == info.Email { // it says so of its own address, not of the token's
		c.Verified = true
	}
	return nil
}

// SignOutURL implements [upstream.Protocol] (RP-Initiated Logout 1.0).
func (p *Provider) SignOutURL(ctx context.Context, hint string) string {
	ctx, cancel := context.WithTimeout(ctx, p.TimeoutOr5s())
	defer cancel()
	m, err := p.metadata(ctx)
	if err != nil || m.EndSession == "" {
		return ""
	}
	u, err := url.Parse(m.EndSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.OIDC.ClientID)
	if hint != "" {
		q.Set("id_token_hint", hint)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Probe implements [upstream.Protocol].
func (p *Provider) Probe(ctx context.Context) []upstream.Step {
	m, err := p.fetch(ctx)
	step := upstream.Step{Name: "discovery", OK: err == nil, Detail: p.OIDC.Issuer + wellKnown}
	if err != nil {
		step.Detail += ": " + err.Error()
		return []upstream.Step{step}
	}
	p.learn(m)
	steps := []upstream.Step{step}
	if ends := m.certificate; !ends.IsZero() {
		steps = append(steps, upstream.Step{Name: "tls", OK: true, Detail: m.Issuer, Ends: ends})
	}
	keys, err := p.keys(ctx, m)
	step = upstream.Step{Name: "keys", OK: err == nil, Detail: m.JWKS + ": " + strings.Join(keys, ", ")}
	if err != nil {
		step.Detail = m.JWKS + ": " + err.Error()
	}
	return append(steps, step)
}

// keys are the identifiers of the keys that the provider signs with.
func (p *Provider) keys(ctx context.Context, m *metadata) (ids []string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, m.JWKS, nil)
	if err != nil {
		return nil, fmt.Errorf("read the address of the keys: %w", err)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var set struct {
		Keys []struct {
			ID        string `json:"kid"`
			Kind      string `json:"kty"`
			Algorithm string `json:"alg"`
		} `json:"keys"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	for _, k := range set.Keys {
		ids = append(ids, strings.TrimSpace(k.ID+" "+k.Kind+" "+k.Algorithm))
	}
	if len(ids) == 0 {
		return nil, errors.New("there is none")
	}
	return ids, nil
}

// names are the parameters that came.
func names(values url.Values) []string {
	var list []string
	for name := range values {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// missing is the failure of a claim that is not there.
func missing(name string) *upstream.Failure {
	return &upstream.Failure{Reason: upstream.AttributeMissing, Args: fault.Args{"attribute": name}, Expected: name, Received: "none"}
}
