package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

var (
	_ contract.PersonalData = (*Module)(nil)
	_ contract.Eraser       = (*Module)(nil)
)

// Holdings declares what the alcoves keep about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	var all []contract.Holding
	for _, a := range those[contract.PersonalData](m.alcoves()) {
		all = append(all, a.Holdings(ctx)...)
	}
	return all
}

// Export writes what the alcoves hold about one person.
func (m *Module) Export(ctx context.Context, who campus.PersonID, archive *contract.Archive) error {
	for _, a := range those[contract.PersonalData](m.alcoves()) {
		if err := a.Export(ctx, who, archive); err != nil {
			return err
		}
	}
	return nil
}

// Erase implements contract.Eraser: what the alcoves keep beside their tables goes.
func (m *Module) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	var all []contract.Erased
	for _, a := range those[contract.Eraser](m.alcoves()) {
		erased, err := a.Erase(ctx, who)
		if err != nil {
			return all, err
		}
		all = append(all, erased...)
	}
	return all, nil
}
