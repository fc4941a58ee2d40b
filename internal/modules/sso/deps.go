package sso

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/consent"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Deps is what the room asks of the house.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Texts words the mails to technical contacts, who have no session.
	Texts    *i18n.Catalogue
	People   People
	Sessions Sessions
	// Foresight tells what a sign-in would meet, for the simulator.
	Foresight contract.Foresight
	// Journal keeps what people decide about their data; nil keeps nothing.
	Journal consent.Journal
	// Door shows the sign-in page at the address that services send people to.
	// Nil sends them to /login instead.
	Door Door
	// Accounts is the ledger of accounts in services: whoever has none yet is told
	// before they are sent there. Nil holds nobody back.
	Accounts contract.ServiceAccounts
	// Mailer reaches technical contacts; nil sends nothing.
	Mailer Mailer
	// Files keeps the logos of services.
	Files files.Store
	// Sign authenticates what a browser carries for us through a renewed
	// sign-in.
	Sign func(purpose string, data []byte) []byte
	// Names makes the pairwise identifiers of people; unlike Sign it never changes.
	Names registry.MAC
	// Seal keeps our signing keys unreadable in the database.
	Seal keys.Sealer
	// HTTP makes the client for messages to services. It must not follow
	// redirects. Nil chooses one that is right.
	HTTP func(timeout time.Duration) *http.Client
	// Zone is the one in which days and hours are meant.
	Zone *time.Location
	// BaseURL is the public address of the house, without a slash at its end,
	// for links in mails.
	BaseURL string
}

// People knows people: what services may be told about a person, by the names of
// registry.Attributes, and what they belong to.
type People interface {
	Attributes(ctx context.Context, who campus.PersonID) (map[string][]string, error)
	// Viewer is somebody as their own session would see them, without a session. A
	// fault says why their account may not be used.
	Viewer(ctx context.Context, who campus.PersonID) (campus.Viewer, error)
	// Incident finds whose way in an incident code is about, and when it began and
	// ended. A fault of kind NotFound says that there is no such code; who is empty
	// when nobody was recognised.
	Incident(ctx context.Context, code string) (who campus.PersonID, from, until time.Time, err error)
}

// Sessions ends sessions: that of the browser that asks, and others. It calls
// SessionEnded in the same transaction.
type Sessions interface {
	End(ctx context.Context, w http.ResponseWriter, r *http.Request) error
	// CloseSession ends one session of v.Person from elsewhere. A fault of kind
	// NotFound says that it is over already.
	CloseSession(ctx context.Context, v campus.Viewer, session string) error
}

// Door shows the sign-in page as the answer to this request. Its form leads on
// to next, a local address; renew asks for the password although a session is
// open.
type Door interface {
	ShowSignIn(w http.ResponseWriter, r *http.Request, next string, renew bool) error
	// Leaving notes that this browser is about to enter a service. It may answer
	// with a page that comes first, and stopped is then true: the second factor that
	// the service asks for, or the end of a loop with a service that sends people
	// back at once. With d.Passive it writes nothing.
	Leaving(w http.ResponseWriter, r *http.Request, d contract.Departure) (stopped bool, err error)
	// HeldBack writes into the story of this browser's sign-in that its person waits in
	// front of a service because of their account, or does no longer, and returns the
	// incident code to quote.
	HeldBack(w http.ResponseWriter, r *http.Request, h contract.HeldBack) (incident string, err error)
	// AsksFactor reports whether the institution asks for a second factor in front of
	// a service, whatever the service's own entry says.
	AsksFactor(service string) bool
}

// Mailer puts a mail in the outbox, in the caller's transaction.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}
