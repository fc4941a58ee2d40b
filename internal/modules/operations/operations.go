// Package operations is the administrator's room: how the house is, what works in the background,
// which messages left, and the configuration in force. It owns no data; it shows what the ground
// floor keeps.
package operations

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

//go:embed locales/*.toml
var locales embed.FS

// Module is the room.
type Module struct{ deps Deps }

var (
	_ contract.Module        = (*Module)(nil)
	_ contract.Navigator     = (*Module)(nil)
	_ contract.HealthChecker = (*Module)(nil)
	_ contract.PersonalData  = (*Module)(nil)
)

// New makes the room.
func New(deps Deps) *Module { return &Module{deps: deps} }

// Name implements contract.Module.
func (m *Module) Name() string { return "operations" }

// Migrations implements contract.Module: there are none.
func (m *Module) Migrations() fs.FS { return embed.FS{} }

// Locales implements contract.Module.
func (m *Module) Locales() fs.FS { return locales }

// Nav implements contract.Navigator: one entry, for administrators.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	if !v.Can(campus.RightAdmin) {
		return nil
	}
	return []contract.NavItem{{Label: i18n.T(ctx, "operations.nav"), URL: "/operations", Icon: "settings", Group: 2}}
}

// Health implements contract.HealthChecker: jobs that gave up wait for a person.
func (m *Module) Health(ctx context.Context) []health.Check {
	return []health.Check{health.Run(ctx, "operations.jobs", func(ctx context.Context) (string, error) {
		n, err := m.deps.Board.Count(ctx, jobs.Filter{State: jobs.Dead})
		if err == nil && n > 0 {
			err = JobsGaveUp
		}
		return fmt.Sprintf("given up: %d", n), err
	})}
}
