package push

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// TokenMissing: nobody proved who pushes, or with a token that is not ours.
	TokenMissing = fault.Declare(fault.Unauthenticated, "directory.token_missing")
	// TokenRevoked: the token does not hold any more.
	TokenRevoked = fault.Declare(fault.Unauthenticated, "directory.token_revoked")
	// TokenEnded: the token has ended by itself.
	TokenEnded = fault.Declare(fault.Unauthenticated, "directory.token_ended")
	// TokenEnds: a token that a program uses ends within days.
	TokenEnds = fault.Declare(fault.Unavailable, "directory.token_ends").Leads("/directory/tokens")
	// DaysUnfit: no token holds for so many days.
	DaysUnfit = fault.Declare(fault.Invalid, "directory.token_days_unfit")
	// TokenElsewhere: the token is for a source that is pushed into in another way.
	TokenElsewhere = fault.Declare(fault.Forbidden, "directory.token_elsewhere")
	// TokenUnknown: there is no token to revoke.
	TokenUnknown = fault.Declare(fault.NotFound, "directory.token_unknown").Leads("/directory/tokens")
	// SourceNotPushed: no source of that name is pushed into.
	SourceNotPushed = fault.Declare(fault.Invalid, "directory.source_not_pushed")

	// ResourceMissing: nothing was pushed under that identifier.
	ResourceMissing = fault.Declare(fault.NotFound, "directory.pushed_missing")
	// NameTaken: the same source has pushed somebody else of that user name.
	NameTaken = fault.Declare(fault.Conflict, "directory.pushed_name_taken")
	// Changed: it is not any more what the program has seen.
	Changed = fault.Declare(412, "directory.pushed_changed")
	// TooBusy: several programs change it at once, again and again.
	TooBusy = fault.Declare(fault.Unavailable, "directory.pushed_too_busy")
)
