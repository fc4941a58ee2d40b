// Package support is the desk of the help desk's agents: they open an incident
// code, read the story of that sign-in with the words that the person read, and
// do what their right allows. They never see a password, nor more than they need.
package support

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Stories are the records of sign-ins; *attempt.Store keeps them.
type Stories interface {
	ByCode(ctx context.Context, code string) (attempt.Attempt, error)
	Of(ctx context.Context, who campus.PersonID, limit int) ([]attempt.Attempt, error)
	Flagged(ctx context.Context, limit int) ([]attempt.Attempt, error)
	Flag(ctx context.Context, tx db.Tx, attempt, text string) error
	Unflag(ctx context.Context, tx db.Tx, attempt string) error
}

// Visitor knows which sign-in a browser is on.
type Visitor interface {
	// Story returns the sign-in of this browser with an incident code, or its
	// newest one of the last day when code is empty, whether it may go on or not.
	// Another browser's is answered as none: the fault is of kind NotFound or Gone.
	Story(r *http.Request, code string) (attempt.Attempt, error)
}

// Accounts says who there is, and how their accounts stand.
type Accounts interface {
	Search(ctx context.Context, f lifecycle.Filter, size, skip int) ([]account.Person, error)
	Standing(ctx context.Context, who campus.PersonID) (lifecycle.Standing, error)
}

// Factors lists what somebody proves themselves with, and passes codes on.
type Factors interface {
	Of(ctx context.Context, who campus.PersonID) ([]factor.Factor, error)
	MayRelay(by, to account.Person) bool
	Relay(ctx context.Context, on factor.Occasion, by, to account.Person) (factor.Relayed, error)
}

// Contacts says how somebody can be reached.
type Contacts interface {
	Points(ctx context.Context, who campus.PersonID) ([]reach.Point, error)
}

// Locks lists somebody's locks and sends them what lifts one.
type Locks interface {
	Locks(ctx context.Context, who campus.PersonID) ([]risk.Locked, error)
	SendUnlock(ctx context.Context, actor campus.Viewer, who campus.PersonID, e journal.Event) error
}

// Devices lists the browsers that somebody uses.
type Devices interface {
	List(ctx context.Context, who campus.PersonID) ([]device.Device, error)
}

// Resets sends somebody the way to a new password.
type Resets interface {
	SendReset(ctx context.Context, tx db.Tx, to account.Person, e journal.Event) error
}

// Recoveries knows the supervised recovery that is under way for somebody.
type Recoveries interface {
	Open(ctx context.Context, who campus.PersonID) (q recovery.Request, ok bool, err error)
}

// Journal keeps what happened.
type Journal interface {
	Write(context.Context, db.Tx, journal.Event) error
}

// Deps is what the alcove asks of the house.
type Deps struct {
	DB         *db.DB
	Clock      clock.Clock
	Log        *slog.Logger
	Keys       *crypt.Keyring
	Texts      *i18n.Catalogue
	People     account.People
	Stories    Stories
	Visitor    Visitor
	Accounts   Accounts
	Factors    Factors
	Contacts   Contacts
	Locks      Locks
	Devices    Devices
	Resets     Resets
	Recoveries Recoveries
	Journal    Journal
	// About makes the cards of the other rooms on somebody, as far as the viewer
	// may see them.
	About func(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error)
	// Looked notes that an agent opened somebody, where they read it; nil notes nothing.
	Looked func(context.Context, contract.Look) error
}

// Support is the alcove.
type Support struct{ Deps }

// New opens the alcove.
func New(d Deps) *Support { return &Support{d} }

// Routes lists every address of the alcove. A failed sign-in is flagged before
// signing in, so that page is public; it shows a browser its own sign-in only.
func (s *Support) Routes(r *web.Router) {
	agents := web.Needs(campus.RightHelpdesk)
	r.Handle("GET /login/flag", s.flagPage, web.Public)
	r.Handle("POST /login/flag", s.flag, web.Public)
	r.Handle("GET /identity/support", s.deskPage, agents)
	r.Handle("GET /identity/support/incidents/{code}", s.incidentPage, agents)
	r.Handle("POST /identity/support/incidents/{code}/done", s.dealtWith, agents)
	r.Handle("GET /identity/support/people/{id}", s.personPage, agents)
	r.Handle("POST /identity/support/people/{id}", s.openPerson, agents)
	r.Handle("POST /identity/support/people/{id}/reset", s.sendReset, agents)
	r.Handle("POST /identity/support/people/{id}/unlock", s.sendUnlock, agents)
	r.Handle("POST /identity/support/people/{id}/relay", s.relay, agents)
}
