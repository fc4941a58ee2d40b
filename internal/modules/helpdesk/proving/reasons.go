package proving

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// Over: this browser has nothing that waits for a code, or waited too long.
	Over = fault.Declare(fault.Gone, "helpdesk.proof_over").Leads("/helpdesk")
	// TooSoon: a code left for this address a moment ago.
	TooSoon = fault.Declare(fault.Busy, "helpdesk.proof_too_soon")
	// TooMany: this address or this network has had its share of codes.
	TooMany = fault.Declare(fault.Busy, "helpdesk.proof_too_many")
)
