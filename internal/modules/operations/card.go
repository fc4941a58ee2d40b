package operations

import (
	"context"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var _ contract.CardProvider = (*Module)(nil)

// Cards implements contract.CardProvider: how the house is, for administrators.
// What fails comes first; when nothing does, one line says so.
func (m *Module) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	if !v.Can(campus.RightAdmin) {
		return nil, nil
	}
	view, err := m.overviewView(ctx)
	if err != nil {
		return nil, err
	}
	card := contract.Card{
		ID: "operations.state", Title: i18n.T(ctx, "operations.card.title"), Rank: 5,
		Link: contract.Link{Label: i18n.T(ctx, "operations.nav"), URL: "/operations"},
	}
	for _, check := range view.Checks {
		if !check.OK {
			card.Rows = append(card.Rows, contract.CardRow{
				Title: check.Name, Detail: check.Why.Message, URL: "/operations", Tag: i18n.T(ctx, "operations.overview.bad"), Tone: "bad",
			})
		}
	}
	if view.Failing == 0 {
		card.Rows = append(card.Rows, contract.CardRow{
			Title:  i18n.T(ctx, "operations.overview.lead_good"),
			Detail: i18n.T(ctx, "operations.card.checks", "count", len(view.Checks)), Tag: i18n.T(ctx, "operations.overview.good"), Tone: "good",
		})
	}
	for _, queue := range view.Queues {
		if queue.Bad && queue.Number > 0 {
			card.Rows = append(card.Rows, contract.CardRow{Title: queue.Label, URL: queue.URL, Tag: strconv.Itoa(queue.Number), Tone: "warn"})
		}
	}
	return []contract.Card{card}, nil
}
