package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var _ contract.PersonFollower = (*Module)(nil)

// PersonChanged implements contract.PersonFollower: the search reads the person
// again, and the rules of groups look at them.
func (m *Module) PersonChanged(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	if err := stamp.Person(ctx, tx, who); err != nil {
		return err
	}
	return m.groups.PersonChanged(ctx, tx, who)
}
