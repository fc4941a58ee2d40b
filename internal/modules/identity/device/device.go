// Package device recognises the browsers that somebody was signed in with, by a
// long-lived random cookie, and lets a second factor be skipped for some days in
// one that its owner trusts. The cookie alone opens nothing: the password is asked
// in every browser.
package device

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Post    Post
	Journal Journal
	// Texts words what a letter says of a browser, in its reader's language.
	Texts *i18n.Catalogue
}

// Post tells people something on every channel that they have.
type Post interface {
	Tell(ctx context.Context, tx db.Tx, to account.Person, l reach.Letter) error
}

// Journal writes security events.
type Journal interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Devices is every person's known browsers. It is safe for concurrent use.
type Devices struct {
	Deps
	config Config
}

// New makes the alcove.
func New(d Deps, c Config) *Devices { return &Devices{d, c} }

// Device is one browser as one person knows it.
type Device struct {
	ID          string
	Agent       string // its User-Agent header
	Network     string // where it was seen last, as limit.AddressKey writes it
	Place       place.Place
	FirstSeenAt time.Time
	LastSeenAt  time.Time
	// TrustedAt is when its owner trusted it last, TrustEndsAt until when it is
	// trusted; both may be zero.
	TrustedAt, TrustEndsAt time.Time

	// New: it was never seen with this person before the sign-in that Remember
	// wrote down.
	New bool

	token string // for the cookie, when the browser must get a new one
}

// Trusted reports whether the browser stands in for a second factor.
func (d Device) Trusted(now time.Time) bool { return d.TrustEndsAt.After(now) }

// TrustFor is how long a browser may be trusted; zero when the institution does
// not want that, and then no page offers it.
func (x *Devices) TrustFor() time.Duration { return x.config.Trust }

// Routes lists every address of the alcove. All are for people who have signed in.
func (x *Devices) Routes(r *web.Router) {
	r.Handle("GET /identity/devices", x.devicesPage)
	r.Handle("POST /identity/devices/{id}/forget", x.forget)
	r.Handle("POST /identity/devices/forget-all", x.forgetAll)
}

// Jobs forgets every day the browsers that nobody used for a long time.
func (x *Devices) Jobs(r *jobs.Registry) {
	r.Every("identity.forget_devices", 24*time.Hour, func(ctx context.Context) error { return x.prune(ctx) })
}

// Of is the device that a request comes from, for one person. known is false for a
// browser that this person was never signed in with. On a computer that the person
// calls shared, ask nothing: none is known there.
func (x *Devices) Of(r *http.Request, who campus.PersonID) (d Device, known bool, err error) {
	token := web.Cookie(r, cookie)
	if token == "" || who == "" {
		return Device{}, false, nil
	}
	return x.byToken(r.Context(), x.DB.Read(), token, who)
}
