package asking

import "github.com/amphi-campus/amphi/internal/platform/fault"

// TooMany: somebody opened as many requests as one person may in an hour.
var TooMany = fault.Declare(fault.Busy, "helpdesk.asking_too_many").Leads("/helpdesk/mine")
