package support

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// NotOpened: an agent acts on somebody whose page they have not opened, with
	// an incident code or a reason, within the last half hour.
	NotOpened = fault.Declare(fault.Forbidden, "identity.support_not_opened").Leads("/identity/support")
	// NotOffered: an act that is not possible for this person now.
	NotOffered = fault.Declare(fault.Conflict, "identity.support_not_offered")
)
