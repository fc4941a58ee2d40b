package contract

import (
	"context"
	"net/netip"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Foresight tells what a sign-in of somebody would meet, without signing anybody
// in and without writing anything. The identity room implements it with the rules
// of the real sign-in.
type Foresight interface {
	// Somebody finds a person by their login or institutional address.
	Somebody(ctx context.Context, login string) (campus.Viewer, error)
	// Foresee lists the conditions in the order in which the person meets them, in
	// the language of the context.
	Foresee(ctx context.Context, c Circumstances) ([]Condition, error)
}

// Circumstances are those of a sign-in that is imagined.
type Circumstances struct {
	Person  campus.PersonID
	Address netip.Addr
	// Country, an ISO 3166-1 code in capitals, replaces what is known of the address.
	Country string
	At      time.Time
	// KnownBrowser: the person was signed in with the browser before.
	KnownBrowser bool
	// Service is the identifier of the service that the sign-in leads to, and Factor
	// and FreshFactor what it asks for, as in [Departure].
	Service             string
	Factor, FreshFactor bool
}

// Outcome is how a condition ends.
type Outcome string

// The outcomes.
const (
	Passes Outcome = "passes" // nothing is asked
	Asks   Outcome = "asks"   // the person has to do something, and can
	Stops  Outcome = "stops"  // the person cannot go on
)

// Condition is one thing that a sign-in has to go through.
type Condition struct {
	Name    string // what is looked at, in words
	Outcome Outcome
	// Message is what the person would read, or why nothing is asked; Next what they
	// would be told to do; Code the reason code. All but Message may be empty.
	Message, Next, Code string
}
