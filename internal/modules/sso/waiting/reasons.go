package waiting

import (
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Why somebody waits in front of a service. The ledger says more, and the page with
// it; these are what the story of the sign-in keeps.
var (
	// AccountQueued: the account is being prepared.
	AccountQueued = fault.Declare(fault.Unavailable, "sso.account_queued")
	// AccountBlocked: the account cannot be prepared before somebody decides.
	AccountBlocked = fault.Declare(fault.Conflict, "sso.account_blocked")
	// AccountLeaving: the account is being closed.
	AccountLeaving = fault.Declare(fault.Forbidden, "sso.account_leaving")
)

// reasonOf is why an account holds somebody back.
func reasonOf(s contract.AccountState) *fault.Reason {
	switch s {
	case contract.AccountBlocked:
		return AccountBlocked
	case contract.AccountLeaving:
		return AccountLeaving
	default:
		return AccountQueued
	}
}
