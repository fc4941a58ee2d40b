// Package outage makes one incident of what many have at once: it notices that many
// ask alike, says it to everybody on banners and the status page, answers all of them
// together, and announces maintenance in the same place.
package outage

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Kind tells what breaks from what is taken down on purpose.
type Kind string

// The kinds.
const (
	Incident    Kind = "incident"
	Maintenance Kind = "maintenance"
)

// State is how far it is.
type State string

// The states. Maintenance is planned until it is over.
const (
	Suspected     State = "suspected" // many ask alike; nobody has looked yet
	Investigating State = "investigating"
	Identified    State = "identified"
	Watching      State = "watching" // mended, as it seems
	Planned       State = "planned"
	Over          State = "over"
	Dismissed     State = "dismissed" // it was none, or the maintenance is called off
	Merged        State = "merged"
)

// Runs reports whether it is not behind us.
func (s State) Runs() bool { return s != Over && s != Dismissed && s != Merged }

// Impact is how much of a service is missing.
type Impact string

// The impacts.
const (
	Slow   Impact = "slow"
	Partly Impact = "partly"
	Down   Impact = "down"
)

// Impacts lists them, the lightest first.
var Impacts = []Impact{Slow, Partly, Down}

// Outage is an incident or a maintenance.
type Outage struct {
	ID       string
	Kind     Kind
	State    State
	Impact   Impact
	Title    hours.Named
	Alike    string   // key by which it was suspected; empty when somebody made it
	Services []string // identifiers in the register of services; none is all of the house
	Campuses []string // codes; none is everywhere
	// Begins and Ends are when it is; Ends is zero while nobody knows.
	Begins, Ends time.Time
	// Announced is since when everybody may read it; zero for not yet.
	Announced  time.Time
	ChangedAt  time.Time
	By         campus.PersonID // who made it; empty for the house
	MergedInto string
	// Version counts changes: who writes names the one that they read.
	Version int64
}

// Now reports whether services are missing at an instant.
func (o Outage) Now(at time.Time) bool {
	if o.Kind == Maintenance {
		return o.State == Planned && !at.Before(o.Begins) && at.Before(o.Ends)
	}
	return o.State.Runs()
}

// Ahead reports whether it is a maintenance that is still to come.
func (o Outage) Ahead(at time.Time) bool {
	return o.Kind == Maintenance && o.State == Planned && at.Before(o.Begins)
}

// Past reports whether it is behind us.
func (o Outage) Past(at time.Time) bool {
	return !o.State.Runs() || o.Kind == Maintenance && !at.Before(o.Ends)
}

// Reaches reports whether it concerns one of the campuses. It does when either side
// names none: elsewhere than on a campus nobody knows better.
func (o Outage) Reaches(campuses []string) bool {
	return len(o.Campuses) == 0 || slices.ContainsFunc(campuses, func(c string) bool { return slices.Contains(o.Campuses, c) })
}

// Update is one thing that was told, in both languages.
type Update struct {
	ID, Outage string
	At         time.Time
	State      State // as it was from then on
	Words      hours.Named
	By         campus.PersonID
	Answers    bool // it was written into every attached ticket
	Solves     bool // which it solved
	Undone     time.Time
}

// Services names the programs behind single sign-on.
type Services interface {
	ServiceCalled(ctx context.Context, service string) (name, address string)
}

// Roll says who holds a right.
type Roll interface {
	HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error)
}

// Mailer puts mail in the outbox, in the caller's transaction.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Keys     *crypt.Keyring
	Texts    *i18n.Catalogue
	Zone     *time.Location // of the institution
	Base     *url.URL
	Tickets  *ticket.Tickets
	Terms    *term.Terms
	Places   place.Names
	Roll     Roll
	Notices  contract.Notices
	Mailer   Mailer
	Proving  *proving.Proving
	Proofs   contract.Proofs
	Services Services
	// Catalogue are the rooms that offer services.
	Catalogue func() []contract.ServiceProvider
	// Next finds the place of a ticket, before it is attached to what many have.
	Next ticket.Placer
	// InstitutionFrench and InstitutionEnglish sign letters.
	InstitutionFrench, InstitutionEnglish string
}

// Outages is the alcove.
type Outages struct {
	Deps
	board board
}

var (
	_ contract.Announcer = (*Outages)(nil)
	_ ticket.Follower    = (*Outages)(nil)
	_ ticket.Placer      = (*Outages)(nil)
)

// New opens the alcove.
func New(d Deps) *Outages {
	x := &Outages{Deps: d}
	d.Proving.On(followPurpose, x.proved)
	return x
}

// Addresses of the alcove.
const (
	StatusURL = "/helpdesk/status"
	deskURL   = "/helpdesk/outages"
	leaveURL  = "/helpdesk/unfollow/" // with the token of a letter
)

// Routes lists the addresses. The status page is for everybody; agents may say what
// they suspect, and those who run the desk decide what is said to everybody.
func (x *Outages) Routes(r *web.Router) {
	r.Handle("GET /helpdesk/status", x.statusPage, web.Public)
	r.Handle("GET /helpdesk/status/status.json", x.statusJSON, web.Public)
	r.Handle("GET /helpdesk/status/feed.atom", x.statusFeed, web.Public)
	r.Handle("POST /helpdesk/status/dismiss", x.putAway, web.Public)
	r.Handle("GET /helpdesk/status/{id}", x.onePage, web.Public)
	r.Handle("GET /helpdesk/status/{id}/calendar.ics", x.calendarFile, web.Public)
	r.Handle("POST /helpdesk/status/{id}/follow", x.follow, web.Public)
	r.Handle("POST /helpdesk/status/{id}/unfollow", x.unfollow, web.Public)
	r.Handle("GET /helpdesk/unfollow/{token}", x.leavePage, web.Public)
	r.Handle("POST /helpdesk/unfollow/{token}", x.leave, web.Public)

	agents, desks := web.Needs(campus.RightHelpdesk, campus.RightDesks), web.Needs(campus.RightDesks)
	r.Handle("GET /helpdesk/outages", x.deskPage, agents)
	r.Handle("GET /helpdesk/outages/new", x.newPage, agents)
	r.Handle("POST /helpdesk/outages/new", x.create, agents)
	r.Handle("GET /helpdesk/outages/{id}", x.workPage, agents)
	r.Handle("POST /helpdesk/outages/{id}/attach", x.attachTicket, agents)
	r.Handle("POST /helpdesk/outages/{id}/detach", x.detachTicket, agents)
	r.Handle("POST /helpdesk/outages/{id}/keep", x.keepFacts, desks)
	r.Handle("POST /helpdesk/outages/{id}/tell", x.tellAll, desks)
	r.Handle("POST /helpdesk/outages/{id}/dismiss", x.dismiss, desks)
	r.Handle("POST /helpdesk/outages/{id}/merge", x.mergeInto, desks)
	r.Handle("POST /helpdesk/outages/{id}/undo", x.undoSolving, desks)
}

// Jobs registers the jobs of the alcove.
func (x *Outages) Jobs(r *jobs.Registry) {
	jobs.Handle(r, x.suspect, jobs.Policy{})
	jobs.Handle(r, x.gather, jobs.Policy{Timeout: 10 * time.Minute})
	jobs.Handle(r, x.answer, jobs.Policy{Timeout: 10 * time.Minute})
	jobs.Handle(r, x.takeBack, jobs.Policy{Timeout: 10 * time.Minute})
	jobs.Handle(r, x.tellSubscribers, jobs.Policy{Timeout: 10 * time.Minute})
	r.Every("helpdesk.outages.tidy", time.Hour, x.tidy)
}

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "helpdesk.outage."+key, pairs...)
}
