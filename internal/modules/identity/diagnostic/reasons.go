package diagnostic

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// TestOver: the self-test was begun too long ago, or its address was altered.
	TestOver = fault.Declare(fault.Gone, "identity.diagnostic_over").Leads("/diagnostic")
	// CauseMissing: the guide has no such page.
	CauseMissing = fault.Declare(fault.NotFound, "identity.why_missing").Leads("/why")
)
