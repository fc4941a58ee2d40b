package activation

import "github.com/amphi-campus/amphi/internal/platform/fault"

// NotInvited: the account is not waiting to be activated any more. A [Register]
// returns it.
var NotInvited = fault.Declare(fault.Conflict, "identity.activation_not_invited").Leads("/login")
