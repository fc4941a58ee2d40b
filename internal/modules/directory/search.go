package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var _ contract.Searcher = (*Module)(nil)

// hits bounds what the one search box gets of this room.
const hits = 8

// Search implements contract.Searcher.
func (m *Module) Search(ctx context.Context, v campus.Viewer, words string) ([]contract.Hit, error) {
	found, err := m.find.Search(ctx, v, find.Query{Words: words, Most: hits})
	if err != nil {
		return nil, err
	}
	group := i18n.T(ctx, "directory.name")
	var list []contract.Hit
	for _, h := range m.guide.Hits(ctx, v, found) {
		h.Group = group
		list = append(list, h)
	}
	return list[:min(len(list), hits)], nil
}
