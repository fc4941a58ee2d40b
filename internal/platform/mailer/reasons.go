package mailer

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// AddressMalformed: not one plain mail address.
	AddressMalformed = fault.Declare(fault.Invalid, "mailer.address_malformed")
	// PhoneMalformed: not one phone number in international form.
	PhoneMalformed = fault.Declare(fault.Invalid, "mailer.phone_malformed")
	// SubjectMalformed: a subject with a line end in it, empty, or far too long.
	SubjectMalformed = fault.Declare(fault.Invalid, "mailer.subject_malformed")
	// TextMalformed: an empty text, one that is not text, or one that is far too long.
	TextMalformed = fault.Declare(fault.Invalid, "mailer.text_malformed")
	// SMSOff: this installation sends no short messages.
	SMSOff = fault.Declare(fault.Unavailable, "mailer.sms_off")
	// TooManySMS: this phone has had its share for the hour.
	TooManySMS = fault.Declare(fault.Busy, "mailer.too_many_sms")

	// Unreachable: the mail server or the gateway did not answer, or asked to come back later.
	Unreachable = fault.Declare(fault.Unavailable, "mailer.unreachable")
	// Refused: the mail server or the gateway will never take this message.
	Refused = fault.Declare(fault.Upstream, "mailer.refused")
	// LoginRefused: the mail server or the gateway does not know us, or no longer.
	LoginRefused = fault.Declare(fault.Upstream, "mailer.login_refused")
	// AnswerUnclear: the gateway answered in a way that its configuration does not foresee.
	AnswerUnclear = fault.Declare(fault.Upstream, "mailer.answer_unclear")
	// TextLost: the key that sealed the message is gone.
	TextLost = fault.Declare(fault.Broken, "mailer.text_lost")
	// MessageNotFound: the outbox has no such message, or no longer.
	MessageNotFound = fault.Declare(fault.NotFound, "mailer.message_not_found")
	// Undelivered: messages were given up lately; seen on the health page.
	Undelivered = fault.Declare(fault.Upstream, "mailer.undelivered")
)
