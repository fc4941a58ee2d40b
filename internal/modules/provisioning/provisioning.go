// Package provisioning is the room of accounts in other services: it creates,
// changes and closes them as the directory says, and keeps a ledger that tells
// everybody how far each one is.
package provisioning

import (
	"context"
	"embed"
	"io/fs"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/worker"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Module is the room.
type Module struct {
	Deps
	config   Config
	ledger   *ledger.Ledger
	worker   *worker.Worker
	services []*service // in the order of the configuration
}

var (
	_ contract.Module          = (*Module)(nil)
	_ contract.JobOwner        = (*Module)(nil)
	_ contract.PersonFollower  = (*Module)(nil)
	_ contract.ServiceAccounts = (*Module)(nil)
	_ contract.Dossier         = (*Module)(nil)
	_ contract.CardProvider    = (*Module)(nil)
	_ contract.Navigator       = (*Module)(nil)
	_ contract.HealthChecker   = (*Module)(nil)
	_ contract.PersonalData    = (*Module)(nil)
	_ contract.Discloser       = (*Module)(nil)
	_ contract.Remover         = (*Module)(nil)
)

// New opens the room.
func New(d Deps, c Config) (*Module, error) {
	m := &Module{Deps: d, config: c, ledger: ledger.New(d.DB)}
	var connected []worker.Service
	for _, t := range c.Targets {
		if t.Off {
			continue
		}
		s, err := m.connect(t)
		if err != nil {
			return nil, err
		}
		m.services = append(m.services, &s)
		connected = append(connected, s.Service)
	}
	m.worker = worker.New(worker.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Ledger: m.ledger, Register: d.Register, Groups: d.Groups, Everybody: m.everybody,
		Zone: d.Zone, Night: c.Night, History: c.History,
	}, connected)
	return m, nil
}

// Name is "provisioning".
func (m *Module) Name() string { return "provisioning" }

//go:embed migrations
var migrations embed.FS

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return migrations }

//go:embed locales/*.toml
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }

// Jobs registers the work on accounts.
func (m *Module) Jobs(r *jobs.Registry) { m.worker.Jobs(r) }

// PersonChanged implements contract.PersonFollower.
func (m *Module) PersonChanged(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	return m.worker.Changed(ctx, tx, who)
}

// rollAtOnce is how many people are read at once.
const rollAtOnce = 500

// everybody hands over all people of the register.
func (m *Module) everybody(ctx context.Context, each func([]campus.PersonID) error) error {
	for after := campus.PersonID(""); ; {
		people, err := m.Roll.PeopleAfter(ctx, after, rollAtOnce)
		if err != nil || len(people) == 0 {
			return err
		}
		ids := make([]campus.PersonID, len(people))
		for i, p := range people {
			ids[i] = p.ID
		}
		if err := each(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// target is the target with this id.
func (m *Module) target(id string) (*service, error) {
	for _, s := range m.services {
		if s.Service.ID == id {
			return s, nil
		}
	}
	return nil, TargetMissing
}
