package code

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a code is refused.
var (
	// Wrong: not the code; the fact count is how many tries are left.
	Wrong = fault.Declare(fault.Invalid, "identity.code_wrong")
	// Expired: its time is over.
	Expired = fault.Declare(fault.Gone, "identity.code_expired")
	// Used: it worked already, perhaps in another tab.
	Used = fault.Declare(fault.Gone, "identity.code_used")
	// Exhausted: too many wrong ones were typed; the right one is refused too.
	Exhausted = fault.Declare(fault.Gone, "identity.code_exhausted")
	// Superseded: a code of an earlier message; the newest one counts.
	Superseded = fault.Declare(fault.Invalid, "identity.code_superseded")
	// Missing: no code was asked for.
	Missing = fault.Declare(fault.NotFound, "identity.code_missing")
	// TooMany: so many codes were asked for that another has to wait.
	TooMany = fault.Declare(fault.Busy, "identity.code_too_many")
)
