package identity

import (
	"github.com/amphi-campus/amphi/internal/modules/identity/mandate"
	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Why a sign-in stops.
var (
	// WrongCredentials: the identifier and the password do not go together. It
	// never tells which of the two is wrong.
	WrongCredentials = fault.Declare(fault.Invalid, "identity.wrong_credentials").Leads("/why")
	// OldPassword: it was right until lately. Only a browser that the person uses is
	// told, because an old password may be one that leaked.
	OldPassword = fault.Declare(fault.Invalid, "identity.old_password").Leads("/password/forgotten")
	// SignInSlowed: too many failed sign-ins with one identifier.
	SignInSlowed = throttle.Slowed
	// NetworkSlowed: too many failed sign-ins from one network.
	NetworkSlowed = throttle.NetworkSlowed
	// QueueFull: more people sign in than may wait in line.
	QueueFull = fault.Declare(fault.Unavailable, "identity.queue_full")
	// WaitingLost: the place in line is gone, because it was taken or because the
	// house restarted.
	WaitingLost = fault.Declare(fault.Gone, "identity.waiting_lost")
	// SignInLost: the next page of a sign-in was asked for, and no sign-in of this
	// browser is on the way.
	SignInLost = fault.Declare(fault.Gone, "identity.sign_in_lost").Leads("/login")
	// CookieLost: the browser came back without the cookie that it was given, once.
	CookieLost = fault.Declare(fault.Invalid, "identity.cookie_lost")
	// CookiesRefused: it did so again.
	CookiesRefused = fault.Declare(fault.Invalid, "identity.cookies_refused").Leads("/diagnostic")
	// SignInSlow is the health check's word for a line longer than patience.
	SignInSlow = fault.Declare(fault.Busy, "identity.sign_in_slow")
)

// Why a session is over.
var (
	// SessionIdle: nobody used it for longer than the institution allows.
	SessionIdle = fault.Declare(fault.Unauthenticated, "identity.session_idle")
	// SessionTooOld: it reached its absolute limit.
	SessionTooOld = fault.Declare(fault.Unauthenticated, "identity.session_too_old")
	// SessionClosedElsewhere: its owner closed it from another device.
	SessionClosedElsewhere = fault.Declare(fault.Unauthenticated, "identity.session_closed_elsewhere").Leads("/password")
	// SessionOver: it ended in another way, such as signing out in another tab.
	SessionOver = fault.Declare(fault.Unauthenticated, "identity.session_over")
	// SessionBlocked: its account was suspended or closed. Signing in again tells
	// who decided, why and until when.
	SessionBlocked = fault.Declare(fault.Unauthenticated, "identity.session_blocked").Leads("/login")
	// AccountClosed: the account may not be used, and no decision says why.
	AccountClosed = fault.Declare(fault.Unauthenticated, "identity.account_closed")
	// AccountInvited: the account was never activated.
	AccountInvited = fault.Declare(fault.Forbidden, "identity.account_invited").Leads("/activate")
	// AccountSuspended: somebody decided to block the account, without an end.
	AccountSuspended = fault.Declare(fault.Forbidden, "identity.account_suspended")
	// AccountSuspendedUntil: the same, with an end.
	AccountSuspendedUntil = fault.Declare(fault.Forbidden, "identity.account_suspended_until")
	// AccountEnded: the account was closed.
	AccountEnded = fault.Declare(fault.Forbidden, "identity.account_ended")
	// SessionMissing: no open session of the viewer has this identifier.
	SessionMissing = fault.Declare(fault.NotFound, "identity.session_missing")
)

// becauseReasons are what the sign-in page may be asked to explain.
var becauseReasons = byCode(SessionIdle, SessionTooOld, SessionClosedElsewhere, SessionOver, SessionBlocked, WaitingLost)

func byCode(reasons ...*fault.Reason) map[string]*fault.Reason {
	m := make(map[string]*fault.Reason, len(reasons))
	for _, r := range reasons {
		m[r.Code()] = r
	}
	return m
}

// What can be wrong with a person to be stored.
var (
	PersonMissing   = fault.Declare(fault.NotFound, "identity.person_missing")   // nobody has this identifier
	PersonProtected = fault.Declare(fault.Conflict, "identity.person_protected") // a source would change a way into the account of who holds rights
	PersonExists    = fault.Declare(fault.Conflict, "identity.person_exists")    // login or mail are taken
	LoginForm       = fault.Declare(fault.Invalid, "identity.login_form")        // not an identifier
	MailForm        = fault.Declare(fault.Invalid, "identity.mail_form")         // not an address
	NameForm        = fault.Declare(fault.Invalid, "identity.name_form")         // missing or too long
	AffiliationForm = fault.Declare(fault.Invalid, "identity.affiliation_form")  // unknown kind or odd code
	RightForm       = mandate.RightForm
	PasswordForm    = fault.Declare(fault.Invalid, "identity.password_form") // empty or absurdly long
)
