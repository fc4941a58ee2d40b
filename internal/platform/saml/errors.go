package saml

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Why a document is refused before anything in it is believed. They arrive
// inside an [XMLError] or a [BindingError]; ask with errors.Is.
var (
	ErrTooLarge    = errors.New("larger than the limit")
	ErrMalformed   = errors.New("not well-formed")
	ErrDTD         = errors.New("a document type or an entity declaration")
	ErrComment     = errors.New("a comment inside text")
	ErrDuplicateID = errors.New("an identifier used twice")
	ErrTooComplex  = errors.New("too deep, or too many elements")
	ErrUnstable    = errors.New("reads differently when written again")
	ErrUnexpected  = errors.New("not what is expected here")
	ErrEncoding    = errors.New("an encoding that cannot be undone")
	ErrMissing     = errors.New("something required is missing")
)

// Why a signature is refused. They arrive inside a [SignatureError].
var (
	ErrUnsigned   = errors.New("no signature")
	ErrWrapped    = errors.New("a signature that does not cover what it stands in")
	ErrAlgorithm  = errors.New("an algorithm that is not allowed")
	ErrUnknownKey = errors.New("no known key made this signature")
	ErrAltered    = errors.New("the signed content was altered")
	ErrNoKeys     = errors.New("no key is known for the sender")
)

// ErrDecrypt: an encrypted element could not be opened. It never says which
// step failed, because that would help whoever probes us with ciphertexts.
var ErrDecrypt = errors.New("saml: cannot decrypt")

// ErrReplayed: an assertion or a message that was taken once already.
var ErrReplayed = errors.New("saml: taken once already")

// ErrCertificateExpired: the key was right, the certificate around it is past
// its end or before its beginning. SAML trusts keys, so this is a warning.
var ErrCertificateExpired = errors.New("saml: certificate outside its validity")

// XMLError is a document that was refused as XML, or an element that does not
// hold what the standard says.
type XMLError struct {
	Reason error  // ErrDTD, ErrComment, ErrMissing…
	Where  string // the element or attribute, "" when it is the whole
	Cause  error  // the parser's own words; may be nil
}

func (e *XMLError) Error() string {
	s := "saml: " + e.Reason.Error()
	if e.Where != "" {
		s += " at " + e.Where
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the reason and the cause to errors.Is and errors.As.
func (e *XMLError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}

// BindingError is a request whose parameters carry no readable message.
type BindingError struct {
	Binding Binding
	Reason  error // ErrTooLarge, ErrEncoding, ErrMissing, ErrUnexpected
	Where   string
}

func (e *BindingError) Error() string {
	return fmt.Sprintf("saml: %s at %s (%s)", e.Reason, e.Where, e.Binding)
}

// Unwrap gives the reason to errors.Is.
func (e *BindingError) Unwrap() error { return e.Reason }

// SignatureError is a signature that was refused.
type SignatureError struct {
	Reason    error
	Algorithm string // the identifier that the sender named, when that is the matter
	Detail    string // for the log
	// Offered is the fingerprint (SHA-256, hexadecimal) of the certificate that
	// came along with the signature, "" without one. It proves nothing; it tells
	// a technical contact which key the other side signs with now.
	Offered string
	// Known are the fingerprints of the keys that were tried.
	Known []string
}

func (e *SignatureError) Error() string {
	s := "saml: signature: " + e.Reason.Error()
	if e.Algorithm != "" {
		s += ": " + e.Algorithm
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Offered != "" {
		s += ", offered " + e.Offered
	}
	return s
}

// Unwrap gives the reason to errors.Is.
func (e *SignatureError) Unwrap() error { return e.Reason }

// ExpiredError says when the certificate of a key that did sign was valid.
type ExpiredError struct {
	Certificate *x509.Certificate
	Now         time.Time
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("%s: valid from %s to %s", ErrCertificateExpired, FormatTime(e.Certificate.NotBefore), FormatTime(e.Certificate.NotAfter))
}

// Unwrap gives ErrCertificateExpired to errors.Is.
func (e *ExpiredError) Unwrap() error { return ErrCertificateExpired }

// What names the value that a [MismatchError] is about.
type What string

// The values that are compared with what was expected.
const (
	WhatIssuer       What = "issuer"
	WhatAudience     What = "audience"
	WhatRecipient    What = "recipient"
	WhatDestination  What = "destination"
	WhatInResponseTo What = "in_response_to"
	WhatConfirmation What = "subject_confirmation"
	WhatContext      What = "authn_context"
	WhatVersion      What = "version"
	WhatACS          What = "acs"
)

// MismatchError is a value that differs from the one that should be there. Both
// sides are kept, for the person who configures the one or the other.
type MismatchError struct {
	What     What
	Expected string
	Received string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("saml: %s: expected %q, received %q", e.What, e.Expected, e.Received)
}

// When names the clock reading that a [TimeError] is about.
type When string

// The two ways to be outside of a period.
const (
	NotYet  When = "not_yet" // the sender's clock is ahead of ours, or ours is behind
	TooLate When = "too_late"
)

// TimeError is a message or an assertion outside of its validity.
type TimeError struct {
	When  When
	Limit time.Time     // the NotBefore or NotOnOrAfter that was met
	Now   time.Time     // our clock
	Skew  time.Duration // how far past the limit, without the tolerance; positive
}

func (e *TimeError) Error() string {
	return fmt.Sprintf("saml: %s: limit %s, now %s, %s apart", e.When, FormatTime(e.Limit), FormatTime(e.Now), e.Skew)
}

// StatusError is an answer that says that the other side refused.
type StatusError struct{ Status Status }

func (e *StatusError) Error() string {
	return fmt.Sprintf("saml: status %s %s %q", e.Status.Code, e.Status.Second, e.Status.Message)
}

// Fingerprint is the SHA-256 of a certificate in hexadecimal, as tools print it
// without colons.
func Fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return hex.EncodeToString(sum[:])
}
