package mandate

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a right is not given or taken.
var (
	// RightForm: there is no such right.
	RightForm = fault.Declare(fault.Invalid, "identity.right_form")
	// Missing: the person does not hold the right, or not there.
	Missing = fault.Declare(fault.NotFound, "identity.mandate_missing")
	// ScopeForm: a code of a campus, programme or unit cannot look like this.
	ScopeForm = fault.Declare(fault.Invalid, "identity.mandate_scope_form")
	// NeverWithin: the right is over the installation and cannot be narrowed.
	NeverWithin = fault.Declare(fault.Invalid, "identity.mandate_never_within")
	// LastAdmin: nobody else could administer the installation.
	LastAdmin = fault.Declare(fault.Conflict, "identity.mandate_last_admin")
)
