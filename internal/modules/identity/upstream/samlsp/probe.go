package samlsp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Probe implements [upstream.Protocol].
func (p *Provider) Probe(ctx context.Context) []upstream.Step {
	p.mu.Lock()
	before := p.known
	p.mu.Unlock()
	known, err := p.renew(ctx, before, false)
	step := upstream.Step{Name: "metadata", OK: err == nil, Detail: p.source()}
	if err != nil {
		step.Detail += ": " + causeOf(err)
		return []upstream.Step{step}
	}
	step.Detail += ": " + summary(known)
	step.Ends = known.until
	steps := []upstream.Step{step}
	if len(known.entities) == 1 {
		steps = append(steps, keySteps(known.entities[known.names()[0]], p.clock.Now())...)
	}
	keys, err := p.ring.all(ctx)
	if err != nil {
		return append(steps, upstream.Step{Name: "keys", Detail: "ours: " + err.Error()})
	}
	by := signing(keys, p.clock.Now())
	return append(steps, upstream.Step{Name: "keys", OK: true, Detail: "ours: SHA-256 " + saml.Fingerprint(by.Certificate), Ends: by.Certificate.NotAfter})
}

// causeOf is the cause of a failure, which knows more than its reason.
func causeOf(err error) string {
	var f *upstream.Failure
	if errors.As(err, &f) && f.Cause != nil {
		return f.Cause.Error()
	}
	return err.Error()
}

func summary(d *directory) string {
	names := d.names()
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d identity providers", len(names))
}

// keySteps are the keys that the identity provider signs with. SAML trusts keys
// and not certificates: one that has ended still signs, and is spoken of, because
// whoever runs the provider will soon change it.
func keySteps(e *saml.Entity, now time.Time) []upstream.Step {
	keys := e.IDP.SigningKeys()
	if len(keys) == 0 {
		return []upstream.Step{{Name: "keys", Detail: "no signing key in the metadata of " + e.ID}}
	}
	var steps []upstream.Step
	for _, k := range keys {
		if k.Certificate == nil {
			steps = append(steps, upstream.Step{Name: "keys", OK: true, Detail: "a key without certificate"})
			continue
		}
		step := upstream.Step{Name: "keys", OK: true, Detail: "SHA-256 " + saml.Fingerprint(k.Certificate), Ends: k.Certificate.NotAfter}
		if now.Before(k.Certificate.NotBefore) {
			step.Detail += ", from " + stamp(k.Certificate.NotBefore)
		}
		steps = append(steps, step)
	}
	return steps
}
