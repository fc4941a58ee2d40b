package handling

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why an act on a ticket is not done.
var (
	// UnknownAct: the page asked for something that is not offered now.
	UnknownAct = fault.Declare(fault.Gone, "helpdesk.act_gone")
	// TooLate: the act can no longer be taken back.
	TooLate = fault.Declare(fault.Conflict, "helpdesk.undo_late")
	// TemplateGone: the text was taken away.
	TemplateGone = fault.Declare(fault.NotFound, "helpdesk.template_gone")
	// MessageGone: the ticket has no such message.
	MessageGone = fault.Declare(fault.NotFound, "helpdesk.message_gone")
)
