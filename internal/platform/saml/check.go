package saml

import (
	"context"
	"slices"
	"strings"
	"time"
)

// DefaultSkew is how far two clocks may be apart without anybody being told.
const DefaultSkew = 2 * time.Minute

// CheckWindow refuses what is not valid yet, or no more, at that time. A zero
// limit is no limit. skew widens the window on both sides; the [TimeError] tells
// how far past the limit the time is, tolerance left out, because that is what
// the clocks differ by.
func CheckWindow(notBefore, notOnOrAfter, now time.Time, skew time.Duration) error {
	if !notBefore.IsZero() && now.Add(skew).Before(notBefore) {
		return &TimeError{When: NotYet, Limit: notBefore, Now: now, Skew: notBefore.Sub(now)}
	}
	if !notOnOrAfter.IsZero() && !now.Add(-skew).Before(notOnOrAfter) {
		return &TimeError{When: TooLate, Limit: notOnOrAfter, Now: now, Skew: now.Sub(notOnOrAfter)}
	}
	return nil
}

// CheckIssued refuses a message that was made in the future or longer ago than
// lifetime. Core sets no lifetime for requests; five minutes are usual.
func CheckIssued(issued, now time.Time, lifetime, skew time.Duration) error {
	if issued.IsZero() {
		return &XMLError{Reason: ErrMissing, Where: "IssueInstant"}
	}
	return CheckWindow(issued, issued.Add(lifetime), now, skew)
}

// CheckDestination compares the address that a message says it was sent to with
// the one where it arrived. A signed message must name it (bindings, 3.4.5.2 and
// 3.5.5.2); another one may leave it out.
func CheckDestination(received, expected string, signed bool) error {
	if received == expected || received == "" && !signed {
		return nil
	}
	return &MismatchError{What: WhatDestination, Expected: expected, Received: received}
}

// CheckAudience wants every restriction to name us (core, 2.5.1.4). An assertion
// without any is refused: profiles, 4.1.4.2 requires one, and without it a
// service could pass on what was meant for itself.
func CheckAudience(restrictions [][]string, us string) error {
	if len(restrictions) == 0 {
		return &MismatchError{What: WhatAudience, Expected: us}
	}
	for _, audiences := range restrictions {
		if !slices.Contains(audiences, us) {
			return &MismatchError{What: WhatAudience, Expected: us, Received: strings.Join(audiences, " ")}
		}
	}
	return nil
}

// Replays remembers what was taken already. It answers false when the key was
// there before, and keeps it at least until then.
type Replays interface {
	Take(ctx context.Context, key string, until time.Time) (first bool, err error)
}

// Expect is what our service provider waits for when an answer arrives.
type Expect struct {
	Issuer      string // the identity provider that we asked
	Audience    string // our entity identifier
	Destination string // the address where the answer arrived
	// InResponseTo is the identifier of our request; "" expects an unasked answer.
	InResponseTo string
	Now          time.Time
	Skew         time.Duration
	// MaxAge refuses a sign-in at the other side that is older; 0 takes any. A
	// tolerance of Skew is added.
	MaxAge time.Duration
}

// Check compares an opened answer with what is expected (profiles, 4.1.4.3) and
// returns the first difference: a [MismatchError] or a [TimeError]. It does not
// look for replays: see [Expect.TakeOnce].
func (x Expect) Check(p *Response) error {
	a := p.Assertion
	if p.Issuer != "" && p.Issuer != x.Issuer {
		return &MismatchError{What: WhatIssuer, Expected: x.Issuer, Received: p.Issuer}
	}
	if a.Issuer != x.Issuer {
		return &MismatchError{What: WhatIssuer, Expected: x.Issuer, Received: a.Issuer}
	}
	if err := CheckDestination(p.Destination, x.Destination, p.Signed); err != nil {
		return err
	}
	if p.InResponseTo != x.InResponseTo {
		return &MismatchError{What: WhatInResponseTo, Expected: x.InResponseTo, Received: p.InResponseTo}
	}
	if err := x.confirm(a.Subject.Confirmations); err != nil {
		return err
	}
	if err := CheckWindow(a.Conditions.NotBefore, a.Conditions.NotOnOrAfter, x.Now, x.Skew); err != nil {
		return err
	}
	if err := CheckAudience(a.Conditions.Audiences, x.Audience); err != nil {
		return err
	}
	return x.checkStatements(a.Statements)
}

// confirm wants one bearer confirmation that holds (profiles, 4.1.4.2): for this
// address, for our request, with an end and no beginning. The first reason is
// told when none does.
func (x Expect) confirm(confirmations []Confirmation) error {
	var first error
	for _, c := range confirmations {
		err := x.confirmOne(c)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = &MismatchError{What: WhatConfirmation, Expected: Bearer}
	}
	return first
}

func (x Expect) confirmOne(c Confirmation) error {
	switch {
	case c.Method != Bearer:
		return &MismatchError{What: WhatConfirmation, Expected: Bearer, Received: c.Method}
	case c.Recipient != x.Destination:
		return &MismatchError{What: WhatRecipient, Expected: x.Destination, Received: c.Recipient}
	case c.InResponseTo != x.InResponseTo:
		return &MismatchError{What: WhatInResponseTo, Expected: x.InResponseTo, Received: c.InResponseTo}
	case c.NotOnOrAfter.IsZero():
		return &XMLError{Reason: ErrMissing, Where: "SubjectConfirmationData/@NotOnOrAfter"}
	}
	// A beginning is forbidden to bearers, yet some send one: it is honoured.
	return CheckWindow(c.NotBefore, c.NotOnOrAfter, x.Now, x.Skew)
}

// checkStatements wants a sign-in (profiles, 4.1.4.2), not in the future and not
// older than MaxAge, in a session that has not ended there.
func (x Expect) checkStatements(statements []AuthnStatement) error {
	if len(statements) == 0 {
		return &XMLError{Reason: ErrMissing, Where: "AuthnStatement"}
	}
	for _, s := range statements {
		end := s.SessionNotOnOrAfter
		if err := CheckWindow(s.Instant, end, x.Now, x.Skew); err != nil {
			return err
		}
		if x.MaxAge > 0 {
			if err := CheckWindow(time.Time{}, s.Instant.Add(x.MaxAge), x.Now, x.Skew); err != nil {
				return err
			}
		}
	}
	return nil
}

// TakeOnce remembers the assertion until no check would take it any more, and
// gives ErrReplayed when it was there (profiles, 4.1.4.5).
func (x Expect) TakeOnce(ctx context.Context, seen Replays, a *Assertion) error {
	until := a.Conditions.NotOnOrAfter
	for _, c := range a.Subject.Confirmations {
		if c.NotOnOrAfter.After(until) {
			until = c.NotOnOrAfter
		}
	}
	first, err := seen.Take(ctx, a.Issuer+"\n"+a.ID, until.Add(x.Skew))
	if err != nil {
		return err
	}
	if !first {
		return ErrReplayed
	}
	return nil
}
