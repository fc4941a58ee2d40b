package identity

import (
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// accountView is the page from which people look after their account.
type accountView struct {
	Standing  lifecycle.Standing
	Factors   []factor.Factor
	Sessions  int
	Contacts  int
	Browsers  int
	Advice    string // key of what would be the most useful thing to do; empty for nothing
	AdviceURL string
	Remind    bool // numbers and addresses were not confirmed for long
}

func (m *Module) accountPage(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), web.Viewer(r).Person
	view, err := m.accountOf(ctx, who)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, accountTempl(view))
}

func (m *Module) accountOf(ctx context.Context, who campus.PersonID) (v accountView, err error) {
	if v.Standing, err = m.lifecycle.Standing(ctx, who); err != nil {
		return v, err
	}
	if v.Factors, err = m.factors.Of(ctx, who); err != nil {
		return v, err
	}
	sessions, err := m.Sessions(ctx, who)
	if err != nil {
		return v, err
	}
	points, err := m.reach.Points(ctx, who)
	if err != nil {
		return v, err
	}
	browsers, err := m.devices.List(ctx, who)
	if err != nil {
		return v, err
	}
	v.Sessions, v.Contacts, v.Browsers = len(sessions), len(points), len(browsers)
	if v.Advice, v.AdviceURL, _, err = m.enrol.Advice(ctx, who); err != nil {
		return v, err
	}
	v.Remind, err = m.reach.Reminder(ctx, who, m.clock.Now())
	return v, err
}

// ending reports whether the end of the account was announced.
func (v accountView) ending() bool { return v.Standing.State == account.Expiring }

// endingWords say why the account ends and who can mend it.
func (v accountView) endingWords(ctx context.Context) string {
	return v.Standing.Why(ctx) + " " + v.Standing.Who(ctx) + " " + v.Standing.Contest(ctx)
}

// factorsDetail says how many factors there are.
func (v accountView) factorsDetail(ctx context.Context) string {
	if len(v.Factors) == 0 {
		return i18n.T(ctx, "identity.account.factors_none")
	}
	return i18n.T(ctx, "identity.account.factors_detail", "count", len(v.Factors))
}

// Nav offers what the rights of somebody open here.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	var items []contract.NavItem
	offer := func(key, url, icon string, rights ...campus.Right) {
		if slices.ContainsFunc(rights, v.Can) {
			items = append(items, contract.NavItem{Label: i18n.T(ctx, "identity.nav."+key), URL: url, Icon: icon, Group: 2})
		}
	}
	offer("support", "/identity/support", "lock", campus.RightHelpdesk)
	if v.CanSomewhere(campus.RightSecretariat) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "identity.nav.accounts"), URL: "/identity/accounts", Icon: "users", Group: 2})
	}
	offer("invitations", "/identity/invitations", "mail", campus.RightSecretariat, campus.RightAdmin)
	offer("risk", "/identity/risk", "shield", campus.RightAdmin)
	offer("rights", "/identity/rights", "key", campus.RightAdmin)
	offer("journal", "/identity/journal/all", "list", campus.RightAdmin)
	if m.upstreams.Any() {
		offer("upstreams", "/identity/upstreams", "plug", campus.RightAdmin)
	}
	return items
}
