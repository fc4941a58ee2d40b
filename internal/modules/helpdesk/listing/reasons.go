package listing

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why an act on several tickets, or a list, is refused.
var (
	ActUnknown = fault.Declare(fault.Malformed, "helpdesk.act_unknown")
	// AgentElsewhere: a request would go to an agent whose right does not cover it.
	AgentElsewhere = fault.Declare(fault.Conflict, "helpdesk.agent_elsewhere")
	BulkGone       = fault.Declare(fault.Gone, "helpdesk.bulk_gone")
	ViewMissing    = fault.Declare(fault.NotFound, "helpdesk.view_missing")
	ViewUnnamed    = fault.Declare(fault.Invalid, "helpdesk.view_unnamed")
)
