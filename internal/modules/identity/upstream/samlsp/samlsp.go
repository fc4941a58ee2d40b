// Package samlsp is a SAML 2.0 service provider: ADFS, Shibboleth, Entra and the
// members of a federation sign people in for us. It asks with a signed request,
// takes answers by POST, checks every value that the web browser profile names
// (saml-profiles, 4.1), and keeps both sides of each that differs.
package samlsp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Deps is what a provider asks of the house.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Keys  *crypt.Keyring
}

// Provider is one SAML upstream: an identity provider, or a federation of them.
// It is safe for concurrent use.
type Provider struct {
	upstream.Config
	clock  clock.Clock
	client *http.Client
	ring   *ring
	// federation are the keys that sign the metadata; none when it comes from the
	// identity provider itself.
	federation []saml.PublicKey

	renewing  sync.Mutex // held while the metadata are fetched
	mu        sync.Mutex
	known     *directory
	downSince time.Time // zero while the metadata can be fetched
	retryAt   time.Time
}

var (
	_ upstream.Protocol  = (*Provider)(nil)
	_ upstream.Describer = (*Provider)(nil)
	_ upstream.Leaver    = (*Provider)(nil)
)

// New makes the provider of a configuration. The metadata are fetched when they
// are first needed; New fails when a file that the configuration names cannot be
// read.
func New(c upstream.Config, d Deps) (*Provider, error) {
	client, err := newClient(c)
	if err != nil {
		return nil, err
	}
	federation, err := certificates(c.SAML.MetadataCertificate)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		Config: c, clock: d.Clock, client: client, federation: federation,
		ring: &ring{upstream: c.ID, db: d.DB, seal: d.Keys, clock: d.Clock},
	}
	if c.SAML.MetadataFile != "" {
		known, err := p.fetch(context.Background())
		if err != nil {
			return nil, err
		}
		p.known = known
	}
	return p, nil
}

// The names of what a transaction keeps.
const (
	keepRequest  = "request" // identifier of the request that was sent
	keepProvider = upstream.KeptProvider
)

// Start implements [upstream.Protocol]. Of several identity providers, a
// discovery service lets the person choose one (saml-idp-discovery, 2.4); it
// sends them back to the start of the journey.
func (p *Provider) Start(ctx context.Context, t *upstream.Transaction) (upstream.Departure, error) {
	known, err := p.metadata(ctx)
	if err != nil {
		return upstream.Departure{}, err
	}
	entity, err := p.choose(known, t.Provider)
	if err != nil {
		return upstream.Departure{}, err
	}
	if entity == nil {
		return upstream.Departure{URL: p.discovery(t), Aside: true}, nil
	}
	to, ok := saml.Choose(entity.IDP.SSO, saml.Redirect, saml.POST)
	if !ok {
		return upstream.Departure{}, &upstream.Failure{
			Reason: upstream.Misconfigured, Expected: "a SingleSignOnService by redirect or POST in the metadata of " + entity.ID, Received: "none",
		}
	}
	key, err := p.ring.signs(ctx)
	if err != nil {
		return upstream.Departure{}, err
	}
	q := p.request(t, to)
	t.Secrets[keepRequest], t.Secrets[keepProvider] = q.ID, entity.ID
	return depart(to, q, t, key)
}

// request is what the identity provider is asked (saml-profiles, 4.1.4.1).
func (p *Provider) request(t *upstream.Transaction, to saml.Endpoint) *saml.AuthnRequest {
	q := &saml.AuthnRequest{
		ID: saml.NewID(), IssueInstant: p.clock.Now(), Issuer: entityID(p.SAML, t.AnswerURL), Destination: to.Location,
		ACSURL: t.AnswerURL, ProtocolBinding: saml.POST,
		// SAML knows no choice among accounts; asking again is the nearest to it.
		ForceAuthn: t.Force || t.Choose,
		// On a first visit a lasting name has to be made (saml-core, 3.4.1.1); which
		// kind is the provider's choice, unless it was agreed.
		NameIDPolicy: &saml.NameIDPolicy{Format: p.SAML.NameIDFormat, AllowCreate: true},
	}
	if !t.Plain && len(p.Factor.Request) > 0 {
		q.Context = &saml.RequestedAuthnContext{Comparison: saml.Exact, Classes: p.Factor.Request}
	}
	return q
}

// depart signs the request for the way it travels.
func depart(to saml.Endpoint, q *saml.AuthnRequest, t *upstream.Transaction, key saml.Credential) (upstream.Departure, error) {
	el := q.Element()
	if to.Binding == saml.POST {
		if err := saml.Sign(el, key); err != nil {
			return upstream.Departure{}, err
		}
		form, err := saml.POSTForm(to.Location, saml.Request, el, t.Token)
		if err != nil {
			return upstream.Departure{}, err
		}
		return upstream.Departure{URL: form.Action, Form: url.Values{string(form.Field): {form.Message}, "RelayState": {form.RelayState}}}, nil
	}
	address, err := saml.RedirectURL(to.Location, saml.Request, el, t.Token, &key)
	if err != nil {
		return upstream.Departure{}, err
	}
	if t.LoginHint != "" && !t.Choose {
		// ADFS and Entra fill in their form with it; others do not look at it. The
		// signature is over the parameters of SAML only.
		address += "&" + url.Values{"login_hint": {t.LoginHint}}.Encode()
	}
	return upstream.Departure{URL: address}, nil
}

// discovery is the address of the discovery service with the way back
// (saml-idp-discovery, 2.4.1).
func (p *Provider) discovery(t *upstream.Transaction) string {
	back := ownAddress(t.AnswerURL, "start")
	if _, asked, ok := strings.Cut(upstream.StartURL(p.ID, t.Next, t.LoginHint, t.Shared, t.Force || t.Choose), "?"); ok {
		back += "?" + asked
	}
	q := url.Values{"entityID": {entityID(p.SAML, t.AnswerURL)}, "return": {back}, "returnIDParam": {upstream.ProviderParam}}
	joint := "?"
	if strings.Contains(p.SAML.DiscoveryURL, "?") {
		joint = "&"
	}
	return p.SAML.DiscoveryURL + joint + q.Encode()
}

// Token implements [upstream.Protocol].
func (p *Provider) Token(back upstream.Return) string { return back.Values.Get("RelayState") }

// ownAddress is one of our addresses beside the one for answers.
func ownAddress(answerURL, last string) string {
	return strings.TrimSuffix(answerURL, "answer") + last
}

// entityID is how we are called at the upstream: the address of our metadata,
// unless it was agreed otherwise.
func entityID(c upstream.SAMLConfig, answerURL string) string {
	if c.OwnEntityID != "" {
		return c.OwnEntityID
	}
	return ownAddress(answerURL, "metadata")
}
