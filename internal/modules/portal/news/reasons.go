package news

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why news cannot be read or written.
var (
	// Missing: no article has this address, or it is not for the viewer; the two
	// are not told apart.
	Missing = fault.Declare(fault.NotFound, "portal.news_missing")
	// Over: the article was online and is no more.
	Over = fault.Declare(fault.Gone, "portal.news_over")
	// PublishersOnly: writing news needs the right to.
	PublishersOnly = fault.Declare(fault.Forbidden, "portal.publishers_only")
	// Changed: somebody else changed the article in the meantime.
	Changed = fault.Declare(fault.Conflict, "portal.news_changed")
	// StepRefused: this cannot be done with an article that stands like this.
	StepRefused = fault.Declare(fault.Conflict, "portal.news_step_refused")
	// Unfinished: the article lacks something that readers need.
	Unfinished = fault.Declare(fault.Invalid, "portal.news_unfinished")
	// PictureMissing: no picture has this address, or it is not for the viewer.
	PictureMissing = fault.Declare(fault.NotFound, "portal.picture_missing")
)
