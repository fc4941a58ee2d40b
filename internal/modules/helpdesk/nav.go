package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Nav leads everybody to where help is — answers and people alike — and agents to the
// tickets.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	items := []contract.NavItem{{Label: i18n.T(ctx, "helpdesk.nav.ask"), URL: "/helpdesk", Icon: "help", Group: 9, Tab: true}}
	if v.CanSomewhere(campus.RightHelpdesk) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "helpdesk.nav.tickets"), URL: "/helpdesk/tickets", Icon: "list", Group: 2})
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "helpdesk.nav.counter"), URL: "/helpdesk/counter", Icon: "building", Group: 2})
	}
	if v.Can(campus.RightDesks) || v.CanSomewhere(campus.RightHelpdesk) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "helpdesk.figures.title"), URL: "/helpdesk/figures", Icon: "chart", Group: 2})
	}
	if v.Can(campus.RightDesks) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "helpdesk.nav.setup"), URL: "/helpdesk/setup", Icon: "clock", Group: 2})
	}
	if v.Can(campus.RightHelpdesk) || v.Can(campus.RightDesks) { // what many have at once is of no single campus
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "helpdesk.outage.desk.title"), URL: "/helpdesk/outages", Icon: "warning", Group: 2})
	}
	if v.CanSomewhere(campus.RightHelpdesk) || v.Can(campus.RightDesks) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "helpdesk.knowledge.desk.title"), URL: "/helpdesk/articles", Icon: "book", Group: 2})
	}
	return items
}
