package walk

import "github.com/amphi-campus/amphi/internal/platform/fault"

// TraceOver: the walk began more than an hour ago, or never.
var TraceOver = fault.Declare(fault.Gone, "sso.walk_over")
