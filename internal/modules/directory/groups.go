package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
)

// Groups are the groups of the institution.
func (m *Module) Groups() *group.Groups { return m.groups }

// GroupsOf are the codes of the groups that somebody is in, directly or through
// another group, in order.
func (m *Module) GroupsOf(ctx context.Context, who campus.PersonID) ([]string, error) {
	return m.groups.GroupsOf(ctx, who)
}
