package directory

import (
	"context"
	"sync"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/addressbook"
	"github.com/amphi-campus/amphi/internal/modules/directory/api"
	"github.com/amphi-campus/amphi/internal/modules/directory/correction"
	"github.com/amphi-campus/amphi/internal/modules/directory/dossier"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/guide"
	"github.com/amphi-campus/amphi/internal/modules/directory/ldapview"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/scim"
	"github.com/amphi-campus/amphi/internal/modules/directory/year"
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
	m.find = find.New(find.Deps{DB: m.DB, Clock: m.Clock, Log: m.Log, Register: m.reader(), Rules: m.config.Visibility})
	m.guide = guide.New(guide.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Files: m.Files, Zone: m.Zone, Base: m.Base, Find: m.find, Groups: m.groups,
		Rules: m.config.Visibility, Register: m.Deps.Register, Places: m.Places,
	})
	kept := bridge{m.groups, m.config.Sources}
	m.register = register.New(register.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Texts: m.Texts, Zone: m.Zone, Register: m.Deps.Register, Notices: m.Notices, Officers: m.officers,
		Feeds: m.feeds(), Entries: kept, Units: kept, Groups: kept, Photos: entry.Photos{DB: m.DB, Files: m.Files},
		Journal: m.Journal,
	}, m.config.Register)
	m.edits = &edit.Desk{Deps: edit.Deps{DB: m.DB, Find: m.find, Register: m.Deps.Register, Places: m.Places, Sources: origins{m.register}}}
	m.corrections = &correction.Desk{DB: m.DB, Log: m.Log, Texts: m.Texts, Find: m.find, Holders: m.Roll, Notices: m.Notices, Edits: m.edits}
	m.years = year.New(year.Deps{DB: m.DB, Register: m.Deps.Register, Roll: m.Roll, Places: m.Places, Zone: m.Zone})
	m.door = &push.Door{DB: m.DB, Clock: m.Clock, Engine: m.register, Sources: m.config.Sources, Confirm: m.Confirm, Journal: m.Journal, Keepers: m.officers, Notices: m.Notices, Texts: m.Texts}
}

// alcoves lists them. What they bring besides their addresses is found by their
// interfaces.
func (m *Module) alcoves() []alcove {
	return []alcove{
		m.register, m.guide, m.corrections, m.edits,
		m.door, &scim.Server{Door: m.door}, &api.API{Door: m.door},
		&addressbook.Books{People: m.find, Apps: m.Apps, Card: m.guide.Card, Most: mostContacts},
		m.years,
		&dossier.Dossier{Register: m.Register, Rooms: m.Dossiers, Looks: m.Looks},
	}
}

// mostContacts is how many people an address book holds: a telephone reads them all.
const mostContacts = 20_000

// Listen implements contract.Listener: programs read the directory by LDAP. The
// search reads it meanwhile, so that nobody waits for that.
func (m *Module) Listen(ctx context.Context) error {
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() { m.find.Keep(ctx) })
	view := ldapview.New(ldapview.Deps{People: m.find, Apps: m.Apps, Clock: m.Clock, Log: m.Log, Base: m.Base, Language: campus.French}, m.config.LDAP)
	return view.Serve(ctx)
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

// reader is the register of people as the search reads it.
func (m *Module) reader() find.Register {
	return struct {
		contract.Register
		Roll
	}{m.Deps.Register, m.Roll}
}
