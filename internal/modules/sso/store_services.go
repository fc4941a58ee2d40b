package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// listServices reads the services of the database, by id.
func listServices(ctx context.Context, q db.Querier) ([]registry.Service, error) {
	rows, err := sqlgen.New(q).ListServices(ctx)
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	services := make([]registry.Service, len(rows))
	for i, row := range rows {
		if services[i], err = serviceOf(row); err != nil {
			return nil, err
		}
	}
	return services, nil
}

func serviceOf(row sqlgen.SsoService) (registry.Service, error) {
	var s registry.Service
	if err := json.Unmarshal([]byte(row.Document), &s); err != nil {
		return s, fmt.Errorf("read service %s: %w", row.ID, err)
	}
	s.ID = row.ID
	return s, nil
}

// document is a service as it is stored; the type always encodes.
func document(s registry.Service) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func insertService(ctx context.Context, tx db.Tx, s registry.Service, by campus.PersonID) error {
	return sqlgen.New(tx).InsertService(ctx, sqlgen.InsertServiceParams{ID: s.ID, Document: document(s), CreatedAt: tx.Now(), UpdatedBy: string(by)})
}

func updateService(ctx context.Context, tx db.Tx, s registry.Service, by campus.PersonID) error {
	return oneService(sqlgen.New(tx).UpdateService(ctx, sqlgen.UpdateServiceParams{ID: s.ID, Document: document(s), UpdatedAt: tx.Now(), UpdatedBy: string(by)}))
}

// registrar keeps entries that clients of OpenID Connect register themselves
// (oidcop.Registrar). The bounds were checked before: no administrator is asked.
type registrar struct{ *Module }

// registeredBy stands where the person of a change does.
const registeredBy = "registration"

// PutService adds an entry or replaces it.
func (m registrar) PutService(ctx context.Context, s registry.Service, also func(db.Tx) error) error {
	return m.register(ctx, s.ID, also, func(tx db.Tx) error {
		err := updateService(ctx, tx, s, registeredBy)
		if errors.Is(err, ServiceMissing) {
			err = insertService(ctx, tx, s, registeredBy)
		}
		return err
	})
}

// DropService removes an entry.
func (m registrar) DropService(ctx context.Context, id string, also func(db.Tx) error) error {
	return m.register(ctx, id, also, func(tx db.Tx) error {
		return oneService(sqlgen.New(tx).DeleteService(ctx, id))
	})
}

// register changes the registry and what belongs to the change in one transaction.
func (m registrar) register(ctx context.Context, id string, also, change func(db.Tx) error) error {
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		if err := also(tx); err != nil {
			return err
		}
		return sqlgen.New(tx).BumpRegistry(ctx)
	})
	if err != nil {
		return fmt.Errorf("change the registered entry %s: %w", id, err)
	}
	m.Log.InfoContext(ctx, "sso registry changed", "service", id, "by", registeredBy)
	return m.reload(ctx)
}
