package sso

import "github.com/amphi-campus/amphi/internal/platform/fault"

// What stops a person on the way to a service.
var (
	// ServiceDisabled: an administrator closed the service.
	ServiceDisabled = fault.Declare(fault.Unavailable, "sso.service_disabled")
	// NotInAudience: the service is for others.
	NotInAudience = fault.Declare(fault.Forbidden, "sso.not_in_audience")
	// AttributeMissing: the service cannot work without something that the
	// person's record does not hold.
	AttributeMissing = fault.Declare(fault.Conflict, "sso.attribute_missing")
	// Loop: the service validates our tickets and asks again.
	Loop = fault.Declare(fault.Conflict, "sso.loop").Leads("/login/loop")
	// LoopUnchecked: the service asks again and never validates a ticket.
	LoopUnchecked = fault.Declare(fault.Conflict, "sso.loop_unchecked")
	// LoopRefused: the service validates for another address and asks again.
	LoopRefused = fault.Declare(fault.Conflict, "sso.loop_refused")
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
	// TicketIgnored: a person came back, and their ticket was never validated.
	TicketIgnored = fault.Declare(fault.Upstream, "sso.ticket_ignored")
	// LogoutUnanswered: the service could not be told that a session ended.
	LogoutUnanswered = fault.Declare(fault.Upstream, "sso.logout_unanswered")
	// AttributesUnavailable: what we know about the person could not be read.
	AttributesUnavailable = fault.Declare(fault.Unavailable, "sso.attributes_unavailable")
	// RegistryUnavailable: the registry could not be read.
	RegistryUnavailable = fault.Declare(fault.Unavailable, "sso.registry_unavailable")
)
