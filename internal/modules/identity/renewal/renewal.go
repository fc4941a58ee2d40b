// Package renewal changes passwords: inside a session, on the way in, when no
// session can be opened, and when the old one is forgotten. It keeps the last
// ones so that they are not taken again, and knows when one must be changed.
package renewal

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/breached"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Hasher computes hashes in the line that sign-ins wait in too.
type Hasher interface {
	// HashPassword returns the hash of a password.
	HashPassword(ctx context.Context, plain string) (string, error)
	// MatchesHash reports whether a hash is that of a password.
	MatchesHash(ctx context.Context, hash, plain string) (bool, error)
}

// Checker says whose password something is, with the cost, the answers and the
// limits of a sign-in.
type Checker interface {
	// CheckPassword returns the person, or a fault of kind Invalid when login and
	// password do not go together, or one that asks to wait.
	CheckPassword(ctx context.Context, login, plain string, from netip.Addr) (account.Person, error)
}

// Sessions ends sessions.
type Sessions interface {
	// EndSessionsOf ends the sessions of somebody and their sign-ins under way but
	// one; "" spares none.
	EndSessionsOf(ctx context.Context, tx db.Tx, who campus.PersonID, but string) (int, error)
}

// Devices are the browsers that stand in for a second factor.
type Devices interface {
	// EndTrust lets none of somebody's browsers stand in for a factor any more.
	EndTrust(ctx context.Context, tx db.Tx, who campus.PersonID) (int, error)
}

// Way knows the order of things on the way in.
type Way interface {
	// MayRenew reports whether all that comes before a new password on the way
	// in was proved: a second factor, for those who have one.
	MayRenew(r *http.Request, a entry.Actor) (bool, error)
	// MayReplace reports whether somebody's password alone is enough to change
	// it: where nothing else would be asked before it opens a session.
	MayReplace(r *http.Request, p account.Person) (bool, error)
}

// Contacts reaches people; reach implements it.
type Contacts interface {
	Points(ctx context.Context, who campus.PersonID) ([]reach.Point, error)
	SendCode(ctx context.Context, tx db.Tx, to account.Person, at reach.Point, kind, plain string, lasts time.Duration) error
	Tell(ctx context.Context, tx db.Tx, to account.Person, l reach.Letter) error
}

// Post sends mail.
type Post interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}

// Book keeps the security events.
type Book interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Deps is what the alcove asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Keys     *crypt.Keyring
	Texts    *i18n.Catalogue // letters are in the language of who reads them
	People   account.People
	Hasher   Hasher
	Checker  Checker
	Sessions Sessions
	Devices  Devices
	Way      Way
	Door     entry.Door
	Codes    *code.Store
	Contacts Contacts
	Post     Post
	Journal  Book
	Base     *url.URL // the address that people type, for links in letters
	// NameFrench and NameEnglish are the institution's, under every letter.
	NameFrench, NameEnglish string
	// Elsewhere names the upstream that somebody signs in at instead of with a
	// password of ours, and the page where it changes passwords, which may be empty.
	Elsewhere func(ctx context.Context, p account.Person) (name, page string, ok bool, err error)
	// OwnDomain reports whether mail addresses of a domain are the institution's.
	OwnDomain func(domain string) bool
}

// Renewal is the alcove. It is safe for concurrent use.
type Renewal struct {
	Deps
	config     Config
	rules      rules.Rules
	filter     *breached.Filter
	identifier *limit.Limiter // recoveries by what was typed, from one network
	everywhere *limit.Limiter // the same from all networks together
	network    *limit.Limiter // recoveries by network
	looks      *limit.Limiter // questions while somebody types, by network
}

// New makes the alcove for a configuration that Check accepts. It fails when the
// filter of known passwords cannot be read: a house that believes it has one
// must not open without it.
func New(d Deps, c Config) (*Renewal, error) {
	x := &Renewal{
		Deps: d, config: c, rules: c.Rules(),
		identifier: limit.New(limit.Rate{Every: c.Every, Burst: c.Burst}, 0, d.Clock),
		everywhere: limit.New(limit.Rate{Every: c.Every / elsewhere, Burst: c.Burst * elsewhere}, 0, d.Clock),
		network:    limit.New(limit.Rate{Every: c.NetworkEvery, Burst: c.NetworkBurst}, 0, d.Clock),
		looks:      limit.New(limit.Rate{Every: time.Second / 4, Burst: 200}, 0, d.Clock),
	}
	var err error
	if c.BreachedFile != "" {
		x.filter, err = breached.Open(c.BreachedFile)
	} else {
		x.filter, err = breached.Shipped()
	}
	if err != nil {
		return nil, fmt.Errorf("open the filter of known passwords: %w", err)
	}
	return x, nil
}

// Routes lists every address of the alcove. Those under /password are published:
// they are on posters and in letters.
func (x *Renewal) Routes(r *web.Router) {
	r.Handle("GET /identity/password", x.changePage)
	r.Handle("POST /identity/password", x.change)
	r.Handle("GET /login/new-password", x.renewPage, web.Public)
	r.Handle("POST /login/new-password", x.renew, web.Public)
	r.Handle("GET /password", x.hubPage, web.Public)
	r.Handle("POST /password", x.hub, web.Public)
	r.Handle("GET /password/changed", x.changedPage, web.Public)
	r.Handle("GET /password/forgotten", x.forgottenPage, web.Public)
	r.Handle("POST /password/forgotten", x.forgotten, web.Public)
	r.Handle("GET /password/code", x.codePage, web.Public)
	r.Handle("POST /password/code", x.takeCode, web.Public)
	r.Handle("POST /password/code/again", x.sendAgain, web.Public)
	r.Handle("GET /password/link", x.linkPage, web.Public)
	r.Handle("POST /password/link", x.takeLink, web.Public)
	r.Handle("GET /password/passphrase", x.passphrase, web.Public)
	r.Handle("POST /password/known", x.known, web.Public)
	r.Handle("GET /.well-known/change-password", x.wellKnown, web.Public)
}

// Jobs sends recovery codes, warns of passwords that end, and forgets.
func (x *Renewal) Jobs(r *jobs.Registry) {
	jobs.Handle(r, x.send, jobs.Policy{Attempts: 8, FirstPause: 5 * time.Second, LongestPause: time.Minute})
	r.Every("identity.warn_of_expiry", 24*time.Hour, x.warn)
	r.Every("identity.forget_recoveries", 24*time.Hour, x.forget)
}

// wellKnown leads password managers to the page that changes one (W3C, "A
// Well-Known URL for Changing Passwords").
func (x *Renewal) wellKnown(w http.ResponseWriter, r *http.Request) error {
	if web.Viewer(r).SignedIn() {
		return web.SeeOther(w, r, "/identity/password")
	}
	return web.SeeOther(w, r, "/password")
}
