package journal

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// EventMissing: the viewer's journal has no event of this number.
	EventMissing = fault.Declare(fault.NotFound, "identity.event_missing").Leads("/identity/journal")
	// Broken: the chain does not hold; somebody changed the table.
	Broken = fault.Declare(fault.Broken, "identity.journal_broken")
	// Unverified: the daily verification has not run for days.
	Unverified = fault.Declare(fault.Broken, "identity.journal_unverified")
	// ReceiptForm: what was given is no receipt of this installation.
	ReceiptForm = fault.Declare(fault.Invalid, "identity.journal_receipt_form")
	// FromForm: the event to begin at is not in the journal.
	FromForm = fault.Declare(fault.Invalid, "identity.journal_from_form")
)
