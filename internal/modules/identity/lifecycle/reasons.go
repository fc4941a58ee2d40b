package lifecycle

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a decision about an account is refused.
var (
	// Reserved: only the secretariat decides about accounts and lifts a block.
	Reserved = fault.Declare(fault.Forbidden, "identity.lifecycle_reserved")
	// Elsewhere: the viewer looks after others.
	Elsewhere = fault.Declare(fault.Forbidden, "identity.lifecycle_elsewhere")
	// Oneself: nobody decides about their own account.
	Oneself = fault.Declare(fault.Forbidden, "identity.lifecycle_oneself")
	// HoldsRights: the account is of somebody who holds rights over others.
	HoldsRights = fault.Declare(fault.Forbidden, "identity.lifecycle_holds_rights")
	// AccountMissing: nobody has this account.
	AccountMissing = fault.Declare(fault.NotFound, "identity.lifecycle_account_missing")
	// ReasonMissing: the reason is not in the institution's list.
	ReasonMissing = fault.Declare(fault.Invalid, "identity.lifecycle_reason_missing")
	// Changed: the account is no longer in the state that the page showed.
	Changed = fault.Declare(fault.Conflict, "identity.lifecycle_changed")
	// Lifted: the decision was lifted already.
	Lifted = fault.Declare(fault.Conflict, "identity.lifecycle_lifted")
	// DecisionMissing: this account has no such decision.
	DecisionMissing = fault.Declare(fault.NotFound, "identity.lifecycle_decision_missing")
	// UndoTooLate: the time for undoing is over.
	UndoTooLate = fault.Declare(fault.Conflict, "identity.lifecycle_undo_too_late")
	// Impossible: an account in this state cannot be brought into that one.
	Impossible = fault.Declare(fault.Conflict, "identity.lifecycle_impossible")
	// Unregistered: somebody does not belong to the institution in this way.
	Unregistered = fault.Declare(fault.Conflict, "identity.lifecycle_unregistered")
	// RegisteredLonger: the registration already lasts as long, or has no end.
	RegisteredLonger = fault.Declare(fault.Conflict, "identity.lifecycle_registered_longer")
	// RegistrationChanged: the registration no longer ends when the page said.
	RegistrationChanged = fault.Declare(fault.Conflict, "identity.lifecycle_registration_changed")
	// RuleMissing: the configuration has no rule of this name.
	RuleMissing = fault.Declare(fault.NotFound, "identity.lifecycle_rule_missing")
	// RuleStopped: a rule would touch more accounts in a night than it may.
	RuleStopped = fault.Declare(fault.Broken, "identity.lifecycle_rule_stopped")
	// DateForm: not a date, or none that the decision can have.
	DateForm = fault.Declare(fault.Invalid, "identity.lifecycle_date_form")
	// KindForm: not a kind of affiliation.
	KindForm = fault.Declare(fault.Invalid, "identity.lifecycle_kind_form")
)
