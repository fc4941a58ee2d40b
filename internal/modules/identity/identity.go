// Package identity is the room that knows people: who they are, what they belong
// to, how they prove it, and which sessions they have open.
package identity

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
	"github.com/amphi-campus/amphi/internal/modules/identity/waiting"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// Module is the room.
type Module struct {
	config    Config
	db        *db.DB
	clock     clock.Clock
	log       *slog.Logger
	doors     Doors
	followers []SessionFollower
	// peopleFollowers are the rooms that are told what changed about somebody.
	peopleFollowers func() []contract.PersonFollower
	looks           contract.Looks
	// dossiers are the rooms that know something about a person.
	dossiers   func() []contract.Dossier
	scene      Scene
	announcers func() []contract.ServiceAnnouncer

	queue    *password.Queue
	params   password.Params
	dummy    string // stands for the hash of somebody who does not exist
	waiting  *waiting.Room[*trial]
	throttle *throttle.Throttle
	refusals *limit.Limiter // how many refusals of one network are recorded
	stories  *attempt.Store
	notices  contract.Notices
	alcoves
}

var (
	_ contract.Module        = (*Module)(nil)
	_ contract.CardProvider  = (*Module)(nil)
	_ contract.Navigator     = (*Module)(nil)
	_ contract.HealthChecker = (*Module)(nil)
	_ contract.JobOwner      = (*Module)(nil)
	_ contract.PersonalData  = (*Module)(nil)
)

// New opens the room. Close it when the house closes. It fails when a file that
// the configuration names cannot be read.
func New(d Deps, c Config) (*Module, error) {
	m := &Module{
		config: c, db: d.DB, clock: d.Clock, log: d.Log, scene: d.Scene, announcers: d.Announcers,
		queue:    password.NewQueue(c.workers(), c.Queue.Limit),
		params:   c.Hash.params(),
		waiting:  waiting.New(d.Clock, func(t *trial) { t.deserted.Store(true) }),
		throttle: throttle.New(c.SignIn, d.Clock),
		refusals: limit.New(limit.Rate{Every: 2 * time.Second, Burst: 60}, limit.DefaultKeys, d.Clock),
		stories:  attempt.New(d.DB),
	}
	m.dummy = password.Dummy(m.params)
	if err := m.furnish(d, c); err != nil {
		return nil, err
	}
	return m, nil
}

// Connect tells the room who must know of the sessions that end, and who knows
// the services that a sign-in leads to. The front hall calls it once, before the
// first request: these rooms need identity, so they are opened after it.
func (m *Module) Connect(doors Doors, followers ...SessionFollower) {
	m.doors, m.followers = doors, followers
}

// Meet gives the room those who are told what changes about people, and those who
// know something about them.
func (m *Module) Meet(followers func() []contract.PersonFollower, dossiers func() []contract.Dossier) {
	m.peopleFollowers, m.dossiers = followers, dossiers
}

// Announce gives the room the place where people read notices in the portal.
func (m *Module) Announce(to contract.Notices) { m.notices = to }

// Waiting is how many people wait in line to sign in.
func (m *Module) Waiting() int {
	n, _ := m.queue.Length()
	return n
}

// Close serves those who are waiting to sign in, then stops the queue.
func (m *Module) Close() {
	m.queue.Stop()
	if err := m.risk.Close(); err != nil {
		m.log.Warn("close the file of places", "error", err)
	}
}

// Name is "identity".
func (m *Module) Name() string { return "identity" }

//go:embed migrations
var migrations embed.FS

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return migrations }

//go:embed locales */locales
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }

// Health says whether people can sign in without waiting long, whether somebody
// attacks many accounts, and whether the journal holds.
func (m *Module) Health(ctx context.Context) []health.Check {
	n, wait := m.queue.Length()
	check := health.Check{Name: "identity.queue", OK: wait < m.config.Queue.Patience, Detail: fmt.Sprintf("%d in line, %v", n, wait.Round(time.Millisecond))}
	if !check.OK {
		check.Reason = SignInSlow
	}
	return slices.Concat(m.risk.Health(ctx), []health.Check{check, m.journal.Health(ctx)}, m.upstreams.Health(ctx))
}

// keepEnded is how long a session that ended can still be explained to its
// browser.
const keepEnded = 30 * 24 * time.Hour

// Jobs ends idle sessions every minute and forgets old ones every day.
func (m *Module) Jobs(r *jobs.Registry) {
	r.Every("identity.end_idle_sessions", time.Minute, m.endIdleSessions)
	r.Every("identity.forget_sessions", 24*time.Hour, m.forgetSessions)
	r.Every("identity.forget_attempts", 24*time.Hour, m.stories.Forget)
	m.codes.Jobs(r)
	m.factors.Jobs(r)
	for _, a := range m.furniture() {
		if worker, ok := a.(contract.JobOwner); ok {
			worker.Jobs(r)
		}
	}
}
