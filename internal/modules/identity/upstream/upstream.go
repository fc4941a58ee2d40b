// Package upstream lets people in whom another system vouches for: an identity
// provider to which browsers are sent, or a directory that checks passwords. It
// owns the journeys, the links between accounts there and here, and what is said
// when something there stops somebody; the protocols live in packages below.
package upstream

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Door is what the alcove asks of the way in.
type Door interface {
	// Enter begins a sign-in whose first proof was given, and answers with the next
	// page on the way.
	Enter(w http.ResponseWriter, r *http.Request, who campus.PersonID, p entry.Proof, from entry.Arrival) error
	// Refused records a sign-in that stopped before anything was proved here, and
	// returns its incident code.
	Refused(w http.ResponseWriter, r *http.Request, why entry.Refusal) (incident string, err error)
}

// Register makes accounts.
type Register interface {
	AddPerson(ctx context.Context, tx db.Tx, p account.Person) (campus.PersonID, error)
}

// Journal keeps what happened.
type Journal interface {
	Write(context.Context, db.Tx, journal.Event) error
}

// Letters writes to people on every channel that is theirs.
type Letters interface {
	Tell(context.Context, db.Tx, account.Person, reach.Letter) error
}

// Deps is what the alcove asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Keys     *crypt.Keyring
	Base     *url.URL
	People   account.People
	Register Register
	Door     Door
	Journal  Journal
	Letters  Letters
	// End ends the session of a request, if there is one.
	End func(context.Context, http.ResponseWriter, *http.Request) error
	// EndSession ends a session that has ended at its upstream.
	EndSession func(ctx context.Context, tx db.Tx, session string) error
	// OwnDomain reports whether a domain of mail addresses is the institution's.
	OwnDomain func(domain string) bool
	// Guess takes one try at a password from the budgets of the sign-in, or says why
	// it must wait. Tell done whether it was wrong.
	Guess func(login string, from netip.Addr) (done func(wrong bool), err error)
	// Protocols make the upstreams to which browsers are sent, by kind;
	// Directories those that check passwords.
	Protocols   map[string]func(Config) (Protocol, error)
	Directories map[string]func(Config) (Directory, error)
}

// Upstreams is the alcove. It is safe for concurrent use.
type Upstreams struct {
	Deps
	all       []*upstream    // in the order in which people see them
	underWay  *limit.Limiter // journeys under way, by network
	strangers *limit.Limiter // sign-outs that no upstream signed, by network
	quiet     *limit.Limiter // how often the same thing is written down
	letters   *limit.Limiter // how often somebody is written to about the same thing
}

// upstream is one of them. Either protocol or directory is set.
type upstream struct {
	Config
	protocol  Protocol
	directory Directory
	seen      sight
}

// New opens the alcove. It fails when what an upstream's settings name, such as a
// file, cannot be read; one that does not answer is no reason not to start.
func New(d Deps, configs []Config) (*Upstreams, error) {
	x := &Upstreams{
		Deps:      d,
		underWay:  limit.New(openRate, 0, d.Clock),
		strangers: limit.New(strangersRate, 0, d.Clock),
		quiet:     limit.New(limit.Rate{Every: time.Minute, Burst: 1}, 0, d.Clock),
		letters:   limit.New(limit.Rate{Every: time.Hour, Burst: 1}, 0, d.Clock),
	}
	for _, c := range configs {
		if c.Off {
			continue
		}
		u := &upstream{Config: c}
		var err error
		switch {
		case d.Protocols[c.Kind] != nil:
			u.protocol, err = d.Protocols[c.Kind](c)
		case d.Directories[c.Kind] != nil:
			u.directory, err = d.Directories[c.Kind](c)
		default:
			err = fmt.Errorf("nobody speaks %q", c.Kind)
		}
		if err != nil {
			return nil, fmt.Errorf("upstream %s: %w", c.ID, err)
		}
		x.all = append(x.all, u)
	}
	slices.SortStableFunc(x.all, func(a, b *upstream) int { return cmp.Compare(a.Priority, b.Priority) })
	return x, nil
}

// The addresses of the alcove. answerURL is what an administrator registers at
// the upstream.
func startURL(id string) string  { return "/identity/upstreams/" + id + "/start" }
func answerURL(id string) string { return "/identity/upstreams/" + id + "/answer" }
func resumeURL(id string) string { return "/identity/upstreams/" + id + "/resume" }
func changeURL(id string) string { return "/identity/upstreams/" + id + "/password" }
func partURL(id string) string   { return "/identity/upstreams/" + id + "/part" }
func adminURL(id string) string  { return "/identity/upstreams/" + id }

// listURL is the page of those who run the installation.
const listURL = "/identity/upstreams"

// Routes lists every address of the alcove. Those of a journey are open to
// strangers: the answer of an upstream comes from another site, and is worth
// nothing without the transaction that it belongs to.
func (x *Upstreams) Routes(r *web.Router) {
	r.Handle("GET /identity/upstreams/{id}/start", x.start, web.Public)
	r.Handle("POST /identity/upstreams/{id}/start", x.startAfresh, web.Public)
	r.Handle("GET /identity/upstreams/{id}/answer", x.answer, web.Public)
	r.Handle("POST /identity/upstreams/{id}/answer", x.answer, web.Public, web.CrossSite, web.BodyLimit(maxAnswer))
	r.Handle("GET /identity/upstreams/{id}/metadata", x.describe, web.Public)
	r.Handle("GET /identity/upstreams/{id}/left", x.left, web.Public)
	r.Handle("POST /identity/upstreams/{id}/ended", x.endedThere, web.Public, web.CrossSite, web.BodyLimit(maxEnding))
	r.Handle("POST /identity/upstreams/{id}/part", x.part, web.Public)
	r.Handle("GET /identity/upstreams/{id}/resume", x.resume, web.Public)
	r.Handle("GET /identity/upstreams/{id}/password", x.changePage, web.Public)
	r.Handle("POST /identity/upstreams/{id}/password", x.change, web.Public)
	admins := web.Needs(campus.RightAdmin)
	r.Handle("GET /identity/upstreams", x.listPage, admins)
	r.Handle("GET /identity/upstreams/{id}", x.statePage, admins)
	r.Handle("POST /identity/upstreams/{id}/probe", x.probe, admins)
	r.Handle("GET /identity/upstreams/{id}/test", x.testJourney, admins)
	r.Handle("POST /identity/upstreams/{id}/test", x.testPassword, admins)
	r.Handle("POST /identity/upstreams/{id}/links", x.prepareLink, admins)
	r.Handle("POST /identity/upstreams/{id}/links/{link}/remove", x.removeLink, admins)
}

// How long the alcove keeps what happened; a transaction, until the session that
// began with it has ended at least.
const (
	keepTransactions = 3 * 24 * time.Hour
	keepEvents       = 35 * 24 * time.Hour
	// Anybody can begin a journey. One that led nowhere is kept until nobody is told
	// of it any more, see NotBack, and counted after that.
	keepLost    = time.Hour
	forgetEvery = 10 * time.Minute
)

// openRate bounds the journeys under way of a network: a campus behind one address
// signs in at eight, and nobody fills a disk. What led in does not count.
var openRate = limit.Rate{Every: 2 * time.Second, Burst: 1000}

// Jobs forgets old journeys and what upstreams answered long ago.
func (x *Upstreams) Jobs(reg *jobs.Registry) {
	reg.Every("identity.forget_upstream_journeys", forgetEvery, x.Forget)
	reg.Every("identity.look_at_upstreams", lookEvery, x.lookAtAll)
}

// Any reports whether anybody else vouches for people.
func (x *Upstreams) Any() bool { return len(x.all) > 0 }

// byID returns the upstream with an identifier, or Missing.
func (x *Upstreams) byID(id string) (*upstream, error) {
	for _, u := range x.all {
		if u.ID == id {
			return u, nil
		}
	}
	return nil, Missing
}

// journeyTo is byID for upstreams to which browsers are sent.
func (x *Upstreams) journeyTo(id string) (*upstream, error) {
	u, err := x.byID(id)
	if err != nil || u.protocol == nil {
		return nil, Missing
	}
	return u, nil
}

// called is what people call the upstream.
func (u *upstream) called(ctx context.Context) string {
	return i18n.Pick(ctx, u.NameFrench, u.NameEnglish)
}

// whom is who can help with it.
func (u *upstream) whom(ctx context.Context) string {
	if u.Contact != "" {
		return u.Contact
	}
	return i18n.T(ctx, "identity.upstream.desk")
}

// domainOf is what follows the @ of an address, in lower case; "" without one.
func domainOf(address string) string {
	_, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	return domain
}
