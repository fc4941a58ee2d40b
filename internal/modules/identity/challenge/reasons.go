package challenge

import "github.com/amphi-campus/amphi/internal/platform/fault"

// SameWay: the sign-in began with a code sent to the same phone or address, as
// after a forgotten password. A second code there would prove nothing more.
var SameWay = fault.Declare(fault.Invalid, "identity.challenge_same_way").Leads("/login/factor/lost")
