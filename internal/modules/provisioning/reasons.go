package provisioning

import "github.com/amphi-campus/amphi/internal/platform/fault"

// What can go wrong on the pages of the room. What stands in the way of an
// account is declared in target.
var (
	// TargetMissing: no target of the configuration has this name.
	TargetMissing = fault.Declare(fault.NotFound, "provisioning.target_missing")
	// PersonMissing: nobody is known by this login or identifier.
	PersonMissing = fault.Declare(fault.NotFound, "provisioning.person_missing")
	// ClosuresWait: more accounts are to be closed than may be without a word.
	ClosuresWait = fault.Declare(fault.Conflict, "provisioning.closures_wait").Leads("/provisioning")
	// ClosuresChanged: the number that was agreed to is not the one that waits now.
	ClosuresChanged = fault.Declare(fault.Conflict, "provisioning.closures_changed")
	// NothingToAdopt: no account in the way waits for a decision any more, or another
	// one does.
	NothingToAdopt = fault.Declare(fault.Conflict, "provisioning.nothing_to_adopt")
	// RemovalOver: the removal has ended, or there is none.
	RemovalOver = fault.Declare(fault.NotFound, "provisioning.removal_over").Leads("/provisioning/removals")
)
