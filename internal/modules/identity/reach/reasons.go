package reach

import "github.com/amphi-campus/amphi/internal/platform/fault"

// What can be wrong with a way to reach somebody.
var (
	// NumberForm: not a phone number.
	NumberForm = fault.Declare(fault.Invalid, "identity.reach_number_form")
	// Landline: a number to which no text message can be sent.
	Landline = fault.Declare(fault.Invalid, "identity.reach_landline")
	// AddressForm: not a mail address.
	AddressForm = fault.Declare(fault.Invalid, "identity.reach_address_form")
	// Institutional: the institution's address was given as the recovery one.
	Institutional = fault.Declare(fault.Invalid, "identity.reach_institutional")
	// Known: this person gave the same one already.
	Known = fault.Declare(fault.Conflict, "identity.reach_known")
	// TooManyPoints: more of one kind than anybody needs.
	TooManyPoints = fault.Declare(fault.Conflict, "identity.reach_too_many")
)

// What can be wrong with acting on one.
var (
	// Missing: the viewer has no such number or address.
	Missing = fault.Declare(fault.NotFound, "identity.reach_missing").Leads("/identity/contacts")
	// FromRecord: what the record gave is changed in the record.
	FromRecord = fault.Declare(fault.Conflict, "identity.reach_from_record").Leads("/identity/contacts")
	// TooSoon: the last message left a moment ago.
	TooSoon = fault.Declare(fault.Busy, "identity.reach_too_soon")
	// RefusalMissing: the link of "It was not me" is unknown, or too old.
	RefusalMissing = fault.Declare(fault.NotFound, "identity.reach_refusal_missing").Leads("/identity/contacts")
	// Refused: the change was stopped already.
	Refused = fault.Declare(fault.Gone, "identity.reach_refused").Leads("/password")
)
