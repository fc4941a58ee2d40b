package apppass

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why an application password opens nothing, or is not made.
var (
	// Wrong: no password of this person, or not for this purpose.
	Wrong = fault.Declare(fault.Unauthenticated, "identity.app_password_wrong")
	// Slowed: too many wrong passwords from this network.
	Slowed = fault.Declare(fault.Busy, "identity.app_password_slowed")
	// TooMany: the person has as many as anybody may have.
	TooMany = fault.Declare(fault.Conflict, "identity.app_password_too_many")
	// Missing: the person has no such password, or has it no longer.
	Missing = fault.Declare(fault.NotFound, "identity.app_password_missing")
)
