package privacy

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// RequestMissing: there is no such request, or it is somebody else's.
	RequestMissing = fault.Declare(fault.NotFound, "privacy.request_missing")
	// RequestOver: the request was decided or withdrawn in the meantime.
	RequestOver = fault.Declare(fault.Conflict, "privacy.request_over")
	// RequestOpen: the person has an open request of the same kind.
	RequestOpen = fault.Declare(fault.Conflict, "privacy.request_open")
	// ExtensionLate: a delay can be announced within the first month only, and once.
	ExtensionLate = fault.Declare(fault.Conflict, "privacy.extension_late")
	// OwnCase: nobody decides about their own request, or lifts a hold on themselves.
	OwnCase = fault.Declare(fault.Forbidden, "privacy.own_case")
	// TooManyMessages: a request has as many messages as it may.
	TooManyMessages = fault.Declare(fault.Conflict, "privacy.too_many_messages")
)
