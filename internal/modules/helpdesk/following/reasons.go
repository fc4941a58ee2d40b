package following

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// TooFast: many answers to one request in a short time.
	TooFast = fault.Declare(fault.Busy, "helpdesk.following_too_fast")
	// LetterOver: the link of a letter is incomplete, or about a request that ended
	// long ago.
	LetterOver = fault.Declare(fault.Gone, "helpdesk.following_letter_over").Leads("/helpdesk/follow")
	// NotOver: a request is rated when it is over.
	NotOver = fault.Declare(fault.Conflict, "helpdesk.following_not_over")
)
