package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

var _ contract.Dossier = (*Module)(nil)

// About implements contract.Dossier with the cards of the alcoves.
func (m *Module) About(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	var cards []contract.Card
	for _, a := range those[contract.Dossier](m.alcoves()) {
		more, err := a.About(ctx, v, who)
		if err != nil {
			return nil, err
		}
		cards = append(cards, more...)
	}
	return cards, nil
}
