package renewal

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// RecoveryOver: the browser is on no recovery, or its time is over.
	RecoveryOver = fault.Declare(fault.Gone, "identity.renewal_recovery_over").Leads("/password/forgotten")
	// LinkOver: the link of a message was used, replaced or altered, or is too old.
	LinkOver = fault.Declare(fault.Gone, "identity.renewal_link_over").Leads("/password/forgotten")
	// Slowed: too many recoveries of one identifier, or from one network.
	Slowed = fault.Declare(fault.Busy, "identity.renewal_slowed")
	// Unusable: the password was right, and the account may not be used.
	Unusable = fault.Declare(fault.Forbidden, "identity.renewal_unusable").Leads("/login")
)
