package mailroom

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a mail is not taken, or a mailbox not read.
var (
	TooLarge       = fault.Declare(fault.TooLarge, "helpdesk.mail_too_large")
	MailboxAway    = fault.Declare(fault.Unavailable, "helpdesk.mailbox_unreachable")
	MailboxFolder  = fault.Declare(fault.Upstream, "helpdesk.mailbox_folder")
	MailsStuck     = fault.Declare(fault.Unavailable, "helpdesk.mails_stuck")
	MailMissing    = fault.Declare(fault.NotFound, "helpdesk.mail_missing")
	MailSettled    = fault.Declare(fault.Conflict, "helpdesk.mail_settled")
	MailboxRefused = fault.Declare(fault.Upstream, "helpdesk.mailbox_refused")
)
