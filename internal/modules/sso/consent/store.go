package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/consent/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// disclosure reads what a service was told; nothing yet is the zero Disclosure.
func (c *Consent) disclosure(ctx context.Context, q db.Querier, who campus.PersonID, service string) (Disclosure, error) {
	row, err := sqlgen.New(q).Disclosure(ctx, sqlgen.DisclosureParams{Person: string(who), ServiceID: service})
	if errors.Is(err, sql.ErrNoRows) {
		return Disclosure{Service: service}, nil
	}
	if err != nil {
		return Disclosure{}, fmt.Errorf("read what %s was told: %w", service, err)
	}
	return disclosureOf(row), nil
}

func disclosureOf(row sqlgen.SsoDisclosure) Disclosure {
	return Disclosure{
		Service: row.ServiceID, NameFrench: row.NameFr, NameEnglish: row.NameEn, Told: split(row.Told),
		FirstAt: row.FirstToldAt.Time(), LastAt: row.LastToldAt.Time(), Agreed: split(row.Agreed), LeftOut: split(row.LeftOut), AgreedAt: row.AgreedAt.Time(),
	}
}

// Disclosures lists what services were told about somebody, the latest first.
func (c *Consent) Disclosures(ctx context.Context, who campus.PersonID) ([]Disclosure, error) {
	rows, err := sqlgen.New(c.DB.Read()).DisclosuresOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list what services were told: %w", err)
	}
	list := make([]Disclosure, len(rows))
	for i, row := range rows {
		list[i] = disclosureOf(row)
	}
	return list, nil
}

// noteTold adds to what a service was told: it cannot forget what it knows.
func (c *Consent) noteTold(ctx context.Context, tx db.Tx, who campus.PersonID, s *registry.Service, attributes []registry.Attribute) error {
	before, err := c.disclosure(ctx, tx, who, s.ID)
	if err != nil {
		return err
	}
	err = sqlgen.New(tx).NoteTold(ctx, sqlgen.NoteToldParams{
		Person: string(who), ServiceID: s.ID, NameFr: s.NameFrench, NameEn: s.NameEnglish,
		Told: join(slices.Concat(before.Told, attributes)), ToldAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("note what %s is told: %w", s.ID, err)
	}
	return nil
}

// agree writes down which of the attributes of a question somebody agreed to; they
// left the others out. What they answered about others stays: a second tab may have
// asked for less.
func (c *Consent) agree(ctx context.Context, tx db.Tx, who campus.PersonID, s *registry.Service, asked, agreed []registry.Attribute) error {
	before, err := c.disclosure(ctx, tx, who, s.ID)
	if err != nil {
		return err
	}
	err = sqlgen.New(tx).Agree(ctx, sqlgen.AgreeParams{
		Person: string(who), ServiceID: s.ID, NameFr: s.NameFrench, NameEn: s.NameEnglish, AgreedAt: tx.Now(),
		Agreed:  join(slices.Concat(without(before.Agreed, asked), agreed)),
		LeftOut: join(slices.Concat(without(before.LeftOut, asked), without(asked, agreed))),
	})
	if err != nil {
		return fmt.Errorf("note a consent to %s: %w", s.ID, err)
	}
	return nil
}

// without is a list less what another one holds.
func without(list, less []registry.Attribute) []registry.Attribute {
	return slices.DeleteFunc(slices.Clone(list), func(a registry.Attribute) bool { return slices.Contains(less, a) })
}

// Revoke takes a consent back. One that was not given is [ConsentMissing].
func (c *Consent) Revoke(ctx context.Context, tx db.Tx, who campus.PersonID, service string) error {
	n, err := sqlgen.New(tx).Revoke(ctx, sqlgen.RevokeParams{Person: string(who), ServiceID: service})
	if err != nil {
		return fmt.Errorf("take a consent back: %w", err)
	}
	if n == 0 {
		return ConsentMissing
	}
	return nil
}

// pruneAtOnce is how many rows one transaction deletes.
const pruneAtOnce = 500

func (c *Consent) prune(ctx context.Context) error {
	for n := int64(pruneAtOnce); n == pruneAtOnce; {
		err := c.DB.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = sqlgen.New(tx).Forget(ctx, sqlgen.ForgetParams{BeforeAt: tx.Now().Add(-Kept), Most: pruneAtOnce})
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old disclosures: %w", err)
		}
	}
	return nil
}
