package source

import (
	"slices"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Why a source could not be read, or not to its end. Each has source, its name in the
// configuration.
var (
	// Unreachable: it does not answer.
	Unreachable = fault.Declare(fault.Unavailable, "directory.source_unreachable")
	// Untrusted: nobody whom we trust vouches for its certificate, or it is that of another
	// name, or it has ended.
	Untrusted = fault.Declare(fault.Upstream, "directory.source_untrusted")
	// AccountRefused: it refuses the account of ours that reads.
	AccountRefused = fault.Declare(fault.Upstream, "directory.source_account_refused")
	// BaseMissing: there is nothing where people should be, or our account may not see it.
	BaseMissing = fault.Declare(fault.Upstream, "directory.source_base_missing")
	// NothingFits: no entry there fits the filter.
	NothingFits = fault.Declare(fault.Upstream, "directory.source_nothing_fits")
	// QuestionRefused: it does not take our question, such as a filter that it cannot read.
	QuestionRefused = fault.Declare(fault.Upstream, "directory.source_question_refused")
	// BrokenOff: it went away in the middle. It has count, of what was read until then.
	BrokenOff = fault.Declare(fault.Unavailable, "directory.source_broken_off")
	// SizeLimited: it hands our account no more than count entries.
	SizeLimited = fault.Declare(fault.Upstream, "directory.source_size_limited")
	// TimeLimited: it ended the search because that took too long there.
	TimeLimited = fault.Declare(fault.Upstream, "directory.source_time_limited")
	// FileMissing: there is no file to read.
	FileMissing = fault.Declare(fault.Unavailable, "directory.source_file_missing")
	// FileUnreadable: it is no table that we can read.
	FileUnreadable = fault.Declare(fault.Invalid, "directory.source_file_unreadable")
	// HeaderMissing: no column is called anything that we know.
	HeaderMissing = fault.Declare(fault.Invalid, "directory.source_header_missing")
)

// Broken reports whether an error says, in words for an administrator, why a source could
// not be read.
func Broken(err error) bool {
	return slices.Contains([]*fault.Reason{
		Unreachable, Untrusted, AccountRefused, BaseMissing, NothingFits, QuestionRefused, BrokenOff, SizeLimited, TimeLimited, FileMissing, FileUnreadable, HeaderMissing,
	}, fault.Of(err).Reason)
}

// Why a record is refused as a whole.
var (
	// KeyMissing: nothing names it for ever.
	KeyMissing = fault.Declare(fault.Invalid, "directory.key_missing")
	// KeyTwice: two records have the same key.
	KeyTwice = fault.Declare(fault.Invalid, "directory.key_twice")
	// LineBroken: a line of a file is no row of its table.
	LineBroken = fault.Declare(fault.Invalid, "directory.line_broken")
)

// What an administrator should know of a reading that went well.
var (
	// ReadWhole: the source can no longer tell what changed since last time, so
	// everything was read.
	ReadWhole = fault.Declare(fault.Gone, "directory.source_read_whole")
	// ReferralLeft: the source sent us to another server for a part, where we did not go.
	ReferralLeft = fault.Declare(fault.Upstream, "directory.source_referral_left")
	// ColumnsUnknown: columns of a file that were not used.
	ColumnsUnknown = fault.Declare(fault.Invalid, "directory.columns_unknown")
)
