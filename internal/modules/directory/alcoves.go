package directory

import (
	"github.com/amphi-campus/amphi/internal/modules/directory/dossier"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// alcove is a part of the room with addresses of its own.
type alcove interface{ Routes(*web.Router) }

// jobOwner is an alcove with jobs.
type jobOwner interface{ Jobs(*jobs.Registry) }

// furnish opens the alcoves, those that others lean on first.
func (m *Module) furnish() {
	m.groups = &group.Groups{DB: m.DB, Register: m.Register, Roll: m.Roll, Followers: m.Followers}
	kept := bridge{m.groups}
	m.register = register.New(register.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Texts: m.Texts, Zone: m.Zone, Register: m.Deps.Register, Notices: m.Notices, Officers: m.officers,
		Feeds: m.feeds(), Entries: kept, Units: kept, Groups: kept,
	}, m.config.Register)
}

// alcoves lists them. What they bring besides their addresses is found by their
// interfaces.
func (m *Module) alcoves() []alcove {
	return []alcove{
		m.register,
		&dossier.Dossier{Register: m.Register, Rooms: m.Dossiers, Looks: m.Looks},
	}
}

// those are the alcoves that bring a T.
func those[T any](alcoves []alcove) []T {
	var found []T
	for _, a := range alcoves {
		if t, ok := a.(T); ok {
			found = append(found, t)
		}
	}
	return found
}

// Jobs registers those of the alcoves.
func (m *Module) Jobs(r *jobs.Registry) {
	m.groups.Jobs(r)
	entry.Jobs(r, m.DB, m.Files)
	for _, owner := range those[jobOwner](m.alcoves()) {
		owner.Jobs(r)
	}
}
