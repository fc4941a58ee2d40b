package app

import (
	"context"

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
