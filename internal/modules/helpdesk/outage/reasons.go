package outage

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why something about an incident cannot be done.
var (
	Missing = fault.Declare(fault.NotFound, "helpdesk.outage_missing").Leads(StatusURL)
	Changed = fault.Declare(fault.Conflict, "helpdesk.outage_changed").Leads(deskURL)
	// Ended: it is over, or was merged into another one.
	Ended = fault.Declare(fault.Conflict, "helpdesk.outage_ended").Leads(deskURL)
	// LinkSpent: the link out of a letter is no longer good for anything.
	LinkSpent = fault.Declare(fault.Gone, "helpdesk.outage_link_spent").Leads(StatusURL)
)
