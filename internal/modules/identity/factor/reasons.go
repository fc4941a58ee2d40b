package factor

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why a code proves nothing. Codes that were sent or passed on have the reasons
// of package code.
var (
	// AppWrong: no code of the person's apps.
	AppWrong = fault.Declare(fault.Invalid, "identity.totp_wrong")
	// AppLate and AppEarly: a right code, of another time. The facts late and early
	// say how far the clock of the phone is off.
	AppLate  = fault.Declare(fault.Invalid, "identity.totp_clock_late")
	AppEarly = fault.Declare(fault.Invalid, "identity.totp_clock_early")
	// AppReplayed: a right code that was used; the fact wait says how long until
	// the next one.
	AppReplayed = fault.Declare(fault.Conflict, "identity.totp_replayed")
	// RecoveryWrong: none of the person's recovery codes.
	RecoveryWrong = fault.Declare(fault.Invalid, "identity.recovery_code_wrong")
	// RecoveryUsed: one of them, crossed out.
	RecoveryUsed = fault.Declare(fault.Gone, "identity.recovery_code_used")
	// Slowed: too many wrong codes; the fact wait says how long.
	Slowed = fault.Declare(fault.Busy, "identity.factor_slowed")
)

// Why a key proves nothing.
var (
	// KeyRefused: the answer of the key does not hold.
	KeyRefused = fault.Declare(fault.Invalid, "identity.key_refused")
	// KeyOrigin: the key answered another site's page. Somebody may be phishing.
	KeyOrigin = fault.Declare(fault.Forbidden, "identity.key_origin")
	// KeyUnknown: no key of this account.
	KeyUnknown = fault.Declare(fault.Invalid, "identity.key_unknown")
	// KeyUnverified: the key was touched, and its owner not verified by PIN,
	// finger or face, where that is needed.
	KeyUnverified = fault.Declare(fault.Invalid, "identity.key_unverified")
	// KeyCloned: the key counts backwards, so that a copy of it seems to exist.
	KeyCloned = fault.Declare(fault.Forbidden, "identity.key_cloned").Leads("/identity/factors")
	// CeremonyOver: the challenge was answered already, is too old or belongs to
	// another sign-in.
	CeremonyOver = fault.Declare(fault.Gone, "identity.key_ceremony_over")
	// KeyKnown: the key is registered already.
	KeyKnown = fault.Declare(fault.Conflict, "identity.key_known")
)

// What can be wrong with managing factors.
var (
	// Missing: the person has no such factor.
	Missing = fault.Declare(fault.NotFound, "identity.factor_missing")
	// Suspended: it may not be used until it is registered again.
	Suspended = fault.Declare(fault.Forbidden, "identity.factor_suspended")
	// PointGone: the number or address is not the person's any more.
	PointGone = fault.Declare(fault.Gone, "identity.factor_gone")
	// Waits: a number or address that changed in the record; the fact date says
	// from when it counts.
	Waits = fault.Declare(fault.Conflict, "identity.factor_waits")
	// Last: the policy needs one factor.
	Last = fault.Declare(fault.Conflict, "identity.factor_last")
	// TooMany: more than anybody needs.
	TooMany = fault.Declare(fault.Conflict, "identity.factor_too_many")
	// Registered: the number or address is a factor already.
	Registered = fault.Declare(fault.Conflict, "identity.factor_registered")
	// NotAllowed: the institution does not allow this method, or it does not work
	// here.
	NotAllowed = fault.Declare(fault.Forbidden, "identity.factor_not_allowed")
	// EnrolmentOver: the registration of the app was finished or is too old.
	EnrolmentOver = fault.Declare(fault.Gone, "identity.enrolment_over")
	// CodesAlone: recovery codes stand in for another factor, and there is none.
	CodesAlone = fault.Declare(fault.Conflict, "identity.recovery_codes_alone")
	// RelayRefused: the policy does not let this person pass a code on to that one.
	RelayRefused = fault.Declare(fault.Forbidden, "identity.relay_refused")
)
