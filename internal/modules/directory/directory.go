// Package directory is the room of who belongs to the institution: what its sources
// say of people, groups and units, and the pages on which people find one another.
package directory

import (
	"embed"
	"io/fs"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/correction"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/guide"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/year"
)

// Module is the room.
type Module struct {
	Deps
	config Config

	groups      *group.Groups
	find        *find.Finder
	guide       *guide.Guide
	corrections *correction.Desk
	edits       *edit.Desk
	register    *register.Engine
	years       *year.Years
	door        *push.Door
}

var (
	_ contract.Module   = (*Module)(nil)
	_ contract.JobOwner = (*Module)(nil)
	_ contract.Listener = (*Module)(nil)
)

// New opens the room.
func New(d Deps, c Config) *Module {
	m := &Module{Deps: d, config: c}
	m.furnish()
	return m
}

// Name is "directory".
func (m *Module) Name() string { return "directory" }

//go:embed migrations
var migrations embed.FS

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return migrations }

//go:embed locales */locales/*.toml
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }

// Sources are the engine that reads the sources and takes what is pushed.
func (m *Module) Sources() *register.Engine { return m.register }

// Years carries out changes of year.
func (m *Module) Years() *year.Years { return m.years }

// Door is where programs push into the sources.
func (m *Module) Door() *push.Door { return m.door }
