package api

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a program is refused.
var (
	// NoToken: nobody proved who asks, or with a token that does not hold.
	NoToken = fault.Declare(fault.Unauthenticated, "helpdesk.api_token")
	// NotAllowed: the token does not allow that.
	NotAllowed = fault.Declare(fault.Forbidden, "helpdesk.api_not_allowed")
	// OutOfReach: the token does not reach that queue or campus.
	OutOfReach = fault.Declare(fault.Forbidden, "helpdesk.api_out_of_reach")
	// TooFast: one program asks too often.
	TooFast = fault.Declare(fault.Busy, "helpdesk.api_too_fast")
	// Unfit: a field or a parameter is not what it must be.
	Unfit = fault.Declare(fault.Malformed, "helpdesk.api_unfit")
	// FileRefused: none of the files of an upload can be kept.
	FileRefused = fault.Declare(fault.Invalid, "helpdesk.api_file_refused")
	// Stale: the ticket is no longer the version that the program names.
	Stale = fault.Declare(412, "helpdesk.api_stale")
	// KeyUsed: the key of an opening was used for another one.
	KeyUsed = fault.Declare(fault.Invalid, "helpdesk.api_key_used")
	// AddressUnfit: a webhook cannot go to that address.
	AddressUnfit = fault.Declare(fault.Invalid, "helpdesk.webhook_address")
	// Unknown: there is no such token, webhook or delivery.
	Unknown = fault.Declare(fault.NotFound, "helpdesk.program_unknown").Leads(pageURL)
	// Undelivered: a receiver did not take a message.
	Undelivered = fault.Declare(fault.Upstream, "helpdesk.webhook_undelivered").Leads(pageURL)
)
