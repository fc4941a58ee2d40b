package provisioning

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Cards implements contract.CardProvider: somebody whose accounts are not all
// ready sees which, and administrators see services that are away.
func (m *Module) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	accounts, err := m.accountsOf(ctx, v.Person)
	if err != nil {
		return nil, err
	}
	var cards []contract.Card
	mine := contract.Card{
		ID: "provisioning.mine", Title: i18n.T(ctx, "provisioning.mine.card"), Rank: 12, Aside: true,
		Link: contract.Link{Label: i18n.T(ctx, "provisioning.mine.title"), URL: "/provisioning/mine"},
	}
	for _, a := range accounts {
		if a.State != contract.AccountReady && a.State != contract.AccountNotDue {
			mine.Rows = append(mine.Rows, m.row(ctx, a, "/provisioning/mine#"+a.service.Service.ID))
		}
	}
	if len(mine.Rows) > 0 {
		cards = append(cards, mine)
	}
	if !v.Can(campus.RightAdmin) {
		return cards, nil
	}
	desks, err := m.ledger.Desks(ctx)
	if err != nil {
		return nil, err
	}
	away := contract.Card{
		ID: "provisioning.away", Title: i18n.T(ctx, "provisioning.overview.card"), Rank: 5,
		Link: contract.Link{Label: i18n.T(ctx, "provisioning.overview.title"), URL: "/provisioning"},
	}
	for _, s := range m.services {
		state, tone := m.deskState(ctx, desks[s.Service.ID])
		if tone == "bad" {
			away.Rows = append(away.Rows, contract.CardRow{Title: m.name(ctx, s), URL: "/provisioning/targets/" + s.Service.ID, Tag: state, Tone: "bad"})
		}
	}
	if len(away.Rows) > 0 {
		cards = append(cards, away)
	}
	return cards, nil
}

// row is an account as one line.
func (m *Module) row(ctx context.Context, a account, to string) contract.CardRow {
	return contract.CardRow{Title: a.Name, Detail: a.Message + " " + a.Next, URL: to, Tag: stateWord(ctx, a.State), Tone: a.tone()}
}

// stateWord names a state.
func stateWord(ctx context.Context, s contract.AccountState) string {
	return i18n.T(ctx, "provisioning.state."+string(s))
}

// agents are those who may read somebody else's accounts.
var agents = []campus.Right{campus.RightAdmin, campus.RightHelpdesk}

func isAgent(v campus.Viewer) bool {
	return v.Can(campus.RightAdmin) || v.Can(campus.RightHelpdesk)
}

// About implements contract.Dossier: the same words that the person reads.
func (m *Module) About(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	if !isAgent(v) || len(m.services) == 0 {
		return nil, nil
	}
	accounts, err := m.accountsOf(ctx, who)
	if err != nil {
		return nil, err
	}
	to := "/provisioning/people/" + string(who)
	card := contract.Card{
		ID: "provisioning.accounts", Title: i18n.T(ctx, "provisioning.person.card"), Rank: 20,
		Link: contract.Link{Label: i18n.T(ctx, "provisioning.person.title"), URL: to},
	}
	for _, a := range accounts {
		card.Rows = append(card.Rows, m.row(ctx, a, to+"#"+a.service.Service.ID))
	}
	return []contract.Card{card}, nil
}

// Nav adds the pages of the room to the navigation.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	if len(m.services) == 0 {
		return nil
	}
	items := []contract.NavItem{{Label: i18n.T(ctx, "provisioning.mine.title"), URL: "/provisioning/mine", Icon: "key", Group: 1}}
	if isAgent(v) {
		items = append(items, contract.NavItem{Label: i18n.T(ctx, "provisioning.overview.title"), URL: "/provisioning", Icon: "key", Group: 2})
	}
	return items
}
