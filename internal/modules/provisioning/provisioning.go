// Package provisioning is the room of accounts in other services: it creates,
// changes and closes them as the directory says, and keeps a ledger that tells
// everybody how far each one is.
package provisioning

import (
	"embed"
	"io/fs"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Module is the room.
type Module struct {
	Deps
	config Config
}

var _ contract.Module = (*Module)(nil)

// New opens the room.
func New(d Deps, c Config) *Module { return &Module{Deps: d, config: c} }

// Name is "provisioning".
func (m *Module) Name() string { return "provisioning" }

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return embed.FS{} }

//go:embed locales/*.toml
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }
