package saml

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAnAnswerThatHoldsIsTaken(t *testing.T) {
	c := rsaPair()
	for name, el := range map[string]*Inbound{
		"with a signed assertion": posted(t, Answer, aResponse().Element(signed(t, anAssertion().Element(), c))),
		"signed as a whole":       posted(t, Answer, signed(t, aResponse().Element(anAssertion().Element()), c)),
		"signed twice":            posted(t, Answer, signed(t, aResponse().Element(signed(t, anAssertion().Element(), c)), c)),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := OpenResponse(el, keysOf(c), Policy{}, Opener{})
			if err != nil {
				t.Fatal(err)
			}
			if err := anExpectation().Check(p); err != nil {
				t.Error(err)
			}
			if p.Proof == nil || p.Signed == (name == "with a signed assertion") {
				t.Errorf("proof %v, signed %v", p.Proof, p.Signed)
			}
		})
	}
}

func TestAnAnswerIsRefusedWithBothValues(t *testing.T) {
	type change func(*Response, *Expect)
	assert := func(f func(*Assertion)) change { return func(p *Response, _ *Expect) { f(p.Assertion) } }
	for _, c := range []struct {
		name               string
		change             change
		what               What
		expected, received string
	}{
		{"another issuer", assert(func(a *Assertion) { a.Issuer = "https://evil" }), WhatIssuer, ourIDP, "https://evil"},
		{"another issuer around it", func(p *Response, _ *Expect) { p.Issuer = "https://evil" }, WhatIssuer, ourIDP, "https://evil"},
		{"another audience", assert(func(a *Assertion) { a.Conditions.Audiences = [][]string{{"https://a", "https://b"}} }), WhatAudience, ourSP, "https://a https://b"},
		{"no audience", assert(func(a *Assertion) { a.Conditions.Audiences = nil }), WhatAudience, ourSP, ""},
		{"one of two audiences", assert(func(a *Assertion) { a.Conditions.Audiences = [][]string{{ourSP}, {"https://a"}} }), WhatAudience, ourSP, "https://a"},
		{"another recipient", assert(func(a *Assertion) { a.Subject.Confirmations[0].Recipient = "https://other/acs" }), WhatRecipient, ourACS, "https://other/acs"},
		{"another destination", func(p *Response, _ *Expect) { p.Destination = "https://other/acs" }, WhatDestination, ourACS, "https://other/acs"},
		{"a signed answer without a destination", func(p *Response, _ *Expect) { p.Destination, p.Signed = "", true }, WhatDestination, ourACS, ""},
		{"the answer to another request", func(p *Response, _ *Expect) { p.InResponseTo = "_other" }, WhatInResponseTo, "_request", "_other"},
		{"an assertion for another request", assert(func(a *Assertion) { a.Subject.Confirmations[0].InResponseTo = "_other" }), WhatInResponseTo, "_request", "_other"},
		{"an unasked answer", func(p *Response, _ *Expect) { p.InResponseTo = "" }, WhatInResponseTo, "_request", ""},
		{"an asked one where none was", func(_ *Response, x *Expect) { x.InResponseTo = "" }, WhatInResponseTo, "", "_request"},
		{"a confirmation by a key", assert(func(a *Assertion) { a.Subject.Confirmations[0].Method = HolderOfKey }), WhatConfirmation, Bearer, HolderOfKey},
		{"no confirmation", assert(func(a *Assertion) { a.Subject.Confirmations = nil }), WhatConfirmation, Bearer, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, x := aResponse(), anExpectation()
			p.Assertion = anAssertion()
			c.change(p, &x)
			var refused *MismatchError
			if err := x.Check(p); !errors.As(err, &refused) || *refused != (MismatchError{c.what, c.expected, c.received}) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestAnAnswerIsRefusedForItsTimeAndTheSkewIsMeasured(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Assertion, *Expect)
		when   When
		skew   time.Duration
	}{
		{"our clock is late by four minutes", func(_ *Assertion, x *Expect) { x.Now = noon.Add(-5 * time.Minute) }, NotYet, 4 * time.Minute},
		{"our clock is early by three", func(_ *Assertion, x *Expect) { x.Now = noon.Add(8 * time.Minute) }, TooLate, 3 * time.Minute},
		{"at the very end of the tolerance", func(_ *Assertion, x *Expect) { x.Now = noon.Add(7 * time.Minute) }, TooLate, 2 * time.Minute},
		{"the confirmation ended first", func(a *Assertion, _ *Expect) {
			a.Subject.Confirmations[0].NotOnOrAfter = noon.Add(-3 * time.Minute)
		}, TooLate, 3 * time.Minute},
		{"a bearer's beginning, where it stands all the same", func(a *Assertion, _ *Expect) {
			a.Subject.Confirmations[0].NotBefore = noon.Add(3 * time.Minute)
		}, NotYet, 3 * time.Minute},
		{"a sign-in in the future", func(a *Assertion, _ *Expect) { a.Statements[0].Instant = noon.Add(3 * time.Minute) }, NotYet, 3 * time.Minute},
		{"a session that ended", func(a *Assertion, _ *Expect) { a.Statements[0].SessionNotOnOrAfter = noon.Add(-3 * time.Minute) }, TooLate, 3 * time.Minute},
		{"a sign-in of last week, asked for again", func(a *Assertion, x *Expect) {
			a.Statements[0].Instant, x.MaxAge = noon.Add(-time.Hour), 10*time.Minute
		}, TooLate, 50 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, x := aResponse(), anExpectation()
			p.Assertion = anAssertion()
			c.change(p.Assertion, &x)
			var refused *TimeError
			if err := x.Check(p); !errors.As(err, &refused) || refused.When != c.when || refused.Skew != c.skew {
				t.Fatalf("got %v", err)
			}
		})
	}
	p, x := aResponse(), anExpectation()
	p.Assertion = anAssertion()
	x.Now = noon.Add(-2 * time.Minute)
	if err := x.Check(p); err != nil {
		t.Errorf("a minute apart is within the tolerance: %v", err)
	}
	p.Assertion.Statements = nil
	if err := x.Check(p); !errors.Is(err, ErrMissing) {
		t.Errorf("without a sign-in: %v", err)
	}
	p.Assertion = anAssertion()
	p.Assertion.Subject.Confirmations[0].NotOnOrAfter = time.Time{}
	if err := x.Check(p); !errors.Is(err, ErrMissing) {
		t.Errorf("a confirmation without an end: %v", err)
	}
}

// shelf is a replay store of a map.
type shelf map[string]time.Time

func (s shelf) Take(_ context.Context, key string, until time.Time) (bool, error) {
	_, there := s[key]
	s[key] = until
	return !there, nil
}

func TestAnAssertionIsTakenOnce(t *testing.T) {
	seen, x, a := shelf{}, anExpectation(), anAssertion()
	a.Subject.Confirmations[0].NotOnOrAfter = noon.Add(time.Hour)
	if err := x.TakeOnce(t.Context(), seen, a); err != nil {
		t.Fatal(err)
	}
	if err := x.TakeOnce(t.Context(), seen, a); !errors.Is(err, ErrReplayed) {
		t.Errorf("the second time: %v", err)
	}
	other := anAssertion()
	other.Issuer = "https://other"
	if err := x.TakeOnce(t.Context(), seen, other); err != nil {
		t.Errorf("the same number from somebody else: %v", err)
	}
	if until := seen[ourIDP+"\n_assertion"]; !until.Equal(noon.Add(time.Hour + DefaultSkew)) {
		t.Errorf("kept until %s, and it could be taken until later", until)
	}
}

func TestARefusalOfTheOtherSideIsToldAsOne(t *testing.T) {
	p := aResponse()
	p.Status = Status{Code: StatusResponder, Second: StatusNoAuthnContext, Message: "AADSTS75011"}
	_, err := OpenResponse(posted(t, Answer, p.Element(nil)), keysOf(rsaPair()), Policy{}, Opener{})
	var refused *StatusError
	if !errors.As(err, &refused) || refused.Status != p.Status {
		t.Fatalf("got %v", err)
	}
}

func TestAnAnswerIsRefusedWhole(t *testing.T) {
	c := rsaPair()
	twice := signed(t, aResponse().Element(signed(t, anAssertion().Element(), otherPair())), c)
	for name, each := range map[string]struct {
		m    *Inbound
		want error
	}{
		"when nothing is signed":                        {posted(t, Answer, aResponse().Element(anAssertion().Element())), ErrUnsigned},
		"when it holds no assertion":                    {posted(t, Answer, signed(t, aResponse().Element(nil), c)), ErrMissing},
		"when the inner of two signatures is another's": {posted(t, Answer, twice), ErrUnknownKey},
		"when it is a sign-out":                         {posted(t, Answer, signed(t, (&LogoutResponse{ID: "_l", Issuer: ourIDP, IssueInstant: noon, Status: Success()}).Element(), c)), ErrUnexpected},
		"when it comes in an address":                   {&Inbound{Binding: Redirect, root: aResponse().Element(nil)}, ErrUnexpected},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := OpenResponse(each.m, keysOf(c), Policy{}, Opener{}); !errors.Is(err, each.want) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestARequestTooOldOrFromTheFutureIsRefused(t *testing.T) {
	if err := CheckIssued(noon.Add(-4*time.Minute), noon, 5*time.Minute, DefaultSkew); err != nil {
		t.Error(err)
	}
	for _, at := range []time.Time{{}, noon.Add(-time.Hour), noon.Add(3 * time.Minute)} {
		if err := CheckIssued(at, noon, 5*time.Minute, DefaultSkew); err == nil {
			t.Errorf("%s is taken", at)
		}
	}
}
