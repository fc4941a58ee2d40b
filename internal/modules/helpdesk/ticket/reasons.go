package ticket

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a ticket cannot be read or changed.
var (
	Missing    = fault.Declare(fault.NotFound, "helpdesk.ticket_missing").Leads("/helpdesk")
	Changed    = fault.Declare(fault.Conflict, "helpdesk.ticket_changed")
	WrongState = fault.Declare(fault.Conflict, "helpdesk.wrong_state")
	QueueGone  = fault.Declare(fault.NotFound, "helpdesk.queue_missing")
	FileTaken  = fault.Declare(fault.Gone, RedactedFile)
)
