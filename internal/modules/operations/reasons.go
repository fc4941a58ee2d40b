package operations

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// JobGone: the job ended, or somebody else ran or discarded it.
	JobGone = fault.Declare(fault.NotFound, "operations.job_gone")
	// JobsGaveUp: seen on the health page while jobs wait for a person.
	JobsGaveUp = fault.Declare(fault.Upstream, "operations.jobs_gave_up")
	// NoPreview: the message has no HTML to look at, or its text is not kept.
	NoPreview = fault.Declare(fault.NotFound, "operations.no_preview")
)
