// Package simulator answers what would happen if somebody opened a service from
// somewhere at some time. It asks the rules of the real sign-in, through the room,
// and writes nothing.
package simulator

import (
	"context"
	"net/netip"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Case is what is imagined.
type Case struct {
	Viewer  campus.Viewer // the person; SignedInAt is when they signed in
	Service *registry.Service
	Address netip.Addr
	// Country, an ISO 3166-1 code in capitals, replaces what is known of the address.
	Country      string
	At           time.Time
	KnownBrowser bool
}

// Deps is what the alcove asks of the room.
type Deps struct {
	Clock    clock.Clock
	Registry func(ctx context.Context) (*registry.Index, error)
	// Somebody finds a person by their login or institutional address.
	Somebody func(ctx context.Context, login string) (campus.Viewer, error)
	// Conditions lists what the person would meet, in order.
	Conditions func(ctx context.Context, c Case) ([]contract.Condition, error)
	// Zone is the one in which days and hours are meant.
	Zone *time.Location
}

// Simulator is safe for concurrent use.
type Simulator struct{ Deps }

// New makes the alcove.
func New(d Deps) *Simulator { return &Simulator{d} }

// Routes lists every address of the alcove, for administrators.
func (x *Simulator) Routes(r *web.Router) {
	r.Handle("GET /sso/simulator", x.page, web.Needs(campus.RightAdmin))
}

// Verdict is how a list of conditions ends: at the first that stops, else asking
// something when one does.
func Verdict(met []contract.Condition) contract.Outcome {
	outcome := contract.Passes
	for _, c := range met {
		switch c.Outcome {
		case contract.Stops:
			return contract.Stops
		case contract.Asks:
			outcome = contract.Asks
		}
	}
	return outcome
}
