package sso

import (
	"context"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/casserver"
	"github.com/amphi-campus/amphi/internal/modules/sso/consent"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings says what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	days := int(m.config.History / (24 * time.Hour))
	holding := func(table, key string) contract.Holding {
		return contract.Holding{
			Table: table, What: i18n.T(ctx, "sso.holding."+key+".what"), Why: i18n.T(ctx, "sso.holding."+key+".why"),
			Basis: i18n.T(ctx, "sso.holding.basis"), Until: i18n.T(ctx, "sso.holding.until", "days", days),
			Ground: contract.PublicTask, Data: []contract.Data{contract.DataConnection, contract.DataUse},
		}
	}
	return slices.Concat([]contract.Holding{
		holding("sso_answers", "answers").Erased(contract.Delete("person"), contract.Delete("login").Marked(contract.ByLogin)),
		holding("sso_logouts", "logouts").Erased(contract.Delete("person")),
		holding("sso_incidents", "incidents"),
		contract.Held(ctx, "sso_services", "sso.holding.services").On(contract.PublicTask, contract.DataWork).
			Of(contract.PeopleAgents).Erased(contract.Clear("updated_by")),
	}, casserver.Holdings(ctx), samlidp.Holdings(ctx), oidcop.Holdings(ctx), consent.Holdings(ctx))
}

// Export writes which services a person signed in to and out of.
func (m *Module) Export(ctx context.Context, who campus.PersonID, archive *contract.Archive) error {
	held, err := m.answers.Held(ctx, who)
	if err != nil {
		return err
	}
	if err := archive.JSON("sso/services.json", held); err != nil {
		return err
	}
	if err := m.cas.Export(ctx, who, archive); err != nil {
		return err
	}
	if err := m.saml.Export(ctx, who, archive); err != nil {
		return err
	}
	if err := m.oidc.Export(ctx, who, archive); err != nil {
		return err
	}
	return m.consent.Export(ctx, who, archive)
}

var _ contract.Discloser = (*Module)(nil)

// Disclosures lists what each service was told about a person.
func (m *Module) Disclosures(ctx context.Context, who campus.PersonID) ([]contract.Disclosure, error) {
	return m.consent.Disclosed(ctx, who)
}
