package target

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// The reasons why somebody's account is not as it should be.
var (
	// ServiceDown: the service does not answer, or says that it is broken.
	ServiceDown = fault.Declare(fault.Unavailable, "provisioning.service_down")
	// ServiceBusy: the service asks us to come back later.
	ServiceBusy = fault.Declare(fault.Unavailable, "provisioning.service_busy")
	// ServiceDenied: the service does not let Amphi keep its accounts.
	ServiceDenied = fault.Declare(fault.Upstream, "provisioning.service_denied")
	// AnswerUnclear: the service answers with something that nobody can read.
	AnswerUnclear = fault.Declare(fault.Upstream, "provisioning.answer_unclear")
	// DataRefused: the service refuses what it is told about this person.
	DataRefused = fault.Declare(fault.Upstream, "provisioning.data_refused")
	// AccountTaken: another account of the service has the login or the address.
	AccountTaken = fault.Declare(fault.Conflict, "provisioning.account_taken")
	// AccountPrivileged: the account with the login keeps the service itself.
	AccountPrivileged = fault.Declare(fault.Conflict, "provisioning.account_privileged")
	// AccountDiffers: the account with the login is not told of the same person.
	AccountDiffers = fault.Declare(fault.Conflict, "provisioning.account_differs")
	// PartlyDone: the account is there, and something around it is not yet.
	PartlyDone = fault.Declare(fault.Conflict, "provisioning.partly_done")
	// AccountDouble: the service has several accounts for one person.
	AccountDouble = fault.Declare(fault.Conflict, "provisioning.account_double")
)

// Kind says what a failure means for the queue.
type Kind int

// The kinds of failure.
const (
	Down       Kind = iota + 1 // the service is away: everybody waits
	Busy                       // the service sets the pace: everybody waits a little
	Denied                     // our access is refused: an administrator mends it
	Unclear                    // an answer that is none: counts like Down
	Refused                    // of this person alone: somebody has to decide
	Taken                      // of this person alone: the place is somebody else's
	Double                     // of this person alone: there are several
	Gone                       // the account is not there any more
	Partial                    // the account is there; a course or a group of it is not
	Privileged                 // the account there keeps the service: nobody takes it over
	Differs                    // the account there may be somebody else's: an administrator decides
)

var reasons = map[Kind]*fault.Reason{
	Down: ServiceDown, Busy: ServiceBusy, Denied: ServiceDenied, Unclear: AnswerUnclear,
	Refused: DataRefused, Taken: AccountTaken, Double: AccountDouble, Gone: AnswerUnclear, Partial: PartlyDone,
	Privileged: AccountPrivileged, Differs: AccountDiffers,
}

// OfEverybody reports whether the failure is the service's, so that nobody else
// would fare better now.
func (k Kind) OfEverybody() bool { return k == Down || k == Denied || k == Unclear || k == Busy }

// Failure is why an exchange with a service did not do what it should.
type Failure struct {
	Kind Kind
	// Detail is what the service said, short, for administrators.
	Detail string
	// After is how long the service wants to be left alone; zero when it did not say.
	After time.Duration
	// Maybe says that the service may have done it nevertheless: the answer got lost.
	Maybe bool
	// Other is the login of the account that stands in the way of [Taken], and Found
	// the identifier of one that an administrator may say is theirs.
	Other, Found string
	Cause        error
}

// Error is for logs.
func (f *Failure) Error() string {
	text := reasons[f.Kind].Code()
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

// Unwrap gives the cause to errors.Is and errors.As.
func (f *Failure) Unwrap() error { return f.Cause }

// Reason is what people are told.
func (f *Failure) Reason() *fault.Reason { return reasons[f.Kind] }

// Fail makes a failure of what a service said.
func Fail(k Kind, format string, args ...any) *Failure {
	return &Failure{Kind: k, Detail: Short(fmt.Sprintf(format, args...))}
}

// FailureOf is err as a failure; an error that no connector explained is Unclear.
func FailureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Kind: Unclear, Cause: err, Detail: Short(err.Error())}
}

// Is reports whether err is a failure of this kind.
func Is(err error, k Kind) bool {
	f, ok := errors.AsType[*Failure](err)
	return ok && f.Kind == k
}

// longest is how much is kept of what a service said, in bytes.
const longest = 300

// Short is what is kept of a text that a service sent: one line, bounded.
func Short(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")), " ")
	if len(text) <= longest {
		return text
	}
	cut := longest
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
