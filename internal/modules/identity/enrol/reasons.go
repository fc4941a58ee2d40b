package enrol

import (
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Why these pages stop somebody. What a code or a key is refused for are reasons
// of package factor.
var (
	// FactorFirst: somebody on the way in has a factor and did not show it.
	FactorFirst = fault.Declare(fault.Forbidden, "identity.enrol_factor_first").Leads("/login/factor")
	// TooLate: the first factor can be put off no longer.
	TooLate = fault.Declare(fault.Forbidden, "identity.enrol_too_late").Leads(FirstURL)
	// CodesGone: the recovery codes that should be shown again are not the newest,
	// or it is too long since they were made.
	CodesGone = fault.Declare(fault.Gone, "identity.enrol_codes_gone").Leads(CodesURL)
	// MoveNotApp: only an authenticator app is moved this way.
	MoveNotApp = fault.Declare(fault.Conflict, "identity.enrol_move_not_app").Leads(MoveURL)
)

// mendable reports whether a refusal is shown on the page of its form, where one
// can try again, instead of a page of its own.
func mendable(err error) bool {
	f := fault.Of(err)
	switch f.Reason.Kind() {
	case fault.Invalid, fault.Conflict, fault.Gone, fault.Busy, fault.Upstream, fault.Unavailable:
		return strings.HasPrefix(f.Reason.Code(), "identity.") || strings.HasPrefix(f.Reason.Code(), "mailer.")
	default:
		return false
	}
}
