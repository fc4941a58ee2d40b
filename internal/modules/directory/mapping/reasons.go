package mapping

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a value of a source is not taken. Each has field and value.
var (
	// ValueUnreadable: its bytes are text in no encoding that we know.
	ValueUnreadable = fault.Declare(fault.Invalid, "directory.value_unreadable")
	// ValueTooLong: nobody is called that.
	ValueTooLong = fault.Declare(fault.Invalid, "directory.value_too_long")
	// ValueUnfit: it is no value of its field, such as a name without a letter.
	ValueUnfit = fault.Declare(fault.Invalid, "directory.value_unfit")
	// LoginUnfit: other systems would not take it for a user name.
	LoginUnfit = fault.Declare(fault.Invalid, "directory.login_unfit")
	// MailUnfit: it is no address.
	MailUnfit = fault.Declare(fault.Invalid, "directory.mail_unfit")
	// PhoneUnfit: it is no telephone number.
	PhoneUnfit = fault.Declare(fault.Invalid, "directory.phone_unfit")
	// DateUnfit: it is no date.
	DateUnfit = fault.Declare(fault.Invalid, "directory.date_unfit")
	// NumberRounded: a spreadsheet has made 2.02E+07 of a number.
	NumberRounded = fault.Declare(fault.Invalid, "directory.number_rounded")
	// CodeUnknown: a table of the configuration has no such entry.
	CodeUnknown = fault.Declare(fault.Invalid, "directory.code_unknown")
	// AffiliationUnknown: it is no kind of affiliation.
	AffiliationUnknown = fault.Declare(fault.Invalid, "directory.affiliation_unknown")
	// KindNotAllowed: the configuration does not let the source give this affiliation.
	KindNotAllowed = fault.Declare(fault.Invalid, "directory.kind_not_allowed")
	// CampusNotAllowed: the configuration does not let the source speak of this campus.
	CampusNotAllowed = fault.Declare(fault.Invalid, "directory.campus_not_allowed")
	// DomainNotAllowed: the configuration does not let the source give addresses of this
	// domain.
	DomainNotAllowed = fault.Declare(fault.Invalid, "directory.domain_not_allowed")
	// TooMany: more values than anybody has.
	TooMany = fault.Declare(fault.Invalid, "directory.too_many_values")
	// PhotoUnfit: it is no picture, or a very large one.
	PhotoUnfit = fault.Declare(fault.Invalid, "directory.photo_unfit")
)
