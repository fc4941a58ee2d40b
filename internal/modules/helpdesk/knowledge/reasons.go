package knowledge

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why an article cannot be read or changed.
var (
	Missing = fault.Declare(fault.NotFound, "helpdesk.article_missing").Leads(URL)
	Changed = fault.Declare(fault.Conflict, "helpdesk.article_changed").Leads(deskURL)
	// TooMany: one network says more about articles than people do.
	TooMany = fault.Declare(fault.Busy, "helpdesk.opinions_many").Leads(URL)
)
