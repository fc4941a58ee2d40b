package asking

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// TooMany: somebody opened as many requests as one person may in an hour.
	TooMany = fault.Declare(fault.Busy, "helpdesk.asking_too_many").Leads("/helpdesk/mine")
	// FilesLater: strangers of one network sent more files than people do.
	FilesLater = fault.Declare(fault.Busy, "helpdesk.asking_files_later")
)
