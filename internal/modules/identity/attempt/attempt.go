// Package attempt keeps the story of every sign-in: one record for each visit to
// the front door, its stages, why it stopped, and the incident code under which
// the person and the help desk speak of it.
package attempt

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
)

// Outcome says how a sign-in ended, or that it has not.
type Outcome string

// The outcomes of a sign-in.
const (
	Open    Outcome = "open"    // on the way
	In      Outcome = "in"      // a session was opened
	Stopped Outcome = "stopped" // the last step failed; another try goes on from here
)

// Result says how one step of a sign-in went.
type Result string

// The results of a step.
const (
	Passed Result = "passed"
	Failed Result = "failed"
	Asked  Result = "asked" // something was asked for, and not answered yet
)

// Attempt is one visit to the front door.
type Attempt struct {
	ID        string
	Code      string          // incident code, such as "K7F-3Q9"
	Person    campus.PersonID // empty while nobody is recognised
	Typed     string          // the identifier as typed, masked when nobody has it
	StartedAt time.Time
	ChangedAt time.Time
	Outcome   Outcome
	Stage     entry.Stage // how far it came
	Reason    string      // reason code of what stopped it; empty for nothing
	Address   string
	UserAgent string
	Next      string // local address that the sign-in leads to
	Service   string // identifier of the service behind it; empty for the portal
	Shared    bool   // a shared computer

	Method       entry.Method // first proof
	ProvedAt     time.Time    // when it came to us; zero for not yet
	Since        time.Time    // when it was given, if that was before; zero for then
	FactorMethod entry.Method // second proof
	FactorAt     time.Time
	PutOff       bool   // the first factor is registered another day
	Trust        bool   // this browser stands in for a factor from now on
	Suspicion    string // what the risk rules ask: "", "factor" or "lock"
	Journey      string // to the upstream that gave the first proof; "" for none

	Flag       string // what the person wrote about it
	FlaggedAt  time.Time
	Diagnostic string // JSON of the browser's self-test
	Steps      []Step // only in what ByCode gives
}

// Step is one thing that happened in a sign-in.
type Step struct {
	Stage  entry.Stage
	Result Result
	Method entry.Method
	Reason string            // reason code when it failed
	Facts  map[string]string // arguments of the reason's sentence, none private
	At     time.Time
}

// Lasts is how long a sign-in may take from its last step to the next. After
// that the password is asked again.
const Lasts = 15 * time.Minute

// ProofLasts is how long a first proof counts, however busy its sign-in is: a
// stolen password must not be kept warm for weeks until a factor turns up.
const ProofLasts = time.Hour

// Live reports whether the sign-in may go on.
func (a Attempt) Live(now time.Time) bool {
	return a.Outcome != In && now.Sub(a.ChangedAt) < Lasts && (a.ProvedAt.IsZero() || now.Sub(a.ProvedAt) < ProofLasts)
}

// alphabet leaves out what is mistaken for something else when read aloud or
// from paper: 0 and O, 1, I and L, U and V.
const alphabet = "23456789ABCDEFGHJKMNPQRSTWXYZ"

// newCode draws an incident code: six of 29 signs, 595 million codes.
func newCode() string {
	b := make([]byte, 7)
	for i := range b {
		b[i] = sign()
	}
	b[3] = '-'
	return string(b)
}

// sign draws one sign, each as likely as the others.
func sign() byte {
	var b [1]byte
	for {
		rand.Read(b[:]) // never fails (crypto/rand)
		if n := int(b[0]); n < 256/len(alphabet)*len(alphabet) {
			return alphabet[n%len(alphabet)]
		}
	}
}

// ParseCode is the stored form of an incident code that somebody typed: case,
// spaces and hyphens do not matter. ok is false for what cannot be a code.
func ParseCode(typed string) (code string, ok bool) {
	var b strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch {
		case r == ' ' || r == '-' || r == '\u2011' || r == '\u00a0' || r == '\u202f':
		case r < 128 && strings.ContainsRune(alphabet, r):
			b.WriteRune(r)
		default:
			return "", false
		}
	}
	if b.Len() != 6 {
		return "", false
	}
	s := b.String()
	return s[:3] + "-" + s[3:], true
}
