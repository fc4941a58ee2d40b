package device

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Missing: no known browser of this person has this identifier.
var Missing = fault.Declare(fault.NotFound, "identity.device_missing").Leads("/identity/devices")
