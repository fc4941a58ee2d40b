package sso

import (
	"context"
	"encoding/json"
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
