package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var _ contract.Navigator = (*Module)(nil)

// Nav is the way to the directory for everybody, and to its groups and sources for
// those who keep it.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	items := []contract.NavItem{{Label: i18n.T(ctx, "directory.name"), URL: "/directory", Icon: "users", Group: 0, Tab: true}}
	if v.Can(campus.RightDirectory) {
		items = append(items,
			contract.NavItem{Label: i18n.T(ctx, "directory.nav.groups"), URL: "/directory/groups", Icon: "list", Group: 2},
			contract.NavItem{Label: i18n.T(ctx, "directory.nav.sources"), URL: "/directory/sources", Icon: "database", Group: 2},
		)
	}
	return items
}
