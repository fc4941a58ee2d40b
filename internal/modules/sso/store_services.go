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
	s := registry.Service{
		ID: row.ID, NameFrench: row.NameFr, NameEnglish: row.NameEn,
		DescriptionFrench: row.DescriptionFr, DescriptionEnglish: row.DescriptionEn,
		Category: row.Category, Icon: row.Icon, Logo: row.Logo, Home: row.Home, Contact: row.Contact,
		Protocol: registry.Protocol(row.Protocol), NoSingleLogout: row.NoSingleLogout, Disabled: row.Disabled,
	}
	for _, list := range []struct {
		text string
		into any
	}{{row.Keywords, &s.Keywords}, {row.Patterns, &s.Patterns}, {row.Attributes, &s.Attributes}, {row.Audience, &s.Audience}} {
		if err := json.Unmarshal([]byte(list.text), list.into); err != nil {
			return s, fmt.Errorf("read service %s: %w", row.ID, err)
		}
	}
	return s, nil
}

// asJSON writes a list; the types above always encode.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// listJSON writes no list as an empty one.
func listJSON[T any](list []T) string {
	if list == nil {
		return "[]"
	}
	return asJSON(list)
}

func insertService(ctx context.Context, tx db.Tx, s registry.Service, by campus.PersonID) error {
	return sqlgen.New(tx).InsertService(ctx, sqlgen.InsertServiceParams{
		ID: s.ID, NameFr: s.NameFrench, NameEn: s.NameEnglish, DescriptionFr: s.DescriptionFrench, DescriptionEn: s.DescriptionEnglish,
		Category: s.Category, Icon: s.Icon, Logo: s.Logo, Home: s.Home, Contact: s.Contact, Protocol: string(s.Protocol),
		NoSingleLogout: s.NoSingleLogout, Disabled: s.Disabled, Keywords: listJSON(s.Keywords), Patterns: listJSON(s.Patterns),
		Attributes: listJSON(s.Attributes), Audience: asJSON(s.Audience), CreatedAt: tx.Now(), UpdatedAt: tx.Now(), UpdatedBy: string(by),
	})
}

func updateService(ctx context.Context, tx db.Tx, s registry.Service, by campus.PersonID) error {
	return oneService(sqlgen.New(tx).UpdateService(ctx, sqlgen.UpdateServiceParams{
		ID: s.ID, NameFr: s.NameFrench, NameEn: s.NameEnglish, DescriptionFr: s.DescriptionFrench, DescriptionEn: s.DescriptionEnglish,
		Category: s.Category, Icon: s.Icon, Logo: s.Logo, Home: s.Home, Contact: s.Contact, Protocol: string(s.Protocol),
		NoSingleLogout: s.NoSingleLogout, Disabled: s.Disabled, Keywords: listJSON(s.Keywords), Patterns: listJSON(s.Patterns),
		Attributes: listJSON(s.Attributes), Audience: asJSON(s.Audience), UpdatedAt: tx.Now(), UpdatedBy: string(by),
	}))
}
