package activation

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why an activation does not go on.
var (
	// NotInvited: the account is not waiting to be activated any more. A
	// [Register] returns it.
	NotInvited = fault.Declare(fault.Conflict, "identity.activation_not_invited").Leads("/login")
	// NoMatch: what somebody says of themselves does not go together. It never
	// tells which part is wrong, nor whether anybody has the others.
	NoMatch = fault.Declare(fault.Invalid, "identity.activation_no_match")
	// Slowed: too many beginnings from one network, or with one number.
	Slowed = fault.Declare(fault.Busy, "identity.activation_slowed")
	// SentElsewhere: a code has just left for an activation of another device, and
	// opens nothing here.
	SentElsewhere = fault.Declare(fault.Busy, "identity.activation_sent_elsewhere")
	// AlreadyActive: the right data of an account that is in use.
	AlreadyActive = fault.Declare(fault.Conflict, "identity.activation_already").Leads("/login")
	// Lost: this browser has begun no activation that we know of.
	Lost = fault.Declare(fault.Gone, "identity.activation_lost").Leads("/activate")
	// Expired: it was begun too long ago.
	Expired = fault.Declare(fault.Gone, "identity.activation_expired").Leads("/activate")
	// Blocked: the account is suspended or closed. Told to its owner alone.
	Blocked = fault.Declare(fault.Forbidden, "identity.activation_blocked").Leads("/portal/help")
	// PointMissing: the person has no such number or address any more.
	PointMissing = fault.Declare(fault.Invalid, "identity.activation_point_missing").Leads("/activate/code")
	// LinkOver: the link that goes on elsewhere is unknown, used or too old.
	LinkOver = fault.Declare(fault.Gone, "identity.activation_link_over").Leads("/activate")
)

// What can be wrong with an invitation, told to who holds its letter.
var (
	// LetterUnknown: no invitation has this link or code; a newer letter may have
	// replaced it.
	LetterUnknown = fault.Declare(fault.Gone, "identity.activation_letter_unknown").Leads("/activate/invitation")
	// LetterExpired: nobody used it in time.
	LetterExpired = fault.Declare(fault.Gone, "identity.activation_letter_expired")
	// LetterWithdrawn: an agent took it back.
	LetterWithdrawn = fault.Declare(fault.Gone, "identity.activation_letter_withdrawn")
	// LetterUsed: the account was activated with it.
	LetterUsed = fault.Declare(fault.Gone, "identity.activation_letter_used").Leads("/login")
)

// What can be wrong with an invitation, told to agents.
var (
	// Reserved: only the secretariat and administrators invite.
	Reserved = fault.Declare(fault.Forbidden, "identity.activation_reserved")
	// InvitationMissing: there is no such invitation.
	InvitationMissing = fault.Declare(fault.NotFound, "identity.activation_invitation_missing")
	// InvitationOver: it was used or withdrawn, perhaps a moment ago.
	InvitationOver = fault.Declare(fault.Conflict, "identity.activation_invitation_over")
	// NotInvitable: the account is active or blocked, so there is nothing to
	// activate.
	NotInvitable = fault.Declare(fault.Conflict, "identity.activation_not_invitable")
	// NobodyKnown: the register has nobody of this identifier or address.
	NobodyKnown = fault.Declare(fault.NotFound, "identity.activation_nobody")
	// LoginsTaken: no free identifier was found for a guest of this name.
	LoginsTaken = fault.Declare(fault.Conflict, "identity.activation_logins_taken")
)
