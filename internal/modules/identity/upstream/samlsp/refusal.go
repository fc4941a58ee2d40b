package samlsp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// statuses are the second-level codes of an answer that is a refusal (saml-core,
// 3.2.2.2).
var statuses = map[string]*fault.Reason{
	saml.StatusAuthnFailed:         upstream.Refused,
	saml.StatusUnknownPrincipal:    upstream.Refused,
	saml.StatusNoAuthnContext:      upstream.FactorWanted,
	saml.StatusNoPassive:           upstream.Stale,
	saml.StatusRequestDenied:       upstream.Declined,
	saml.StatusInvalidNameIDPolicy: upstream.Misconfigured,
	saml.StatusInvalidAttribute:    upstream.Misconfigured,
	saml.StatusRequestUnsupported:  upstream.Misconfigured,
	saml.StatusUnsupportedBinding:  upstream.Misconfigured,
	saml.StatusNoAvailableIDP:      upstream.Misconfigured,
	saml.StatusNoSupportedIDP:      upstream.Misconfigured,
	saml.StatusProxyCountExceeded:  upstream.Misconfigured,
}

// refusal reads why the upstream did not sign somebody in. Microsoft's providers
// say it in words.
func refusal(s saml.Status) *upstream.Failure {
	f := &upstream.Failure{Reason: statuses[s.Second], Code: lastPart(s.Second), Text: s.Message}
	switch {
	case f.Reason != nil:
	case s.Code == saml.StatusRequester || s.Code == saml.StatusVersionMismatch:
		f.Reason, f.Code = upstream.Misconfigured, lastPart(s.Code)
	default:
		f.Reason, f.Code = upstream.Faulty, lastPart(s.Code)
	}
	// ADFS has one answer to every class that it does not know: Responder, without
	// more. One more try without the demand tells.
	f.Plain = f.Reason == upstream.FactorWanted || f.Reason == upstream.Faulty
	if code, reason, plain := upstream.Microsoft(s.Message); code != "" {
		f.Code, f.Plain = code, plain
		if reason != nil {
			f.Reason = reason
		}
	}
	if f.Reason == upstream.Loop {
		f.Args = fault.Args{"times": 3}
	}
	return f
}

// lastPart is what stands behind the last colon of a URN.
func lastPart(urn string) string { return urn[strings.LastIndex(urn, ":")+1:] }

// failure tells why an answer is not taken. entity is nil when the answer could
// not be read; made is when it says that it was.
func (p *Provider) failure(err error, entity *saml.Entity, made time.Time, t upstream.Transaction) error {
	f := &upstream.Failure{Reason: upstream.Unfit, Cause: err}
	if !made.IsZero() {
		f.Ahead, f.Timed = made.Sub(p.clock.Now()), true
	}
	var (
		told      *upstream.Failure
		status    *saml.StatusError
		signature *saml.SignatureError
		mismatch  *saml.MismatchError
		late      *saml.TimeError
	)
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &status):
		refused := refusal(status.Status)
		refused.Ahead, refused.Timed, refused.Cause = f.Ahead, f.Timed, err
		return refused
	case errors.As(err, &signature):
		f.Reason, f.Expected = reasonOf(signature), "a signature of "+fingerprints(keysOf(entity))
		if signature.Reason == saml.ErrAlgorithm {
			f.Expected = "an algorithm that is safe"
		}
		f.Received = receivedOf(signature)
	case errors.As(err, &mismatch):
		if mismatch.What == saml.WhatInResponseTo {
			f.Reason = upstream.Stale
		}
		f.Expected, f.Received = string(mismatch.What)+" "+mismatch.Expected, string(mismatch.What)+" "+mismatch.Received
	case errors.As(err, &late):
		p.timed(f, late, made, t)
	case errors.Is(err, saml.ErrDecrypt):
		f.Reason, f.Expected, f.Received = upstream.Misconfigured, "an assertion encrypted for the key of our metadata", "one that our keys do not open"
	default:
		f.Expected, f.Received = "a SAML response", err.Error()
	}
	return f
}

// timed tells two clocks that differ from a person who took their time. The
// answer is to our own request, so it was made after that: when its date is
// earlier, or lies ahead, the clocks differ.
func (p *Provider) timed(f *upstream.Failure, late *saml.TimeError, made time.Time, t upstream.Transaction) {
	f.Expected = "valid at " + stamp(late.Now)
	f.Received = "valid until " + stamp(late.Limit)
	if late.When == saml.NotYet {
		f.Received = "valid from " + stamp(late.Limit)
	}
	skew := p.SkewOr2m()
	if late.When == saml.TooLate && !made.IsZero() && !made.Before(t.StartedAt.Add(-skew)) {
		f.Reason = upstream.Stale // a tab that waited with the answer
		return
	}
	f.Reason, f.Args = upstream.ClockOff, fault.Args{"by": late.Skew.Round(time.Second)}
	if f.Timed {
		f.Args["by"] = f.Ahead.Abs().Round(time.Second)
	}
	p.mu.Lock()
	if p.known != nil && !p.known.witness.IsZero() { // a second opinion on the clock
		f.Text = "Date of the metadata: " + stamp(p.known.witness)
	}
	p.mu.Unlock()
}

// reasonOf tells a key that was rolled over from an answer that is not the
// upstream's at all.
func reasonOf(e *saml.SignatureError) *fault.Reason {
	switch e.Reason {
	case saml.ErrUnknownKey, saml.ErrNoKeys:
		return upstream.KeyUnknown
	case saml.ErrAlgorithm:
		return upstream.Misconfigured
	}
	return upstream.Unfit
}

func receivedOf(e *saml.SignatureError) string {
	switch {
	case e.Reason == saml.ErrAlgorithm:
		return e.Algorithm
	case e.Offered != "":
		return e.Reason.Error() + ": SHA-256 " + e.Offered
	}
	return e.Reason.Error()
}

func keysOf(entity *saml.Entity) []saml.PublicKey {
	if entity == nil {
		return nil
	}
	return entity.IDP.SigningKeys()
}

// fingerprints name certificates as tools print them.
func fingerprints(keys []saml.PublicKey) string {
	var names []string
	for _, k := range keys {
		if k.Certificate != nil {
			names = append(names, "SHA-256 "+saml.Fingerprint(k.Certificate))
		}
	}
	if len(names) == 0 {
		return "a key of the metadata"
	}
	return strings.Join(names, " or ")
}

// missingSubject is the failure of an answer that names nobody for ever.
func missingSubject(wanted string, name *saml.NameID, said map[string][]string) error {
	received := "no NameID"
	if name != nil {
		received = "NameID of format " + lastPart(name.Format)
	}
	names := make([]string, 0, len(said))
	for n := range said {
		names = append(names, n)
	}
	slices.Sort(names)
	return &upstream.Failure{
		Reason: upstream.AttributeMissing, Args: fault.Args{"attribute": "subject"}, Expected: wanted, Received: received + "; " + strings.Join(names, ", "),
	}
}

// outOfScope is the failure of somebody whom the upstream may not speak for.
func outOfScope(attribute string, values []string) error {
	return &upstream.Failure{Reason: upstream.Unfit, Expected: attribute + " within the scopes of its metadata", Received: fmt.Sprintf("%s %s", attribute, strings.Join(values, " "))}
}
