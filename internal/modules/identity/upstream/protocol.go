package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Protocol is one upstream to which browsers are sent, as its protocol sees it.
// It knows messages and keys; people, pages and the database are the alcove's.
// It is safe for concurrent use.
type Protocol interface {
	// Start prepares a journey: it puts into t.Secrets what the answer will be
	// checked against, and says where to send the browser. The message carries
	// t.Token (state, RelayState). An error is a *[Failure]; the person never left.
	Start(ctx context.Context, t *Transaction) (Departure, error)
	// Token is the token of the transaction that came back with a browser, "" when
	// the message carries none. It checks nothing.
	Token(back Return) string
	// Receive checks what came back against the transaction, and says who it is. An
	// error is a *[Failure].
	Receive(ctx context.Context, back Return, t Transaction) (Answer, error)
	// Probe walks as far as one comes without a person.
	Probe(ctx context.Context) []Step
	// SignOutURL is where a person ends their session at the upstream; "" when
	// unknown. hint is the LogoutHint of an answer, or "".
	SignOutURL(ctx context.Context, hint string) string
}

// Directory is one upstream that checks passwords typed on our own page. It is
// safe for concurrent use.
type Directory interface {
	// Check asks whether a password is right. An error is a *[Failure]: Refused when
	// the two do not go together, nobody has the identifier, or the directory says
	// something about the account before the password was right; Failure.Proved
	// says that the password was right and something else stands in the way.
	// Check takes as long for an identifier that nobody has.
	Check(ctx context.Context, login, password string) (Answer, error)
	// Waste takes as long as a Check that fails, and tests nothing.
	Waste(ctx context.Context)
	// Changes reports whether Change may be tried.
	Changes() bool
	// Change replaces a password, which must be right or have been until it
	// expired. An error is a *[Failure].
	Change(ctx context.Context, login, old, fresh string) error
	// Probe walks as far as one comes without a person.
	Probe(ctx context.Context) []Step
}

// Transaction is one journey of one browser to an upstream and back. It is kept
// on our side; only its token travels.
type Transaction struct {
	ID       string
	Upstream string
	Token    string // carried by the messages; only its hash is stored
	Next     string // local address that the sign-in leads to
	Shared   bool   // a shared computer
	// Force asks the upstream to ask again, whatever session it has (prompt=login,
	// ForceAuthn). The answer must then say when it asked, unless Clean.
	Force bool
	// Clean is Force for the person's own sake: they want to begin anew, and nobody
	// waits for the proof that they did.
	Clean bool
	// Choose asks the upstream which of several accounts is meant.
	Choose bool
	// Plain leaves out the demand for a way of proof (acr_values,
	// RequestedAuthnContext): the upstream refused it a moment ago.
	Plain bool
	// LoginHint is the identifier that the person typed, or "".
	LoginHint string
	// Secrets is what the protocol needs to check the answer: nonce, PKCE verifier,
	// identifier of the request. It is stored sealed.
	Secrets   map[string]string
	StartedAt time.Time
	// AnswerURL is where the upstream sends the browser back: the registered
	// redirect_uri, the assertion consumer service.
	AnswerURL string
	// Provider is which one of several identity providers the person chose, as a
	// discovery service said; "" before. Once the journey has left, it is what the
	// protocol kept in Secrets under [KeptProvider].
	Provider string
}

// KeptProvider is the name in [Transaction.Secrets] of the chosen provider, and
// ProviderParam the parameter by which a discovery service names it
// (saml-idp-discovery, 2.4.3). keptClean is the name of [Transaction.Clean].
const (
	KeptProvider  = "provider"
	ProviderParam = "entityID"
	keptClean     = "clean"
)

// Describer is a Protocol that has something to tell its upstream about us, such
// as SAML metadata. It is published beside AnswerURL, as "metadata".
type Describer interface {
	Describe(ctx context.Context, answerURL string) (mediaType string, text []byte, err error)
}

// Departure is where a browser goes.
type Departure struct {
	URL string
	// Form is posted there when it is not nil (SAML's POST binding); otherwise the
	// browser is redirected.
	Form url.Values
	// Aside is a way to a third place that sends the browser back to the start, such
	// as a discovery service: the journey has not begun, and nothing is kept.
	Aside bool
}

// Return is what a browser brought back to AnswerURL.
type Return struct {
	Method   string     // GET or POST
	Values   url.Values // of the query or of the form, by Method
	RawQuery string     // as it was sent, for signatures over it
}

// Answer is what an upstream says about somebody, after every check.
type Answer struct {
	// Issuer and Subject name the person for ever: who vouches (entity ID, issuer
	// with its tenant, base of a directory), and the identifier there that is given
	// to nobody else. Never an address or a name.
	Issuer, Subject string
	// Attributes are by the upstream's own names.
	Attributes map[string][]string
	// AuthnInstant is when the person proved there who they are; zero when it does
	// not say.
	AuthnInstant time.Time
	// Contexts and Methods say how: AuthnContextClassRef or acr, and amr (RFC 8176).
	Contexts, Methods []string
	// Ahead is how much the upstream's clock is ahead of ours, negative behind;
	// Timed reports whether that is known.
	Ahead time.Duration
	Timed bool
	// LogoutHint is what its sign-out needs to know (id_token, NameID and
	// SessionIndex). It is stored sealed.
	LogoutHint string
	// SubjectThere and SessionThere are how the upstream's own sign-outs name the
	// person and the session (sub, sid); empty when they name none.
	SubjectThere, SessionThere string
	// Remarks are what the person should know though they may go on.
	Remarks []Remark
}

// Remark is something to tell somebody whose sign-in goes on.
type Remark struct {
	Key  string // of its sentence in the locales
	Args fault.Args
}

// Leave shows the remark on the next page.
func (m Remark) Leave(w http.ResponseWriter, r *http.Request) {
	var pairs []string
	for name, value := range m.Args {
		pairs = append(pairs, name, fmt.Sprint(value))
	}
	web.Flash(w, r, m.Key, pairs...)
}

// Failure is why an upstream did not vouch for somebody.
type Failure struct {
	// Reason is one of this package's, by which the person is told.
	Reason *fault.Reason
	// Args complete the reason's sentence; "upstream", "contact" and "page" are
	// added by the alcove.
	Args fault.Args
	// Expected and Received are the two values that differ, for the technical
	// contact. They hold no secret.
	Expected, Received string
	// Code and Text are the upstream's own words: an error code and its sentence.
	Code, Text string
	// Proved says that the password was right (a directory's answer after a bind).
	Proved bool
	// Untested says that no password was looked at.
	Untested bool
	// Plain asks for one more try without the demand for a way of proof.
	Plain bool
	Ahead time.Duration // see [Answer]
	Timed bool
	Cause error // for the log
}

// Error is for the log.
func (f *Failure) Error() string {
	text := f.Reason.Code()
	if f.Code != "" {
		text += " " + f.Code
	}
	if f.Expected != "" || f.Received != "" {
		text += ": want " + f.Expected + ", got " + f.Received
	}
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

// Unwrap gives the cause to errors.Is and errors.As.
func (f *Failure) Unwrap() error { return f.Cause }

// Is lets errors.Is(err, Unreachable) see the reason.
func (f *Failure) Is(target error) bool {
	r, ok := target.(*fault.Reason)
	return ok && r == f.Reason
}

// Step is one thing that a probe tried.
type Step struct {
	Name   string // key below identity.upstream.probe in the locales
	OK     bool
	Detail string    // what came back, in the protocol's own words
	Ends   time.Time // when what was found stops to be valid; zero for never
}
