package samlsp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

const (
	// fresh is how long metadata are taken as they are, and stale how long when they
	// cannot be fetched again, unless they say themselves when they end.
	fresh = 6 * time.Hour
	stale = 7 * 24 * time.Hour
	// patience is how long a source that failed is left alone, and again how long a
	// source is not asked a second time for a key that is unknown.
	patience = 15 * time.Second
	again    = time.Minute
	// aggregateTimeout is how long a federation's file may take: it has megabytes.
	aggregateTimeout = 30 * time.Second
)

// directory is what the metadata say: one identity provider, or many.
type directory struct {
	entities map[string]*saml.Entity
	until    time.Time // validUntil of the document; zero when it is not said
	at       time.Time
	witness  time.Time // clock of the server that gave them; zero when unknown
}

// newClient is how metadata are fetched: over TLS, without endless answers.
func newClient(c upstream.Config) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.SAML.CAFile != "" {
		text, err := os.ReadFile(c.SAML.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authority of the metadata: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", c.SAML.CAFile)
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	return &http.Client{Timeout: max(aggregateTimeout, c.TimeoutOr5s()), Transport: transport, CheckRedirect: staysSafe}, nil
}

// maxRedirects is how often a source of metadata may send us on.
const maxRedirects = 3

// staysSafe lets a source send us on, but not out of TLS: unsigned metadata are
// believed for the connection that they come by.
func staysSafe(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("sent on too often")
	}
	if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return fmt.Errorf("sent on to %s, which is not safe", r.URL.Redacted())
	}
	return nil
}

// certificates reads the keys that sign a federation's metadata.
func certificates(path string) ([]saml.PublicKey, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read who signs the metadata: %w", err)
	}
	var keys []saml.PublicKey
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read who signs the metadata in %s: %w", path, err)
		}
		keys = append(keys, saml.KeyFrom(certificate))
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return keys, nil
}

// metadata are those of the upstream, fetched now and then. What was fetched
// before is used as long as it says that it may be.
func (p *Provider) metadata(ctx context.Context) (*directory, error) {
	p.mu.Lock()
	known, now := p.known, p.clock.Now()
	waiting := !p.downSince.IsZero() && now.Before(p.retryAt)
	p.mu.Unlock()
	usable := known != nil && now.Sub(known.at) < stale && !known.over(now)
	switch {
	case usable && (now.Sub(known.at) < fresh || waiting):
		return known, nil
	case waiting:
		return nil, p.silent(known, nil)
	}
	if usable {
		if !p.renewing.TryLock() { // somebody is at it; what we have will do
			return known, nil
		}
	} else {
		p.renewing.Lock()
	}
	defer p.renewing.Unlock()
	return p.renew(ctx, known, usable)
}

// renew fetches the metadata again, unless another request has done so since known.
// known serves when it is still usable and the source is not. The caller holds
// p.renewing: an aggregate of megabytes is not read a hundred times at once.
func (p *Provider) renew(ctx context.Context, known *directory, usable bool) (*directory, error) {
	p.mu.Lock()
	current := p.known
	waiting := !p.downSince.IsZero() && p.clock.Now().Before(p.retryAt)
	p.mu.Unlock()
	switch {
	case current != known:
		return current, nil
	case waiting && usable:
		return known, nil
	case waiting:
		return nil, p.silent(known, nil)
	}
	// Somebody who closes their browser must not make the source seem down.
	got, err := p.fetch(context.WithoutCancel(ctx))
	p.mu.Lock()
	now := p.clock.Now()
	if err == nil {
		p.known, p.downSince = got, time.Time{}
		p.mu.Unlock()
		return got, nil
	}
	if p.downSince.IsZero() {
		p.downSince = now
	}
	p.retryAt = now.Add(patience)
	p.mu.Unlock()
	if usable {
		return known, nil
	}
	var told *upstream.Failure
	if errors.As(err, &told) {
		return nil, err
	}
	return nil, p.silent(known, err)
}

// newer is the metadata fetched after what the caller knows, once in a while: a
// key may have been rolled over since.
func (p *Provider) newer(ctx context.Context, known *directory) (*directory, bool) {
	if p.SAML.MetadataURL == "" || p.clock.Now().Sub(known.at) < again {
		return nil, false
	}
	p.renewing.Lock()
	defer p.renewing.Unlock()
	got, err := p.renew(ctx, known, true)
	return got, err == nil && got != known
}

// over reports whether the metadata say that they may not be used any more.
func (d *directory) over(now time.Time) bool { return !d.until.IsZero() && !now.Before(d.until) }

// silent is the failure of metadata that cannot be had.
func (p *Provider) silent(known *directory, cause error) *upstream.Failure {
	p.mu.Lock()
	since := p.downSince
	p.mu.Unlock()
	now := p.clock.Now()
	if since.IsZero() {
		since = now
	}
	if known != nil && known.over(now) {
		return &upstream.Failure{
			Reason: upstream.CertificateOver, Args: fault.Args{"since": known.until}, Untested: true, Cause: cause,
			Expected: "metadata valid at " + stamp(now), Received: "validUntil " + stamp(known.until),
		}
	}
	return &upstream.Failure{
		Reason: upstream.Unreachable, Untested: true, Args: fault.Args{"since": since}, Cause: cause,
		Expected: "metadata at " + p.source(), Received: "none since " + stamp(since),
	}
}

func (p *Provider) source() string {
	if p.SAML.MetadataFile != "" {
		return p.SAML.MetadataFile
	}
	return p.SAML.MetadataURL
}

// fetch reads the metadata from where they are.
func (p *Provider) fetch(ctx context.Context) (*directory, error) {
	data, witness, err := p.load(ctx)
	if err != nil {
		return nil, err
	}
	now := p.clock.Now()
	d := &directory{entities: map[string]*saml.Entity{}, at: now, witness: witness}
	document, err := saml.ReadMetadata(data, saml.Trust{Keys: p.federation}, func(e *saml.Entity) error {
		if e.IDP != nil && (p.SAML.EntityID == "" || e.ID == p.SAML.EntityID) && !(&directory{until: e.ValidUntil}).over(now) {
			d.entities[e.ID] = e
		}
		return nil
	})
	if err != nil {
		return nil, p.unreadable(err)
	}
	d.until = document.ValidUntil
	switch {
	case d.over(now):
		return nil, p.silent(d, nil)
	case len(d.entities) == 0:
		return nil, &upstream.Failure{Reason: upstream.Misconfigured, Expected: "the identity provider " + p.SAML.EntityID + " at " + p.source(), Received: fmt.Sprintf("%d entities", document.Entities)}
	}
	return d, nil
}

// unreadable tells metadata that somebody else signed from those that are none.
func (p *Provider) unreadable(err error) error {
	var signature *saml.SignatureError
	if errors.As(err, &signature) {
		return &upstream.Failure{
			Reason: upstream.KeyUnknown, Untested: true, Cause: err,
			Expected: "metadata signed by " + fingerprints(p.federation), Received: receivedOf(signature),
		}
	}
	return &upstream.Failure{Reason: upstream.Misconfigured, Untested: true, Expected: "SAML metadata at " + p.source(), Received: err.Error(), Cause: err}
}

func (p *Provider) load(ctx context.Context) (data []byte, witness time.Time, err error) {
	if p.SAML.MetadataFile != "" {
		if data, err = os.ReadFile(p.SAML.MetadataFile); err != nil {
			return nil, witness, fmt.Errorf("read the metadata: %w", err)
		}
		return data, witness, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.SAML.MetadataURL, nil)
	if err != nil {
		return nil, witness, fmt.Errorf("read the address of the metadata: %w", err)
	}
	r.Header.Set("Accept", saml.MetadataType+", application/xml;q=0.9, */*;q=0.1")
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, witness, fmt.Errorf("fetch the metadata: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, witness, fmt.Errorf("fetch the metadata: %s", resp.Status)
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		witness = at
	}
	if data, err = io.ReadAll(io.LimitReader(resp.Body, saml.MaxAggregate+1)); err != nil {
		return nil, witness, fmt.Errorf("fetch the metadata: %w", err)
	}
	return data, witness, nil
}

// choose gives the identity provider to send somebody to; nil when a discovery
// service has to be asked. chosen is what that one answered, and only names that
// the metadata know are taken from it.
func (p *Provider) choose(d *directory, chosen string) (*saml.Entity, error) {
	if chosen != "" {
		if e := d.entities[chosen]; e != nil {
			return e, nil
		}
		return nil, &upstream.Failure{Reason: upstream.Misconfigured, Untested: true, Expected: "an identity provider of " + p.source(), Received: chosen}
	}
	if p.SAML.DiscoveryURL != "" {
		return nil, nil //nolint:nilnil // nobody is chosen yet
	}
	if len(d.entities) != 1 {
		return nil, &upstream.Failure{Reason: upstream.Misconfigured, Untested: true, Expected: "one identity provider, or a discovery_url", Received: fmt.Sprintf("%d identity providers", len(d.entities))}
	}
	for _, e := range d.entities {
		return e, nil
	}
	return nil, nil //nolint:nilnil // not reached: there is one
}

// names are the identity providers, in order.
func (d *directory) names() []string {
	var names []string
	for name := range d.entities {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// stamp is an instant for the technical contact.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
