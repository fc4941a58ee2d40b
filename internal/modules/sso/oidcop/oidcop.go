// Package oidcop is the OpenID Connect provider: it sends people on to clients
// with codes, gives the clients tokens for them, and tells clients that a session
// ended. The conditions on which somebody enters a service are in sso/gate, what
// a client may do in the registry.
//
// It follows OpenID Connect Core 1.0 and Discovery 1.0, OAuth 2.0 (RFC 6749) as
// its security practice narrows it (RFC 9700), and the extensions that each file
// names. Access tokens are opaque: they are looked up, so that they end when they
// are revoked and not when they expire. A client that cannot ask us gets a JWT
// when its entry says so.
package oidcop

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/proof"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Texts   *i18n.Catalogue
	Answers *answer.Store
	Gate    gate.Gate
	Exit    gate.Exit
	Keys    *keys.Ring
	People  People
	// Registrar keeps entries that clients register themselves.
	Registrar Registrar
	// Mailer warns people; nil sends nothing.
	Mailer Mailer
	// MAC makes pairwise identifiers (crypt.Keyring.Name).
	MAC registry.MAC
	// Channel reaches clients: their keys, their sign-out. It must not follow
	// redirects.
	Channel *http.Client
	// BaseURL is the public address of the house without a slash at its end. It is
	// the issuer.
	BaseURL string
}

// People knows somebody while no browser of theirs is here.
type People interface {
	Viewer(ctx context.Context, who campus.PersonID) (campus.Viewer, error)
}

// Registrar keeps entries of the registry that no administrator wrote. also runs in
// the same transaction; the change is seen when the call returns.
type Registrar interface {
	// PutService adds an entry or replaces it.
	PutService(ctx context.Context, s registry.Service, also func(db.Tx) error) error
	// DropService removes an entry.
	DropService(ctx context.Context, id string, also func(db.Tx) error) error
}

// Mailer puts a mail in the outbox, in the caller's transaction.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}

// Provider is the OpenID Connect provider. It is safe for concurrent use.
type Provider struct {
	Deps
	config Config
	grants *grant.Store
	keys   *proof.Keys
	web    origins

	failures *limit.Limiter // clients that failed to prove themselves, by address
	unknowns *limit.Limiter // incidents about unknown clients, by address
	guesses  *limit.Limiter // codes of devices that were typed wrongly, by person and by address
	pending  *limit.Limiter // what clients without a secret leave with us, by address
	proofs   *limit.Limiter // proofs of theirs that led to nothing, by address
}

// userAgent is how we introduce ourselves to clients.
const userAgent = "Amphi OpenID Provider"

// Wrong secrets and proofs are bounded by address; right ones are not: a service
// signs in a lecture hall from one address within a minute.
var (
	failureRate = limit.Rate{Every: 500 * time.Millisecond, Burst: 120}
	unknownRate = limit.Rate{Every: time.Minute, Burst: 20}
	// guessRate lets people mistype, and makes 34 bits of code last for ages.
	guessRate = limit.Rate{Every: time.Minute, Burst: 6}
	// pendingRate lets a room full of televisions begin, and fills no disk.
	pendingRate = limit.Rate{Every: time.Second, Burst: 120}
	// proofRate bounds the proofs that we remember for requests that are refused.
	proofRate = limit.Rate{Every: 500 * time.Millisecond, Burst: 240}
)

// New makes the alcove.
func New(d Deps, c Config) *Provider {
	d.BaseURL = strings.TrimSuffix(d.BaseURL, "/")
	return &Provider{
		Deps: d, config: c, grants: grant.New(d.DB), keys: proof.NewKeys(d.Channel, d.Clock, userAgent),
		failures: limit.New(failureRate, limit.DefaultKeys, d.Clock),
		unknowns: limit.New(unknownRate, limit.DefaultKeys, d.Clock),
		guesses:  limit.New(guessRate, limit.DefaultKeys, d.Clock),
		pending:  limit.New(pendingRate, limit.DefaultKeys, d.Clock),
		proofs:   limit.New(proofRate, limit.DefaultKeys, d.Clock),
	}
}

var _ answer.Closer = (*Provider)(nil)

// SessionEnded ends, in the transaction that ends a session, what clients may do
// because of it. What was granted to outlive the session goes on.
func (p *Provider) SessionEnded(ctx context.Context, tx db.Tx, session string) error {
	return p.grants.EndOfSession(ctx, tx, session)
}

// Withdraw ends what a service may do for somebody, who takes their consent back;
// an empty service is all of them.
func (p *Provider) Withdraw(ctx context.Context, tx db.Tx, who campus.PersonID, service string) error {
	_, err := p.grants.EndOfPerson(ctx, tx, who, service)
	return err
}

// ShutOut ends what clients may do for somebody whose account others may have used:
// also what was granted to outlive sessions, and devices. What was granted in the
// session that except names, "" for none, goes on.
func (p *Provider) ShutOut(ctx context.Context, tx db.Tx, who campus.PersonID, except string) error {
	return p.grants.ShutOut(ctx, tx, who, except)
}

// Destination says which service a local address of ours leads to, and on which
// origins its redirects end; ok is false for any other address.
func (p *Provider) Destination(ctx context.Context, next string) (d contract.Destination, ok bool) {
	u, err := url.Parse(next)
	if err != nil || u.Path != authorizePath && u.Path != deviceAllowPath {
		return contract.Destination{}, false
	}
	x, err := p.Gate.Registry(ctx)
	if err != nil {
		return contract.Destination{}, false // the sign-in itself can go on
	}
	if u.Path == deviceAllowPath {
		return p.deviceDestination(ctx, x, u.Query().Get(userCodeField))
	}
	s := x.Client(u.Query().Get("client_id"))
	if s == nil || !s.SignsIn() {
		return contract.Destination{}, false
	}
	d = contract.Destination{Service: s.ID, Name: s.Name(i18n.Locale(ctx))}
	address := u.Query().Get("redirect_uri")
	if !s.OIDC.Redirects(address) { // a pushed request: any of them
		for _, one := range s.OIDC.RedirectURIs {
			d.Origins = addOrigin(d.Origins, one)
		}
		return d, true
	}
	d.Origins = addOrigin(nil, address)
	return d, true
}

// maxOrigins bounds the header that names them.
const maxOrigins = 12

// addOrigin adds the origin of an address, as a content-security policy names it.
func addOrigin(list []string, address string) []string {
	origin := web.OriginOf(address)
	if origin == "" || len(list) >= maxOrigins || slices.Contains(list, origin) {
		return list
	}
	return append(list, origin)
}

// history is how long an ended grant is kept, for the person who asks what a
// service could do in their name.
const history = 30 * 24 * time.Hour

// Jobs forgets what has run out.
func (p *Provider) Jobs(r *jobs.Registry) {
	r.Every("sso.prune_oidc", 10*time.Minute, func(ctx context.Context) error { return p.grants.Prune(ctx, history) })
}
