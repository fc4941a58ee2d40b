package breached

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// Unreadable: the filter file is missing or may not be read.
	Unreadable = fault.Declare(fault.Broken, "identity.breached_unreadable")
	// Damaged: the file is no filter, or was cut or altered.
	Damaged = fault.Declare(fault.Broken, "identity.breached_damaged")
	// ListMalformed: a line of the list to build from is not of its format.
	ListMalformed = fault.Declare(fault.Invalid, "identity.breached_list_malformed")
	// ListEmpty: the list to build from holds no password.
	ListEmpty = fault.Declare(fault.Invalid, "identity.breached_list_empty")
	// Unwritable: the new filter cannot be written.
	Unwritable = fault.Declare(fault.Broken, "identity.breached_unwritable")
)
