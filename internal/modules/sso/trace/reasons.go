package trace

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// AnswersUnused: the service did not come for what its people carried to it.
	AnswersUnused = fault.Declare(fault.Upstream, "sso.trace_answers_unused")
	// PeopleReturned: the service takes its answers and sends people back for more.
	PeopleReturned = fault.Declare(fault.Upstream, "sso.trace_people_returned")
)
