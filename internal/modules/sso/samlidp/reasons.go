package samlidp

import "github.com/amphi-campus/amphi/internal/platform/fault"

// What stops a person on the way to a service, or a service on the way to us.
var (
	// MessageUnreadable: what came is no message of SAML.
	MessageUnreadable = fault.Declare(fault.Malformed, "sso.saml_message_unreadable")
	// MessageUnexpected: a message that does not belong at this address.
	MessageUnexpected = fault.Declare(fault.Malformed, "sso.saml_message_unexpected")
	// ServiceUnknown: the service provider is neither registered nor a member of a
	// federation whose members are admitted.
	ServiceUnknown = fault.Declare(fault.NotFound, "sso.saml_service_unknown")
	// ServiceUnknownNear: the same for an administrator, with the nearest entry.
	ServiceUnknownNear = fault.Declare(fault.NotFound, "sso.saml_service_unknown_near")
	// MetadataUnusable: the service has an entry, and no metadata that can be used.
	MetadataUnusable = fault.Declare(fault.Unavailable, "sso.saml_metadata_unusable")
	// SignatureMissing: the service signs its requests, and this one is not signed.
	SignatureMissing = fault.Declare(fault.Forbidden, "sso.saml_signature_missing")
	// SignatureWrong: no key of the service made the signature.
	SignatureWrong = fault.Declare(fault.Forbidden, "sso.saml_signature_wrong")
	// DestinationWrong: the message was made for another address.
	DestinationWrong = fault.Declare(fault.Malformed, "sso.saml_destination_wrong")
	// ClockAhead: the request comes from the future.
	ClockAhead = fault.Declare(fault.Malformed, "sso.saml_clock_ahead")
	// ClockBehind: requests are old when they arrive, again and again.
	ClockBehind = fault.Declare(fault.Malformed, "sso.saml_clock_behind")
	// AddressUnknown: the service wants its answer at an address that its metadata
	// does not list.
	AddressUnknown = fault.Declare(fault.Forbidden, "sso.saml_address_unknown")
	// BindingUnsupported: the service wants its answer by a way that we do not have.
	BindingUnsupported = fault.Declare(fault.Malformed, "sso.saml_binding_unsupported")
	// RequestGone: the sign-in began too long ago, and where it began is not known.
	RequestGone = fault.Declare(fault.Gone, "sso.saml_request_gone").Leads("/")
	// NoEncryptionKey: the entry wants encrypted answers, and the metadata has no key.
	NoEncryptionKey = fault.Declare(fault.Unavailable, "sso.saml_no_encryption_key")
	// NameMissing: the service knows people by something that this person has not.
	NameMissing = fault.Declare(fault.Conflict, "sso.saml_name_missing")
	// StartUnknown: nothing of that name can be started.
	StartUnknown = fault.Declare(fault.NotFound, "sso.saml_start_unknown").Leads("/")
	// StartTarget: the address inside the service is not the service's.
	StartTarget = fault.Declare(fault.Forbidden, "sso.saml_start_target")
	// LogoutGone: a sign-out that was done already, or never began.
	LogoutGone = fault.Declare(fault.Gone, "sso.saml_logout_gone").Leads("/")
)

// What goes wrong between a service and us without anybody being stopped.
// Technical contacts read these on the page of the service.
var (
	// MetadataRefused: new metadata was not taken; the former one is in use.
	MetadataRefused = fault.Declare(fault.Upstream, "sso.saml_metadata_refused")
	// KeysChanged: the service signs with other keys from now on.
	KeysChanged = fault.Declare(fault.Conflict, "sso.saml_keys_changed")
	// CertificateExpired: the key is right, the certificate around it is past its end.
	CertificateExpired = fault.Declare(fault.Conflict, "sso.saml_certificate_expired")
	// ContextUnmet: the service asked for a way to sign in that we do not have.
	ContextUnmet = fault.Declare(fault.Conflict, "sso.saml_context_unmet")
	// NamePolicyUnmet: the service asked for a name identifier that it does not get.
	NamePolicyUnmet = fault.Declare(fault.Conflict, "sso.saml_name_policy_unmet")
	// FederationStale: the metadata of a federation ends soon and could not be renewed.
	FederationStale = fault.Declare(fault.Upstream, "sso.saml_federation_stale")
	// LogoutRefused: the service answered our sign-out with a refusal.
	LogoutRefused = fault.Declare(fault.Upstream, "sso.saml_logout_refused")
)
