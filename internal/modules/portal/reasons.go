package portal

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a page of the hall stops. The alcoves declare their own.
var (
	// RoomSlow: a room took longer over its part of a page than a page waits.
	RoomSlow = fault.Declare(fault.Unavailable, "portal.room_slow")
	// HelpMissing: no help article has this name.
	HelpMissing = fault.Declare(fault.NotFound, "portal.help_missing")
	// LanguageUnknown: Amphi does not speak this language.
	LanguageUnknown = fault.Declare(fault.NotFound, "portal.language_unknown")
	// FeedsFail is the health check's word for feeds that do not come in.
	FeedsFail = fault.Declare(fault.Upstream, "portal.feeds_fail")
)
