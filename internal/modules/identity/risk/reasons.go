package risk

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// NotLocked: the account is not locked, or not any more.
	NotLocked = fault.Declare(fault.Conflict, "identity.not_locked")
	// KeyGone: the link of a letter that lifts a lock is unknown, used, replaced by
	// a newer one, or too old. It never says which.
	KeyGone = fault.Declare(fault.Gone, "identity.unlock_gone").Leads("/login")
	// SprayGoesOn is the health check's word for an attack on many accounts.
	SprayGoesOn = fault.Declare(fault.Busy, "identity.spray_goes_on")
)
