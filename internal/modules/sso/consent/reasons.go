package consent

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// QuestionUnreadable: the page was opened without the service that asks.
	QuestionUnreadable = fault.Declare(fault.NotFound, "sso.consent_unreadable")
	// ConsentMissing: there is no consent to take back.
	ConsentMissing = fault.Declare(fault.NotFound, "sso.consent_missing").Leads("/sso/consents")
)
