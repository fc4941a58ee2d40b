package consent

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{contract.Held(ctx, "sso_disclosures", "sso.consent.holding").On(contract.Consent, contract.DataUse, contract.DataIdentity).
		Erased(contract.Delete("person")).Mended("/sso/consents")}
}

// Export writes what services were told about somebody, and what they agreed to.
func (c *Consent) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	list, err := c.Disclosures(ctx, who)
	if err != nil {
		return err
	}
	return a.JSON("sso/disclosures.json", list)
}
