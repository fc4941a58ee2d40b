package directory

import (
	"context"
	"errors"

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

// GroupCalled is the name of a group, in French: it goes to services that keep one name;
// empty for one that is not there.
func (m *Module) GroupCalled(ctx context.Context, code string) (string, error) {
	g, err := m.groups.ByCode(ctx, code)
	if errors.Is(err, group.Missing) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return g.Name(campus.French), nil
}
