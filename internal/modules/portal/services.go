package portal

import (
	"context"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/catalogue"
)

// patience is how long a page waits for what a room adds to it.
const patience = 300 * time.Millisecond

// services asks the rooms for what the viewer may open, and puts onto it what
// the viewer did with it. Rooms that do not answer are named.
func (m *Module) services(ctx context.Context, v campus.Viewer) ([]catalogue.Entry, []silence, error) {
	var offered []contract.Service
	var silent []silence
	for _, a := range askAll(ctx, patience, m.Services(), func(ctx context.Context, p contract.ServiceProvider) ([]contract.Service, error) {
		return p.Services(ctx, v)
	}) {
		if a.err != nil {
			silent = append(silent, m.silent(ctx, "services", a.room, a.err))
			continue
		}
		offered = append(offered, a.value...)
	}
	entries, err := m.shelf.Arrange(ctx, v.Person, offered)
	return entries, silent, err
}

// service is one service that the viewer may open, or catalogue.Missing.
func (m *Module) service(ctx context.Context, v campus.Viewer, id string) (catalogue.Entry, []catalogue.Entry, error) {
	entries, _, err := m.services(ctx, v)
	if err != nil {
		return catalogue.Entry{}, nil, err
	}
	i := slices.IndexFunc(entries, func(e catalogue.Entry) bool { return e.ID == id })
	if i < 0 {
		return catalogue.Entry{}, nil, catalogue.Missing
	}
	return entries[i], entries, nil
}
