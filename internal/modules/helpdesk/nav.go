package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Nav leads everybody to where they ask, and agents to the tickets.
func (m *Module) Nav(context.Context, campus.Viewer) []contract.NavItem { return nil }
