package oidcop

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings says what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "sso_oidc_grants", "sso.oidc.holding.grants").On(contract.PublicTask, contract.DataConnection, contract.DataUse).
			Erased(contract.Delete("person")),
		contract.Held(ctx, "sso_oidc_tokens", "sso.oidc.holding.tokens").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("grant_id").Through("sso_oidc_grants", "id", "person")),
		contract.Held(ctx, "sso_oidc_devices", "sso.oidc.holding.devices").On(contract.PublicTask, contract.DataConnection, contract.DataUse).
			Erased(contract.Delete("person")),
	}
}

// Export writes what services may or might do for somebody.
func (p *Provider) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	held, err := p.grants.Held(ctx, who)
	if err != nil {
		return err
	}
	return a.JSON("sso/access.json", held)
}
