package oidcop

import "github.com/amphi-campus/amphi/internal/platform/fault"

// What stops a person on the way to a client. Each has no safe way back to the
// client, so it is told on a page.
var (
	// ClientUnknown: the client_id is not in the registry.
	ClientUnknown = fault.Declare(fault.NotFound, "sso.oidc_client_unknown")
	// RedirectUnknown: the address for the answer is not one of the client's.
	RedirectUnknown = fault.Declare(fault.Conflict, "sso.oidc_redirect_unknown")
	// RequestUnreadable: what the client sent along is no request.
	RequestUnreadable = fault.Declare(fault.Malformed, "sso.oidc_request_unreadable")
	// PushedGone: the request that the client left with us has run out, or was
	// answered already.
	PushedGone = fault.Declare(fault.Gone, "sso.oidc_pushed_gone")
	// OtherPerson: the client asked for somebody else than who signed in.
	OtherPerson = fault.Declare(fault.Conflict, "sso.oidc_other_person")
	// LogoutTargetUnknown: after sign-out, only registered addresses are followed.
	LogoutTargetUnknown = fault.Declare(fault.NotFound, "sso.oidc_logout_target_unknown")
)

// What stops a person who types the code of a device.
var (
	// DeviceGone: the code was used, refused, or is too old.
	DeviceGone = fault.Declare(fault.Gone, "sso.oidc_device_gone")
	// DeviceGuesses: too many wrong codes.
	DeviceGuesses = fault.Declare(fault.Busy, "sso.oidc_device_guesses")
)

// What goes wrong between a client and us. The client reads the error of OAuth,
// the technical contact these.
var (
	// RequestRefused: the client asked for what its entry, or safety, does not allow.
	RequestRefused = fault.Declare(fault.Conflict, "sso.oidc_request_refused")
	// PKCEMissing: the client asked for a code without a challenge.
	PKCEMissing = fault.Declare(fault.Conflict, "sso.oidc_pkce_missing")
	// ClientRefused: the client could not prove who it is.
	ClientRefused = fault.Declare(fault.Forbidden, "sso.oidc_client_refused")
	// CodeRefused: a code was shown wrongly.
	CodeRefused = fault.Declare(fault.Conflict, "sso.oidc_code_refused")
	// CodeReplayed: a code was shown twice.
	CodeReplayed = fault.Declare(fault.Conflict, "sso.oidc_code_replayed")
	// CodeExpired: a code was shown too late.
	CodeExpired = fault.Declare(fault.Gone, "sso.oidc_code_expired")
	// RefreshReplayed: a refresh token was shown twice; somebody has stolen one.
	RefreshReplayed = fault.Declare(fault.Conflict, "sso.oidc_refresh_replayed")
	// TokenRefused: a token opens nothing, or not this.
	TokenRefused = fault.Declare(fault.Forbidden, "sso.oidc_token_refused")
	// ProofRefused: a proof of possession does not hold.
	ProofRefused = fault.Declare(fault.Forbidden, "sso.oidc_proof_refused")
	// KeysUnavailable: the client's public keys could not be fetched.
	KeysUnavailable = fault.Declare(fault.Upstream, "sso.oidc_keys_unavailable")
	// RegistrationRefused: a client may not be registered so.
	RegistrationRefused = fault.Declare(fault.Forbidden, "sso.oidc_registration_refused")
	// TooManyFailures: this address failed too often.
	TooManyFailures = fault.Declare(fault.Busy, "sso.oidc_too_many_failures")
)
