package counter

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// Missing: there is no such counter, appointment or visit, or not for who asks.
	Missing = fault.Declare(fault.NotFound, "helpdesk.counter_missing").Leads("/helpdesk/counters")
	// Taken: the last place at that time went to somebody else, or the time is no
	// longer one that can be taken.
	Taken = fault.Declare(fault.Conflict, "helpdesk.counter_taken").Leads("/helpdesk/counters")
	// Already: the person has an appointment for the same reason.
	Already = fault.Declare(fault.Conflict, "helpdesk.counter_already").Leads("/helpdesk/counters")
	// WrongState: the visit is not where this can be done.
	WrongState = fault.Declare(fault.Conflict, "helpdesk.counter_wrong_state")
	// KeyOver: the address of a screen, a kiosk or a calendar was taken back.
	KeyOver = fault.Declare(fault.Gone, "helpdesk.counter_key_over")
	// NoWalkIn: the counter is closed now, or takes appointments alone.
	NoWalkIn = fault.Declare(fault.Conflict, "helpdesk.counter_no_walk_in")
	// TooFast: many numbers were taken in a short time.
	TooFast = fault.Declare(fault.Busy, "helpdesk.counter_too_fast")
)
