package upstream

import "github.com/amphi-campus/amphi/internal/platform/fault"

// Why an upstream did not vouch for somebody, as protocols say it in a [Failure].
var (
	// Unreachable: it does not answer; no password was tested.
	Unreachable = fault.Declare(fault.Unavailable, "identity.upstream_unreachable")
	// Faulty: it answered that something of its own is broken.
	Faulty = fault.Declare(fault.Upstream, "identity.upstream_faulty")
	// Misconfigured: its settings and ours do not fit: an unknown client, an account
	// of ours that it refuses, an address that nobody registered.
	Misconfigured = fault.Declare(fault.Upstream, "identity.upstream_misconfigured")
	// Unfit: its answer is not for us, or not from whom we asked.
	Unfit = fault.Declare(fault.Upstream, "identity.upstream_unfit")
	// ClockOff: its clock and ours are too far apart.
	ClockOff = fault.Declare(fault.Upstream, "identity.upstream_clock_off")
	// KeyUnknown: the signature is of no key that it publishes.
	KeyUnknown = fault.Declare(fault.Upstream, "identity.upstream_key_unknown")
	// CertificateOver: its certificate or its metadata have expired.
	CertificateOver = fault.Declare(fault.Upstream, "identity.upstream_certificate_over")
	// AttributeMissing: it does not say what we must know of somebody.
	AttributeMissing = fault.Declare(fault.Upstream, "identity.upstream_attribute_missing")
	// Stale: it answered with an old sign-in, or to a question that was not asked.
	Stale = fault.Declare(fault.Gone, "identity.upstream_stale")
	// Undated: it was to ask who somebody is, and does not say when it did.
	Undated = fault.Declare(fault.Upstream, "identity.upstream_undated")

	// Refused: it does not accept the person, without saying more.
	Refused = fault.Declare(fault.Invalid, "identity.upstream_refused")
	// Declined: the person, or somebody who decides for them, said no there.
	Declined = fault.Declare(fault.Forbidden, "identity.upstream_declined").Leads("/login")
	// WrongAccount: somebody came with an account of another organisation.
	WrongAccount = fault.Declare(fault.Forbidden, "identity.upstream_wrong_account")
	// WrongTenant: the same, and the upstream does not say which account it was.
	WrongTenant = fault.Declare(fault.Forbidden, "identity.upstream_wrong_tenant")
	// NotAssigned: they are not in the group that may come here.
	NotAssigned = fault.Declare(fault.Forbidden, "identity.upstream_not_assigned")
	// PolicyStopped: a rule there forbids it from this device, place or network.
	PolicyStopped = fault.Declare(fault.Forbidden, "identity.upstream_policy_stopped")
	// FactorWanted: it wants a second factor or another way of proof first.
	FactorWanted = fault.Declare(fault.Forbidden, "identity.upstream_factor_wanted")
	// PasswordExpired: the password was right until it expired.
	PasswordExpired = fault.Declare(fault.Forbidden, "identity.upstream_password_expired")
	// PasswordReset: somebody else set it, and it must change before anything.
	PasswordReset = fault.Declare(fault.Forbidden, "identity.upstream_password_reset")
	// PasswordForm: the new password breaks the rules of the directory.
	PasswordForm = fault.Declare(fault.Invalid, "identity.upstream_password_form")
	// AccountLocked: too many failures; it opens again by itself or by its owner.
	AccountLocked = fault.Declare(fault.Forbidden, "identity.upstream_account_locked")
	// AccountDisabled: somebody closed the account there.
	AccountDisabled = fault.Declare(fault.Forbidden, "identity.upstream_account_disabled")
	// AccountExpired: the account there has reached its end.
	AccountExpired = fault.Declare(fault.Forbidden, "identity.upstream_account_expired")
	// HoursForbidden: the account may not be used at this time.
	HoursForbidden = fault.Declare(fault.Forbidden, "identity.upstream_hours_forbidden")
	// PlaceForbidden: the account may not be used from here.
	PlaceForbidden = fault.Declare(fault.Forbidden, "identity.upstream_place_forbidden")
)

// Why a journey to an upstream and back did not lead in.
var (
	// Missing: no upstream has this name.
	Missing = fault.Declare(fault.NotFound, "identity.upstream_missing").Leads("/login?local=1")
	// NoAccount: the upstream vouched, and no account here is theirs.
	NoAccount = fault.Declare(fault.Forbidden, "identity.upstream_no_account")
	// Ambiguous: several accounts here may be theirs.
	Ambiguous = fault.Declare(fault.Conflict, "identity.upstream_ambiguous")
	// Taken: an account would be made for them, and its login or address belongs to
	// somebody else.
	Taken = fault.Declare(fault.Conflict, "identity.upstream_taken")
	// NotEntitled: accounts are made by rule, and no rule fits them.
	NotEntitled = fault.Declare(fault.Forbidden, "identity.upstream_not_entitled")
	// CookieLost: the browser came back without the cookie it had when it left.
	CookieLost = fault.Declare(fault.Invalid, "identity.upstream_cookie_lost").Leads("/diagnostic")
	// OtherBrowser: the answer belongs to a journey of another browser.
	OtherBrowser = fault.Declare(fault.Forbidden, "identity.upstream_other_browser").Leads("/login")
	// Loop: the same journey, for the third time within a minute.
	Loop = fault.Declare(fault.Upstream, "identity.upstream_loop")
	// NotBack: somebody left for an upstream and did not come back.
	NotBack = fault.Declare(fault.Upstream, "identity.upstream_not_back")
	// PasswordThere: the password is right and the directory's; it is not changed here.
	PasswordThere = fault.Declare(fault.Invalid, "identity.upstream_password_there")
)
