package consent

import (
	"cmp"
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Disclosed puts into words what each service was told about somebody, for the
// page of what is held about them. A service that asks for consent stands on it;
// the others on the task of the institution.
func (c *Consent) Disclosed(ctx context.Context, who campus.PersonID) ([]contract.Disclosure, error) {
	x, err := c.Services.Registry(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := c.Disclosures(ctx, who)
	if err != nil {
		return nil, err
	}
	list := make([]contract.Disclosure, 0, len(kept))
	for _, d := range kept {
		line := contract.Disclosure{
			Service: d.Service, Name: nameOf(ctx, d), What: i18n.T(ctx, "sso.consent.nothing_yet"), Why: i18n.T(ctx, "sso.consent.list_gone"),
			Basis: contract.PublicTask, First: d.FirstAt, Last: d.LastAt, Agreed: d.AgreedAt, WithdrawnHere: "/sso/consents",
		}
		if !d.FirstAt.IsZero() {
			line.What = told(ctx, d.Told)
		}
		if !d.AgreedAt.IsZero() {
			line.Basis = contract.Consent
		}
		if s := x.Get(d.Service); s != nil {
			line.Name, line.Why = cmp.Or(s.Name(i18n.Locale(ctx)), line.Name), reasonOf(ctx, s)
			line.Owner, line.Contact = s.Owner, s.Contact
			if s.Consent {
				line.Basis = contract.Consent
			}
		}
		list = append(list, line)
	}
	return list, nil
}
