package app

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// serviceNames gives the room of accounts the names that services have in the
// registry of single sign-on.
type serviceNames struct{ sso *sso.Module }

// ServiceCalled implements provisioning.Catalogue. A registry that cannot be read
// names nothing: the ledger is shown all the same.
func (s serviceNames) ServiceCalled(ctx context.Context, service string) (name, address string) {
	x, err := s.sso.Registry(ctx)
	if err != nil {
		return "", ""
	}
	found := x.Get(service)
	if found == nil {
		return "", ""
	}
	return found.Name(i18n.Locale(ctx)), found.Home
}

// ledgerOf is the ledger of accounts of a house whose rooms are being opened:
// single sign-on is opened before it.
type ledgerOf struct{ house *House }

// AccountIn implements contract.ServiceAccounts.
func (l ledgerOf) AccountIn(ctx context.Context, who campus.PersonID, service string) (contract.ServiceAccount, bool, error) {
	return l.house.provisioning.AccountIn(ctx, who, service)
}
