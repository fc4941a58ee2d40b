// Package risk notices sign-ins that do not look like their owner: it judges each
// by rules that add points, locks accounts that are being guessed at for a while
// that grows, and sees when passwords are tried on many accounts at once. Nothing
// it does lasts: a lock ends by its time, by a second factor, or by a code that
// goes to its owner.
package risk

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Zone is the time zone of the institution, for the hours of the night.
	Zone *time.Location
	// Sign makes keyed hashes, as crypt.Keyring.MAC does: what was typed as an
	// identifier is kept only so.
	Sign func(purpose string, data []byte) []byte

	People  account.People
	Admins  func(context.Context) ([]account.Person, error) // who is told of an attack
	Devices Devices
	Door    entry.Door
	Post    Post
	Codes   Codes
	Journal Journal
	// HasFactor reports whether somebody can prove a second factor now; nil means
	// that nobody can.
	HasFactor func(context.Context, campus.PersonID) (bool, error)
	// FactorURL is the page that asks for it on the way in.
	FactorURL string
}

// Devices knows the browsers of people.
type Devices interface {
	Of(r *http.Request, who campus.PersonID) (device.Device, bool, error)
}

// Post tells people something on every channel that they have.
type Post interface {
	Tell(ctx context.Context, tx db.Tx, to account.Person, l reach.Letter) error
}

// Codes makes and checks one-time codes.
type Codes interface {
	Issue(ctx context.Context, tx db.Tx, a code.Ask) (string, error)
	Check(ctx context.Context, purpose, subject, typed string) error
}

// Journal writes security events.
type Journal interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Risk judges sign-ins. It is safe for concurrent use.
type Risk struct {
	Deps
	config Config
	atlas  *place.Atlas
	watch  *watch
}

// New makes the alcove for a configuration that Check accepts. Close it when the
// house closes.
func New(d Deps, c Config) (*Risk, error) {
	atlas, err := place.Open(c.Networks, c.GeoIPFile)
	if err != nil {
		return nil, fmt.Errorf("open what tells where addresses are: %w", err)
	}
	return &Risk{Deps: d, config: c, atlas: atlas, watch: newWatch(c, d.Clock)}, nil
}

// Close lets the GeoIP file go.
func (x *Risk) Close() error { return x.atlas.Close() }

// Routes lists every address of the alcove. The pages of a lock are open to
// strangers, because whoever meets them has no session; they tell about a lock only
// to somebody who proved the password, or holds the key that was sent to its owner.
func (x *Risk) Routes(r *web.Router) {
	r.Handle("GET /login/locked", x.lockedPage, web.Public)
	r.Handle("POST /login/locked/send", x.sendKey, web.Public)
	r.Handle("GET /login/unlock", x.unlockPage, web.Public)
	r.Handle("POST /login/unlock", x.unlock, web.Public)
	r.Handle("GET /identity/risk", x.riskPage, web.Needs(campus.RightAdmin))
}

// keepSignals, keepLocks and keepAlarms are how long each kind of row stays.
const (
	keepSignals = 35 * 24 * time.Hour
	keepLocks   = 365 * 24 * time.Hour
	keepAlarms  = 365 * 24 * time.Hour
)

// Jobs tells people of locks and attacks, ends alarms that are over, and forgets
// what is old.
func (x *Risk) Jobs(r *jobs.Registry) {
	jobs.Handle(r, x.tellLock, jobs.Policy{})
	jobs.Handle(r, x.tellAlarm, jobs.Policy{})
	r.Every("identity.close_alarms", time.Minute, x.closeAlarms)
	r.Every("identity.forget_signals", 24*time.Hour, x.prune)
}
