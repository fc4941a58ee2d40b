// Package entry holds what the pages on the way in share: on whose behalf a page
// acts before there is a session, and what has been proved so far. The identity
// room owns the way itself; its alcoves put pages on it.
package entry

import (
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Method is one way of proving who one is.
type Method string

// The methods. Recovery and Relayed stand in for a factor that is not at hand.
const (
	Password    Method = "password"
	TOTP        Method = "totp"     // code of an authenticator app (RFC 6238)
	SMS         Method = "sms"      // code sent to a phone
	Mail        Method = "mail"     // code sent to a recovery address
	SecurityKey Method = "key"      // WebAuthn, beside a password
	Passkey     Method = "passkey"  // WebAuthn with user verification: alone it is two factors
	Recovery    Method = "recovery" // one of the printed recovery codes
	Relayed     Method = "relayed"  // code passed on by a person whom the policy names
	Device      Method = "device"   // a browser that a factor made trusted for some days
	// Upstream is an identity provider that vouches for somebody; Elsewhere the
	// second factor that it says it asked, where the policy accepts that; Directory a
	// password that the institution's directory checked.
	Upstream  Method = "upstream"
	Elsewhere Method = "elsewhere"
	Directory Method = "directory"
)

// AMR are the method's values of the "amr" claim (RFC 8176 §2).
func (m Method) AMR() []string {
	switch m {
	case Password, Directory:
		return []string{"pwd"}
	case Elsewhere:
		return []string{"mfa"}
	case TOTP, Mail, Recovery, Relayed:
		return []string{"otp"}
	case SMS:
		return []string{"sms"}
	case SecurityKey:
		return []string{"hwk"}
	case Passkey:
		return []string{"hwk", "user", "mfa"}
	default:
		return nil
	}
}

// Stage is one step of a sign-in, in the order in which people meet them.
type Stage string

// The stages of a sign-in.
const (
	StageIdentifier Stage = "identifier"
	StagePassword   Stage = "password"
	StageFactor     Stage = "factor"
	StagePolicy     Stage = "policy"
	StageService    Stage = "service"
)

// Actor is on whose behalf a page acts: somebody inside a session, or somebody
// in the middle of a sign-in who has already proved one thing.
type Actor struct {
	Person  campus.PersonID
	Session string // inside a session
	Attempt string // in the middle of a sign-in
	// At is the incident code of that sign-in. Forms on the way in carry it, see
	// [Here], so that two tabs of one browser do not mix their sign-ins.
	At string
	// Method is the first proof of that sign-in. A code sent to the same place is
	// no second one.
	Method Method
	// ProvedAt is when the password (or a passkey) was right; FactorAt when a
	// second factor was, zero for never.
	ProvedAt, FactorAt time.Time
	Shared             bool // a shared computer: nothing may be remembered on it
	// Browser is the known browser of this person that the request comes from;
	// empty for one that they never used, and on a shared computer.
	Browser string
}

// SigningIn reports whether the actor is on the way in.
func (a Actor) SigningIn() bool { return a.Attempt != "" }

// Fresh reports whether a second factor was proved within the last d.
func (a Actor) Fresh(now time.Time, d time.Duration) bool {
	return !a.FactorAt.IsZero() && now.Sub(a.FactorAt) < d
}

// Proof is something that was just proved.
type Proof struct {
	Method Method
	Factor string // identifier of the factor; empty for a password
	// Trust says that the person wants this browser to stand in for a factor for
	// some days. Ignore it on a shared computer.
	Trust bool
	// Upstream names who checked it, when that was not we; AMR is how, in its words
	// (RFC 8176).
	Upstream string
	AMR      []string
	// Journey names the one to that upstream by which a browser came; "" for a
	// password that it checked.
	Journey string
	// Second is a second factor that came with the first proof; "" for none.
	Second Method
	// Since is when both were given, zero for now: who vouches may have asked for
	// them long ago.
	Since time.Time
}

// Arrival is where a sign-in without a password comes from and goes to.
type Arrival struct {
	Next   string // local address to go on to
	Shared bool
}

// Refusal is a sign-in that stopped before anything was proved here.
type Refusal struct {
	Arrival
	Method Method          // the proof that was asked for
	Person campus.PersonID // whose account, when that is known
	Typed  string          // how they call themselves
	Reason error
	Facts  map[string]string // for the story, beside those of the reason
}

// Door is the way in, as the alcoves' pages see it. The identity room
// implements it.
type Door interface {
	// Actor tells on whose behalf a request comes. The error is
	// identity.sign_in_lost when nobody is on the way in.
	// A field or parameter "at" names the sign-in; without it the newest of the
	// browser is meant.
	Actor(r *http.Request) (Actor, error)
	// Proved records a proof. In a sign-in it answers with the next page on the
	// way; inside a session it makes the session stronger and goes on to back.
	Proved(w http.ResponseWriter, r *http.Request, a Actor, p Proof, back string) error
	// Stumbled records a proof that failed, for the story of this sign-in, and
	// returns the incident code to show. Inside a session the code is empty.
	Stumbled(r *http.Request, a Actor, m Method, reason error) (incident string)
	// Proceed answers with the next page on the way in, after an alcove did what
	// the way asked for (a new password, a first factor); inside a session it
	// goes on to back.
	Proceed(w http.ResponseWriter, r *http.Request, a Actor, back string) error
	// PutOff answers with the next page for somebody on the way in who registers
	// their first factor another day. Ask the policy first whether they may.
	PutOff(w http.ResponseWriter, r *http.Request, a Actor) error
	// Enter begins a sign-in whose first proof was no password, such as a
	// passkey, and answers with the next page on the way.
	Enter(w http.ResponseWriter, r *http.Request, who campus.PersonID, p Proof, from Arrival) error
	// Confirm answers with a page that asks for a fresh factor and then returns
	// to the same address, unless one was proved within ten minutes: ok is then
	// true and nothing was written. Use it in front of sensitive acts.
	Confirm(w http.ResponseWriter, r *http.Request) (ok bool, err error)
}
