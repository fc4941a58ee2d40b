package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/health"
)

var (
	_ contract.CardProvider  = (*Module)(nil)
	_ contract.HealthChecker = (*Module)(nil)
)

// Cards are those of the alcoves.
func (m *Module) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	var all []contract.Card
	for _, a := range those[contract.CardProvider](m.alcoves()) {
		cards, err := a.Cards(ctx, v)
		if err != nil {
			return nil, err
		}
		all = append(all, cards...)
	}
	return all, nil
}

// Health is how the alcoves are.
func (m *Module) Health(ctx context.Context) []health.Check {
	var all []health.Check
	for _, a := range those[contract.HealthChecker](m.alcoves()) {
		all = append(all, a.Health(ctx)...)
	}
	return all
}
