package portal

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Nav is the way to the pages of the hall.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	items := []contract.NavItem{
		{Label: i18n.T(ctx, "portal.nav.home"), URL: "/", Icon: "home", Group: 0, Tab: true},
		{Label: i18n.T(ctx, "portal.nav.services"), URL: "/portal/services", Icon: "list", Group: 0, Tab: true},
		{Label: i18n.T(ctx, "portal.nav.news"), URL: "/portal/news", Icon: "news", Group: 0},
	}
	if v.Can(campus.RightNews) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "portal.nav.desk"), URL: "/portal/desk", Icon: "edit", Group: 2})
	}
	return items // help has one entry, that of the help desk
}
