package recovery

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// Missing: no recovery has this identifier or link.
	Missing = fault.Declare(fault.NotFound, "identity.recovery_missing")
	// Running: a recovery of this account is under way already.
	Running = fault.Declare(fault.Conflict, "identity.recovery_running")
	// Reserved: only agents of the help desk act on a recovery.
	Reserved = fault.Declare(fault.Forbidden, "identity.recovery_reserved")
	// Oneself: nobody approves the recovery of their own account.
	Oneself = fault.Declare(fault.Forbidden, "identity.recovery_oneself")
	// SamePerson: the two approvals must come from two people.
	SamePerson = fault.Declare(fault.Conflict, "identity.recovery_same_person")
	// Over: the recovery has ended.
	Over = fault.Declare(fault.Conflict, "identity.recovery_over")
	// Approved: two agents have approved already.
	Approved = fault.Declare(fault.Conflict, "identity.recovery_approved")
	// NotYet: the code cannot be given before the delay is over.
	NotYet = fault.Declare(fault.Conflict, "identity.recovery_not_yet")
	// LinkOver: the link was used, replaced by a newer one, or is too old.
	LinkOver = fault.Declare(fault.Gone, "identity.recovery_link_over")
	// AskFirst: somebody who asks for themselves proves their password first.
	AskFirst = fault.Declare(fault.Unauthenticated, "identity.recovery_ask_first").Leads("/login")
	// MoreRights: the person may do what the agent may not. Otherwise two agents of
	// the help desk could make themselves administrators.
	MoreRights = fault.Declare(fault.Forbidden, "identity.recovery_more_rights")
)
