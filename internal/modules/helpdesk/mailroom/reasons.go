package mailroom

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a mail is not taken, or a mailbox not read.
var (
	TooLarge       = fault.Declare(fault.TooLarge, "helpdesk.mail_too_large")
	MailboxAway    = fault.Declare(fault.Unavailable, "helpdesk.mailbox_unreachable")
	MailboxRefused = fault.Declare(fault.Upstream, "helpdesk.mailbox_refused")
)
