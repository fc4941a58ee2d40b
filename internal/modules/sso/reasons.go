package sso

import "github.com/amphi-campus/amphi/internal/platform/fault"

// What stops a person on the way to a service.
var (
	// ServiceUnknown: the address is not in the registry.
	ServiceUnknown = fault.Declare(fault.NotFound, "sso.service_unknown")
	// ServiceUnknownNear: the same for an administrator, with the nearest entry.
	ServiceUnknownNear = fault.Declare(fault.NotFound, "sso.service_unknown_near")
	// ServiceUnreadable: what was given as the address of a service is none.
	ServiceUnreadable = fault.Declare(fault.Malformed, "sso.service_unreadable")
	// ServiceTwice: two addresses were given, and following one would be a guess.
	ServiceTwice = fault.Declare(fault.Malformed, "sso.service_twice")
	// ServiceDisabled: an administrator closed the service.
	ServiceDisabled = fault.Declare(fault.Unavailable, "sso.service_disabled")
	// NotInAudience: the service is for others.
	NotInAudience = fault.Declare(fault.Forbidden, "sso.not_in_audience")
	// AttributeMissing: the service cannot work without something that the
	// person's record does not hold.
	AttributeMissing = fault.Declare(fault.Conflict, "sso.attribute_missing")
	// Loop: the service validates our tickets and asks again.
	Loop = fault.Declare(fault.Conflict, "sso.loop")
	// LoopUnchecked: the service asks again and never validates a ticket.
	LoopUnchecked = fault.Declare(fault.Conflict, "sso.loop_unchecked")
	// LoopRefused: the service validates for another address and asks again.
	LoopRefused = fault.Declare(fault.Conflict, "sso.loop_refused")
	// SignOutTargetUnknown: after sign-out, only registered services are followed.
	SignOutTargetUnknown = fault.Declare(fault.NotFound, "sso.sign_out_target_unknown")
)

// What stops an administrator.
var (
	// ServiceMissing: there is no such entry in the registry.
	ServiceMissing = fault.Declare(fault.NotFound, "sso.service_missing")
	// ServiceReadOnly: the entry stands in the configuration file.
	ServiceReadOnly = fault.Declare(fault.Conflict, "sso.service_read_only")
	// ServiceTaken: another entry has this id.
	ServiceTaken = fault.Declare(fault.Conflict, "sso.service_taken")
	// AdministratorsOnly: the registry is kept by administrators.
	AdministratorsOnly = fault.Declare(fault.Forbidden, "sso.administrators_only")
)

// What goes wrong between a service and us. Technical contacts read these, on
// the page of the service and by mail.
var (
	// TicketUnknown: the service asked about a ticket that we never issued.
	TicketUnknown = fault.Declare(fault.Conflict, "sso.ticket_unknown")
	// TicketExpired: the service asked too late.
	TicketExpired = fault.Declare(fault.Gone, "sso.ticket_expired")
	// TicketUsed: the service asked twice.
	TicketUsed = fault.Declare(fault.Gone, "sso.ticket_used")
	// TicketEnded: the session ended before the service asked.
	TicketEnded = fault.Declare(fault.Gone, "sso.ticket_ended")
	// TicketOfAnother: the address differs from the one the ticket is for.
	TicketOfAnother = fault.Declare(fault.Conflict, "sso.ticket_of_another")
	// TicketNotFresh: the service wants a password just entered, and it was not.
	TicketNotFresh = fault.Declare(fault.Conflict, "sso.ticket_not_fresh")
	// TicketIgnored: a person came back, and their ticket was never validated.
	TicketIgnored = fault.Declare(fault.Upstream, "sso.ticket_ignored")
	// TicketMalformed: what the service sent is not a ticket.
	TicketMalformed = fault.Declare(fault.Malformed, "sso.ticket_malformed")
	// LogoutUnanswered: the service could not be told that a session ended.
	LogoutUnanswered = fault.Declare(fault.Upstream, "sso.logout_unanswered")
	// AttributesUnavailable: what we know about the person could not be read.
	AttributesUnavailable = fault.Declare(fault.Unavailable, "sso.attributes_unavailable")
	// RegistryUnavailable: the registry could not be read.
	RegistryUnavailable = fault.Declare(fault.Unavailable, "sso.registry_unavailable")
)
