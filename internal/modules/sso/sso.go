// Package sso is the room that signs people in to programs that other people
// wrote. It keeps the registry of services, speaks CAS with them, and explains
// twice what goes wrong: to the person, and to who repairs the service.
package sso

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/calendar"
	"github.com/amphi-campus/amphi/internal/modules/sso/casserver"
	"github.com/amphi-campus/amphi/internal/modules/sso/consent"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/logo"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp"
	"github.com/amphi-campus/amphi/internal/modules/sso/simulator"
	"github.com/amphi-campus/amphi/internal/modules/sso/trace"
	"github.com/amphi-campus/amphi/internal/modules/sso/waiting"
	"github.com/amphi-campus/amphi/internal/modules/sso/walk"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Module is the room.
type Module struct {
	Deps
	config  Config
	channel *http.Client // to services, when sessions end
	answers *answer.Store

	// index is the registry as requests read it; see services.go.
	index    atomic.Pointer[registry.Index]
	loading  sync.Mutex
	version  int64        // of the registry in index, under loading
	lookedAt atomic.Int64 // when the version was last compared, in microseconds

	cas       *casserver.Server
	trace     *trace.Trace
	consent   *consent.Consent
	waiting   *waiting.Waiting
	calendar  *calendar.Calendar
	simulator *simulator.Simulator
	walk      *walk.Walk
	logos     logo.Logos
	keys      *keys.Ring
	saml      *samlidp.IDP
	oidc      *oidcop.Provider
}

var (
	_ contract.Module          = (*Module)(nil)
	_ contract.CardProvider    = (*Module)(nil)
	_ contract.HealthChecker   = (*Module)(nil)
	_ contract.JobOwner        = (*Module)(nil)
	_ contract.Navigator       = (*Module)(nil)
	_ contract.PersonalData    = (*Module)(nil)
	_ contract.Searcher        = (*Module)(nil)
	_ contract.ServiceProvider = (*Module)(nil)
)

// New opens the room. The registry of the database is read with the first
// request that needs it.
func New(d Deps, c Config) *Module {
	newClient := d.HTTP
	if newClient == nil {
		newClient = backChannel
	}
	d.BaseURL = strings.TrimSuffix(d.BaseURL, "/")
	if d.Zone == nil {
		d.Zone = time.UTC
	}
	if c.Institution.Domain == "" {
		c.Institution.Domain = domainOf(d.BaseURL)
	}
	m := &Module{Deps: d, config: c, channel: newClient(c.LogoutTimeout), answers: answer.New(d.DB)}
	m.furnish()
	return m
}

// Name is "sso".
func (m *Module) Name() string { return "sso" }

//go:embed migrations
var migrations embed.FS

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return migrations }

//go:embed locales */locales/*.toml
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }

// t is a sentence of this room in the reader's language.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "sso."+key, pairs...)
}
