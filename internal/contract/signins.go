package contract

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// SignIn is one sign-in, as far as the browser that made it may know.
type SignIn struct {
	Code    string            // incident code
	At      time.Time         // its last step
	Reason  string            // reason code of what stopped it; empty for nothing
	Facts   map[string]string // arguments of the reason's sentence
	Service string            // identifier of the service that it led to; empty for the portal
	Typed   string            // the identifier; masked when nobody has it
	In      bool              // it opened a session
}

// SignIns are the stories of sign-ins, as somebody who asks for help brings them
// along. The identity room implements it.
type SignIns interface {
	// SignInHere finds the sign-in with an incident code, or the newest one of the
	// last day when code is empty, among those of the browser that asks. ok is false
	// when there is none; another browser's is none, and the newest one on a computer
	// that was said to be shared.
	SignInHere(r *http.Request, code string) (s SignIn, ok bool, err error)
	// SignInElsewhere is what anybody may know of an incident code that was read out
	// to them: its reason only when that says nothing of an account, no identifier,
	// no facts. ok is false for a code that nobody got.
	SignInElsewhere(ctx context.Context, code string) (s SignIn, ok bool, err error)
	// NewPasswords are the times at which somebody got a new password since then,
	// newest first.
	NewPasswords(ctx context.Context, who campus.PersonID, since time.Time) ([]time.Time, error)
	// Vouchers names the systems outside the house at which people sign in instead,
	// in the language of the context.
	Vouchers(ctx context.Context) []string
}

// Contact is a mail address or a mobile number at which somebody can be reached.
type Contact struct {
	Phone  bool
	Value  string // as messages are sent to it
	Masked string // as it may be shown
}

// Proofs lets people show that an address or a number is theirs before they have
// signed in, by a code that is sent there. The identity room implements it.
type Proofs interface {
	// ReadContact reads an address or a number however it is typed. The error is of
	// kind Invalid and says what is wrong with it.
	ReadContact(typed string) (Contact, error)
	// SendProof sends a code, in the caller's transaction. It replaces the one sent
	// before for the same subject. Nothing tells whether somebody has the address.
	SendProof(ctx context.Context, tx db.Tx, subject string, to Contact, l campus.Locale) error
	// CheckProof uses up the code of a subject; the error says what is wrong with what
	// was typed. Wrong ones are counted, also when the caller does not go on.
	CheckProof(ctx context.Context, subject, typed string) error
	// WhoseContact is the person whom an address or a number belongs to: their
	// institutional address, or one that they proved or that the institution vouches
	// for. It is empty for nobody, and for one that several people share. Ask it only
	// about contacts that were proved.
	WhoseContact(ctx context.Context, c Contact) (campus.PersonID, error)
}
