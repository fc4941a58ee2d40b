package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
)

// GroupsOf are the codes of the groups that somebody is in, directly or through
// another group, in order.
func (m *Module) GroupsOf(ctx context.Context, who campus.PersonID) ([]string, error) {
	return nil, nil
}
