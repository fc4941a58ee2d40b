// Package privacy is the room of what is held about people: what each room and each
// connected service keeps, export, erasure and rectification, and the register of
// processing.
package privacy

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

// Name is "privacy".
func (m *Module) Name() string { return "privacy" }

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return embed.FS{} }

//go:embed locales/*.toml
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }
