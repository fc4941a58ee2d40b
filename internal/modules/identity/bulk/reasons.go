package bulk

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why an act on many accounts is refused.
var (
	// Missing: there is no such order, or it is a colleague's.
	Missing = fault.Declare(fault.NotFound, "identity.bulk_missing")
	// Settled: the order is no longer at the step that the page showed.
	Settled = fault.Declare(fault.Conflict, "identity.bulk_settled")
	// Stale: the preview is too old to be acted on.
	Stale = fault.Declare(fault.Conflict, "identity.bulk_stale")
	// TooLate: the time for taking the act back is over.
	TooLate = fault.Declare(fault.Conflict, "identity.bulk_too_late")
	// TooMany: more people than one order may have.
	TooMany = fault.Declare(fault.Invalid, "identity.bulk_too_many")
	// Nobody: nobody is chosen.
	Nobody = fault.Declare(fault.Invalid, "identity.bulk_nobody")
)
