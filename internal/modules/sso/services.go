package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// LoopbackID is the service that Config.AllowLoopback adds.
const LoopbackID = "loopback"

// loopback lets a demonstration sign in to any program on the same machine.
func loopback() registry.Service {
	return registry.Service{
		ID: LoopbackID, Patterns: []string{cas.LoopbackPattern},
		NameFrench: "Programme de cette machine", NameEnglish: "Program on this machine",
		DescriptionFrench:  "Tout programme qui écoute sur cette machine, pour la démonstration.",
		DescriptionEnglish: "Any program that listens on this machine, for the demonstration.",
		Icon:               "computer", Attributes: slices.Clone(registry.Attributes), Protocol: registry.CAS,
	}
}

// lookAgain is how often the registry's version is compared, which is one small
// read: the longest that a change by another server or by a command takes to be
// seen here, so that who declares a service can try it at once. Our own is seen at
// once.
const lookAgain = 200 * time.Millisecond

// services returns the registry. When the database does not answer but an older
// registry is at hand, that one serves: sign-ins go on.
func (m *Module) services(ctx context.Context) (*registry.Index, error) {
	now := m.Clock.Now().UnixMicro()
	x, last := m.index.Load(), m.lookedAt.Load()
	if x != nil && (now-last < lookAgain.Microseconds() || !m.lookedAt.CompareAndSwap(last, now)) {
		return x, nil
	}
	if err := m.reload(ctx); err != nil {
		if x == nil {
			return nil, RegistryUnavailable.From(err)
		}
		m.Log.WarnContext(ctx, "sso registry is not fresh", "error", err)
		return x, nil
	}
	return m.index.Load(), nil
}

// reload reads the registry when its version moved.
func (m *Module) reload(ctx context.Context) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	err := m.DB.InReadTx(ctx, func(q db.Querier) error {
		s := sqlgen.New(q)
		version, err := s.RegistryVersion(ctx)
		if err != nil {
			return fmt.Errorf("read registry version: %w", err)
		}
		if m.index.Load() != nil && version == m.version {
			return nil
		}
		stored, err := listServices(ctx, q)
		if err != nil {
			return err
		}
		m.index.Store(registry.NewIndex(append(m.configured(), stored...)).Besides(m.saml.Member))
		m.version = version
		return nil
	})
	if err == nil {
		m.lookedAt.Store(m.Clock.Now().UnixMicro())
	}
	return err
}

// configured are the services that the page cannot change.
func (m *Module) configured() []registry.Service {
	list := slices.Clone(m.config.Services)
	if m.config.AllowLoopback {
		list = append(list, loopback())
	}
	for i := range list {
		list[i].FromConfiguration = true
		if list[i].Protocol == "" {
			list[i].Protocol = registry.CAS
		}
	}
	return list
}

// AddService puts a checked service into the registry.
func (m *Module) AddService(ctx context.Context, v campus.Viewer, s registry.Service) error {
	return m.changeRegistry(ctx, v, s.ID, func(tx db.Tx, x *registry.Index) error {
		if x.Get(s.ID) != nil {
			return ServiceTaken.With(fault.Args{"service": s.ID})
		}
		if err := insertService(ctx, tx, s, v.Person); db.IsUnique(err) {
			return ServiceTaken.Because(err, fault.Args{"service": s.ID})
		} else if err != nil {
			return err
		}
		return nil
	})
}

// putAtOnce is how many entries one transaction writes.
const putAtOnce = 200

// PutServices puts checked services into the registry, and with replace in place of
// the entries that have their identifiers. It returns how many were added and how
// many replaced, also when it stops at one that it may not write.
func (m *Module) PutServices(ctx context.Context, v campus.Viewer, services []registry.Service, replace bool) (added, replaced int, err error) {
	x, err := m.registryFor(ctx, v)
	if err != nil {
		return 0, 0, err
	}
	for some := range slices.Chunk(services, putAtOnce) {
		n, o := 0, 0
		err := m.write(ctx, v, some[0].ID, func(tx db.Tx) error {
			n, o = 0, 0 // the transaction may run again
			for _, s := range some {
				before := x.Get(s.ID)
				switch {
				case before == nil:
					if err := insertService(ctx, tx, s, v.Person); db.IsUnique(err) {
						return ServiceTaken.Because(err, fault.Args{"service": s.ID})
					} else if err != nil {
						return err
					}
					n++
				case before.FromConfiguration:
					return ServiceReadOnly.With(fault.Args{"service": s.ID})
				case !replace:
					return ServiceTaken.With(fault.Args{"service": s.ID})
				default:
					if err := updateService(ctx, tx, s, v.Person); err != nil {
						return err
					}
					o++
				}
			}
			return nil
		})
		if err != nil {
			return added, replaced, errors.Join(err, m.reload(ctx))
		}
		added, replaced = added+n, replaced+o
	}
	return added, replaced, m.reload(ctx)
}

// EditService replaces a service, except its id.
func (m *Module) EditService(ctx context.Context, v campus.Viewer, s registry.Service) error {
	return m.changeRegistry(ctx, v, s.ID, func(tx db.Tx, x *registry.Index) error {
		if err := writable(x, s.ID); err != nil {
			return err
		}
		return updateService(ctx, tx, s, v.Person)
	})
}

// DisableService closes a service, or opens it again.
func (m *Module) DisableService(ctx context.Context, v campus.Viewer, id string, disabled bool) error {
	return m.changeRegistry(ctx, v, id, func(tx db.Tx, x *registry.Index) error {
		if err := writable(x, id); err != nil {
			return err
		}
		changed := *x.Get(id)
		changed.Disabled = disabled
		return updateService(ctx, tx, changed, v.Person)
	})
}

// DeleteService removes a service. Its incidents stay for their time, so that a
// mistake can be understood.
func (m *Module) DeleteService(ctx context.Context, v campus.Viewer, id string) error {
	return m.changeRegistry(ctx, v, id, func(tx db.Tx, x *registry.Index) error {
		if err := writable(x, id); err != nil {
			return err
		}
		n, err := sqlgen.New(tx).DeleteService(ctx, id)
		return oneService(n, err)
	})
}

// changeRegistry writes to it and reads it again.
func (m *Module) changeRegistry(ctx context.Context, v campus.Viewer, id string, change func(db.Tx, *registry.Index) error) error {
	x, err := m.registryFor(ctx, v)
	if err != nil {
		return err
	}
	if err := m.write(ctx, v, id, func(tx db.Tx) error { return change(tx, x) }); err != nil {
		return err
	}
	return m.reload(ctx)
}

// registryFor is the registry as it stands, for who may change it.
func (m *Module) registryFor(ctx context.Context, v campus.Viewer) (*registry.Index, error) {
	if !v.Can(campus.RightAdmin) {
		return nil, AdministratorsOnly
	}
	return m.services(ctx)
}

// write is the one way to write to the registry: by an administrator, with the
// version moved in the same transaction and the change in the log. The caller
// reads it again.
func (m *Module) write(ctx context.Context, v campus.Viewer, id string, change func(db.Tx) error) error {
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return sqlgen.New(tx).BumpRegistry(ctx)
	})
	if err != nil {
		return fmt.Errorf("change the registry entry %s: %w", id, err)
	}
	m.Log.InfoContext(ctx, "sso registry changed", "service", id, "person", string(v.Person))
	return nil
}

// writable refuses what does not exist or stands in the configuration.
func writable(x *registry.Index, id string) error {
	switch s := x.Get(id); {
	case s == nil:
		return ServiceMissing
	case s.FromConfiguration:
		return ServiceReadOnly.With(fault.Args{"service": id})
	}
	return nil
}

func oneService(n int64, err error) error {
	if err == nil && n == 0 {
		return ServiceMissing
	}
	return err
}

// Destination tells the sign-in where a local address leads, and the origins that
// the redirects after the form may end on: the page has to name them.
func (m *Module) Destination(ctx context.Context, next string) (contract.Destination, bool) {
	for _, known := range m.destinations() {
		if d, ok := known(ctx, next); ok {
			return d, true
		}
	}
	return contract.Destination{}, false
}
