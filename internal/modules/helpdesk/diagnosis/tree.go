package diagnosis

import "github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"

// The places of the tree that the walk knows by name.
const (
	Root         = "what"
	afterSignIn  = "vouched"
	whichService = "which"
)

// WhichService is the question whose answers are services rather than those of the
// tree: the page lists them.
const WhichService = whichService

// Questions are the tree. The question that tells most comes first on every way:
// whether the account works elsewhere, one service or all, this browser or another,
// this network or another.
var Questions = []Question{
	{Root, []Answer{{"signin", afterSignIn}, {"service", whichService}, {"portal", "browser"}, {"network", "connection"}, {"hardware", "thing"}, {"else", "else"}}},

	// Signing in. The first question is asked where people sign in elsewhere first.
	{afterSignIn, []Answer{{"upstream_opens", "seen"}, {"upstream_stops", "upstream_how"}, {"upstream_unused", "seen"}}},
	{"upstream_how", []Answer{{"upstream_expired", "upstream_expired"}, {"upstream_locked", "upstream_locked"}, {"upstream_asks", "upstream_factor"}, {"upstream_else", "upstream"}}},
	{"seen", []Answer{
		{"refused", "refused"}, {"asks_code", "factor"}, {"says_locked", "locked"}, {"says_expired", "expired"}, {"never", "activate"}, {"says_ended", "ended"},
		{"circles", "circles"}, {"nothing", "browser"},
	}},
	{"refused", []Answer{{"forgotten", "forgotten"}, {"changed_lately", "old_password"}, {"sure", "refused_sure"}}},
	{"factor", []Answer{{"no_message", "no_message"}, {"code_refused", "wrong_code"}, {"phone_new", "new_phone"}, {"phone_lost", "lost_factor"}, {"none_yet", "prepare"}}},

	// A service.
	{whichService, []Answer{{"named", "running"}, {"unnamed", "scope"}}},
	{"running", []Answer{{"outage", "outage"}, {"no_outage", "account"}}},
	{"account", []Answer{{"coming", "account_coming"}, {"blocked", "account_blocked"}, {"not_due", "account_not_due"}, {"leaving", "account_leaving"}, {"ready", "scope"}, {"untold", "scope"}}},
	{"scope", []Answer{{"only_this", "symptom"}, {"all", afterSignIn}}},
	{"symptom", []Answer{{"not_let_in", "service_refuses"}, {"missing_inside", "service_content"}, {"broken", "browser"}}},

	// This browser or another, this network or another.
	{"browser", []Answer{{"browser_works", "browser_fault"}, {"browser_fails", "place"}, {"browser_untried", "place"}}},
	{"place", []Answer{{"place_works", "network_blocks"}, {"place_fails", "stuck"}, {"place_untried", "stuck"}}},

	{"connection", []Answer{{"wifi", "wifi"}, {"vpn", "vpn"}, {"plug", "wired"}}},
	{"thing", []Answer{{"card", "card"}, {"computer", "computer"}, {"printer", "printer"}}},
}

// Leaves are where the ways end.
var Leaves = []Leaf{
	{Key: "forgotten", Mend: "/password/forgotten", Area: ticket.AreaAccount},
	{Key: "old_password", Mend: "/login", Area: ticket.AreaAccount},
	{Key: "refused_sure", Mend: "/password/forgotten", Area: ticket.AreaAccount},
	{Key: "slowed", Mend: "/login", Area: ticket.AreaAccount},
	{Key: "locked", Mend: "/login/locked", Area: ticket.AreaAccount},
	{Key: "expired", Mend: "/password", Area: ticket.AreaAccount},
	{Key: "activate", Mend: "/activate", Area: ticket.AreaAccount},
	{Key: "ended", Write: true, Area: ticket.AreaAccount},
	{Key: "suspended", Write: true, Area: ticket.AreaAccount},
	{Key: "circles", Mend: "/login/loop", Area: ticket.AreaPortal},
	{Key: "cookies", Mend: "/diagnostic", Area: ticket.AreaPortal},
	{Key: "lost_way", Mend: "/login", Area: ticket.AreaAccount},
	{Key: "busy", Mend: "/login", Area: ticket.AreaPortal},
	{Key: "no_message", Mend: "/login", Area: ticket.AreaAccount},
	{Key: "wrong_code", Mend: "/diagnostic", Area: ticket.AreaAccount},
	{Key: "new_phone", Mend: "/identity/new-phone", Area: ticket.AreaAccount},
	{Key: "lost_factor", Mend: "/identity/recovery", Area: ticket.AreaAccount},
	{Key: "prepare", Mend: "/identity/factors/prepare", Area: ticket.AreaAccount},
	{Key: "upstream_expired", Area: ticket.AreaUpstream},
	{Key: "upstream_locked", Write: true, Area: ticket.AreaUpstream},
	{Key: "upstream_factor", Write: true, Area: ticket.AreaUpstream},
	{Key: "upstream_account", Mend: "/login", Area: ticket.AreaUpstream},
	{Key: "upstream", Write: true, Area: ticket.AreaUpstream},
	{Key: "outage", Area: ticket.AreaService},
	{Key: "account_coming", Area: ticket.AreaService, Account: true},
	{Key: "account_blocked", Write: true, Area: ticket.AreaService, Account: true},
	{Key: "account_not_due", Write: true, Area: ticket.AreaService, Account: true},
	{Key: "account_leaving", Write: true, Area: ticket.AreaService, Account: true},
	{Key: "service_refuses", Write: true, Area: ticket.AreaService},
	{Key: "service_content", Write: true, Area: ticket.AreaService},
	{Key: "browser_fault", Mend: "/diagnostic"},
	{Key: "network_blocks", Write: true, Area: ticket.AreaNetwork},
	{Key: "stuck", Write: true},
	{Key: "wifi", Write: true, Area: ticket.AreaNetwork},
	{Key: "vpn", Write: true, Area: ticket.AreaNetwork},
	{Key: "wired", Write: true, Area: ticket.AreaNetwork},
	{Key: "card", Write: true, Area: ticket.AreaHardware},
	{Key: "computer", Write: true, Area: ticket.AreaHardware},
	{Key: "printer", Write: true, Area: ticket.AreaHardware},
	{Key: "else", Write: true, Area: ticket.AreaOther},
}

// areas say what is at fault by the first answer of a way.
var areas = map[string]ticket.Area{"signin": ticket.AreaAccount, "service": ticket.AreaService, "portal": ticket.AreaPortal, "network": ticket.AreaNetwork, "hardware": ticket.AreaHardware}

// lockedOut are the leaves at which somebody cannot enter their account.
var lockedOut = []string{
	"forgotten", "old_password", "refused_sure", "slowed", "locked", "expired", "activate", "suspended", "circles", "cookies", "lost_way",
	"no_message", "wrong_code", "new_phone", "lost_factor", "prepare", "upstream_expired", "upstream_locked", "upstream_factor", "upstream_account", "upstream",
}

// reasons are the leaves of what stopped a sign-in, by reason code.
var reasons = map[string]string{
	"identity.wrong_credentials": "refused_sure", "identity.old_password": "old_password", "identity.upstream_password_there": "upstream_account",
	"identity.sign_in_slowed": "slowed", "identity.network_slowed": "slowed", "identity.code_too_many": "slowed", "identity.factor_slowed": "slowed",
	"identity.account_invited": "activate", "identity.account_suspended": "suspended", "identity.account_suspended_until": "suspended", "identity.account_ended": "ended", "identity.account_closed": "ended",
	"identity.cookie_lost": "cookies", "identity.cookies_refused": "cookies", "identity.sign_in_lost": "lost_way", "identity.waiting_lost": "lost_way",
	"identity.sign_in_slow": "busy", "identity.queue_full": "busy",
	"identity.code_wrong": "wrong_code", "identity.code_expired": "wrong_code", "identity.code_used": "wrong_code", "identity.code_superseded": "wrong_code", "identity.code_exhausted": "wrong_code",
	"identity.totp_wrong": "wrong_code", "identity.totp_replayed": "wrong_code", "identity.totp_clock_early": "wrong_code", "identity.totp_clock_late": "wrong_code", "identity.recovery_code_wrong": "lost_factor", "identity.recovery_code_used": "lost_factor",
	"identity.key_absent": "lost_factor", "identity.key_unknown": "lost_factor", "identity.key_unsupported": "lost_factor", "identity.key_failed": "lost_factor", "identity.key_cancelled": "lost_factor",
	"identity.factor_suspended": "suspended", "identity.enrol_too_late": "prepare", "identity.factor_not_allowed": "prepare",
	"identity.upstream_password_expired": "upstream_expired", "identity.upstream_password_reset": "upstream_expired", "identity.upstream_account_locked": "upstream_locked",
	"identity.upstream_account_disabled": "upstream", "identity.upstream_account_expired": "upstream", "identity.upstream_factor_wanted": "upstream_factor",
	"identity.upstream_wrong_account": "upstream_account", "identity.upstream_wrong_tenant": "upstream_account", "identity.upstream_no_account": "upstream", "identity.upstream_declined": "upstream_account",
	"identity.upstream_not_assigned": "upstream", "identity.upstream_not_entitled": "upstream", "identity.upstream_policy_stopped": "upstream", "identity.upstream_hours_forbidden": "upstream",
	"identity.upstream_place_forbidden": "upstream", "identity.upstream_unreachable": "upstream", "identity.upstream_faulty": "upstream", "identity.upstream_misconfigured": "upstream",
	"identity.upstream_not_back": "upstream", "identity.upstream_loop": "circles", "identity.upstream_refused": "upstream", "identity.upstream_ambiguous": "upstream", "identity.upstream_taken": "upstream",
	"identity.upstream_cookie_lost": "cookies", "identity.upstream_stale": "lost_way", "identity.upstream_other_browser": "lost_way",
	"sso.loop": "circles",
}
