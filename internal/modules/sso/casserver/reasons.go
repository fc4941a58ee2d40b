package casserver

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
	// SignOutTargetUnknown: after sign-out, only registered services are followed.
	SignOutTargetUnknown = fault.Declare(fault.NotFound, "sso.sign_out_target_unknown")
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
	// TicketMalformed: what the service sent is not a ticket.
	TicketMalformed = fault.Declare(fault.Malformed, "sso.ticket_malformed")
	// ProxyForbidden: the service asks for a proxy-granting ticket that its entry
	// does not provide for.
	ProxyForbidden = fault.Declare(fault.Conflict, "sso.cas_proxy_forbidden")
	// CallbackForeign: the callback of a proxy is not one of its own addresses.
	CallbackForeign = fault.Declare(fault.Conflict, "sso.cas_callback_foreign")
	// CallbackFailed: the callback of a proxy did not take its ticket.
	CallbackFailed = fault.Declare(fault.Upstream, "sso.cas_callback_failed")
	// GrantUnknown: a proxy-granting ticket that was never issued, or is over.
	GrantUnknown = fault.Declare(fault.Gone, "sso.cas_grant_unknown")
	// ProxyTargetUnknown: a proxy wants to open what is not registered.
	ProxyTargetUnknown = fault.Declare(fault.NotFound, "sso.cas_target_unknown")
	// ProxyTargetForbidden: a proxy wants to open what it may not, or what asks the
	// person for something.
	ProxyTargetForbidden = fault.Declare(fault.Conflict, "sso.cas_target_forbidden")
	// ClockOff: the service's clock differs from ours.
	ClockOff = fault.Declare(fault.Conflict, "sso.cas_clock_off")
)
