package factor

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
)

var errLater = errors.New("factor: written in the next commit")

// New makes the factors of a house. It fails when the base URL has no host that
// keys can be bound to.
func New(d Deps, c Config) (*Factors, error) { return nil, errLater }

// Of lists the factors of somebody, the safest first. All recovery codes are one
// factor.
func (f *Factors) Of(ctx context.Context, who campus.PersonID) ([]Factor, error) {
	return nil, errLater
}

// Methods are the methods that the institution allows and that work here, the
// safest first: SMS is missing without a gateway, keys on a plain http address.
func (f *Factors) Methods() []entry.Method { return nil }

// Rename changes what the owner calls a factor. The label is cut to 60 characters.
func (f *Factors) Rename(ctx context.Context, a entry.Actor, id, label string) error { return errLater }

// Remove takes a factor away, tells its owner and writes the journal. It is
// identity.factor_last when the policy needs one and no other is left. Ask
// [entry.Door.Confirm] first.
func (f *Factors) Remove(ctx context.Context, on Occasion, id string) error { return errLater }

// BeginApp starts or resumes the registration of an authenticator app.
func (f *Factors) BeginApp(ctx context.Context, a entry.Actor) (AppEnrolment, error) {
	return AppEnrolment{}, errLater
}

// ConfirmApp registers the app once it shows a right code. It learns how late the
// phone's clock is. Faults: code_wrong, totp_clock, enrolment_over.
func (f *Factors) ConfirmApp(ctx context.Context, on Occasion, enrolment, label, typed string) (Factor, error) {
	return Factor{}, errLater
}

// Candidate is a phone or address that could become a factor.
type Candidate struct {
	Point    string       // identifier for [Factors.BeginPoint]
	Kind     entry.Method // SMS or Mail
	Masked   string
	UsableAt time.Time // ahead while a changed one waits
	Factor   string    // set when it is a factor already
}

// Candidates lists the phones and recovery addresses of somebody. The
// institutional address is none: its mailbox is behind this very door.
func (f *Factors) Candidates(ctx context.Context, who campus.PersonID) ([]Candidate, error) {
	return nil, errLater
}

// BeginPoint sends a code to a candidate. A candidate that is not usable yet is
// identity.factor_waits.
func (f *Factors) BeginPoint(ctx context.Context, a entry.Actor, point string) (Sent, error) {
	return Sent{}, errLater
}

// ConfirmPoint registers a phone or address once its code was typed.
func (f *Factors) ConfirmPoint(ctx context.Context, on Occasion, point, label, typed string) (Factor, error) {
	return Factor{}, errLater
}

// BeginKey starts the registration of a key, or of a passkey that signs in alone.
func (f *Factors) BeginKey(ctx context.Context, a entry.Actor, passkey bool) (Ceremony, error) {
	return Ceremony{}, errLater
}

// ConfirmKey registers the key that answered: response is the JSON of the
// browser's PublicKeyCredential. An empty label is replaced by what the key is.
// Faults: ceremony_over, key_origin, key_known, key_refused.
func (f *Factors) ConfirmKey(ctx context.Context, on Occasion, ceremony string, response []byte, label string) (Factor, error) {
	return Factor{}, errLater
}

// NewCodes replaces the recovery codes of somebody by ten fresh ones.
func (f *Factors) NewCodes(ctx context.Context, on Occasion) (CodeSet, error) {
	return CodeSet{}, errLater
}

// ProveApp checks a code of one of the actor's authenticator apps. Faults:
// code_wrong, totp_clock, totp_replayed, factor_slowed.
func (f *Factors) ProveApp(ctx context.Context, a entry.Actor, typed string) (Factor, error) {
	return Factor{}, errLater
}

// Send sends a code to one of the actor's SMS or Mail factors.
func (f *Factors) Send(ctx context.Context, a entry.Actor, factor string) (Sent, error) {
	return Sent{}, errLater
}

// ProveSent checks a code that [Factors.Send] sent.
func (f *Factors) ProveSent(ctx context.Context, a entry.Actor, factor, typed string) (Factor, error) {
	return Factor{}, errLater
}

// BeginKeyProof asks for any of the actor's keys and passkeys.
func (f *Factors) BeginKeyProof(ctx context.Context, a entry.Actor) (Ceremony, error) {
	return Ceremony{}, errLater
}

// ProveKey checks the answer of a key. The factor's kind is Passkey when it
// verified the person, SecurityKey when it was only touched.
func (f *Factors) ProveKey(ctx context.Context, on Occasion, ceremony string, response []byte) (Factor, error) {
	return Factor{}, errLater
}

// BeginEntry asks for any passkey, of a stranger.
func (f *Factors) BeginEntry(ctx context.Context) (Ceremony, error) { return Ceremony{}, errLater }

// FinishEntry tells whose passkey answered. It must have verified the person.
func (f *Factors) FinishEntry(ctx context.Context, on Occasion, ceremony string, response []byte) (campus.PersonID, Factor, error) {
	return "", Factor{}, errLater
}

// ProveCode uses up one of the actor's recovery codes.
func (f *Factors) ProveCode(ctx context.Context, on Occasion, typed string) (Factor, error) {
	return Factor{}, errLater
}

// MayRelay reports whether by may pass a code on to somebody.
func (f *Factors) MayRelay(by, to account.Person) bool { return false }

// Relay makes a code that by reads to the person, who is told of it with the name
// of by. It lasts fifteen minutes and replaces an earlier one.
func (f *Factors) Relay(ctx context.Context, on Occasion, by, to account.Person) (Relayed, error) {
	return Relayed{}, errLater
}

// ProveRelayed uses up a code that somebody passed on to the actor.
func (f *Factors) ProveRelayed(ctx context.Context, on Occasion, typed string) (Factor, error) {
	return Factor{}, errLater
}

// Requirement says whether a sign-in needs a second factor, and why.
type Requirement struct {
	// Needed: prove a factor now.
	Needed bool
	// Enrol: the person has none and must register one; until Until they may
	// still put it off.
	Enrol bool
	// Why is the key of a sentence: "identity.factor.why.staff",
	// "identity.factor.why.service", "identity.factor.why.outside" …
	Why   string
	Until time.Time
}

// PutOff reports whether somebody who must register a factor may do it another day.
func (r Requirement) PutOff(now time.Time) bool { return r.Enrol && now.Before(r.Until) }

// Required says what a sign-in of v from an address to a service needs. Somebody
// who has a factor is always asked for it: it is what they registered it for. The
// first time that a factor is required of somebody starts their grace.
func (f *Factors) Required(ctx context.Context, v account.Person, from netip.Addr, service string) (Requirement, error) {
	return Requirement{}, errLater
}

// Bar is how well somebody is prepared for the loss of a factor.
type Bar struct {
	Level int // 0 none … 4 nothing better to do
	// Advice are keys of sentences, the most useful first:
	// "identity.factor.advice.first", ".second", ".codes", ".codes_few",
	// ".passkey", ".suspended".
	Advice []string
}

// Health weighs the factors of somebody. now tells which of them are usable.
func Health(factors []Factor, now time.Time) Bar { return Bar{} }
