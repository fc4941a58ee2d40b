package journal

import (
	"context"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Words is the sentence for an event, in the language of ctx.
func Words(ctx context.Context, e Event) string {
	key := "identity.journal.event." + strings.TrimPrefix(e.Kind, "identity.")
	if p := i18n.Of(ctx); p != nil && !p.Has(key) {
		return i18n.T(ctx, "identity.journal.event_unknown", "kind", e.Kind)
	}
	pairs := make([]any, 0, 2*len(e.Facts))
	for name, value := range e.Facts {
		pairs = append(pairs, name, value)
	}
	return i18n.T(ctx, key, pairs...)
}

// subject is what a group of kinds is about, for the filter of the pages.
type subject struct {
	key   string // [identity.journal.subject] names it
	kinds []string
}

// subjects are the groups, in the order of the filter. A kind in none of them is
// found by searching everything.
var subjects = []subject{
	{"entry", []string{"signed_in", "signed_in_refused", "signed_out", "sessions_closed", "locked", "unlocked", "disowned"}},
	{"password", []string{"password_changed", "password_reset", "reset_sent", "app_password_made", "app_password_ended"}},
	{"factor", []string{"factor_added", "factor_removed", "factor_used_recovery", "relayed_code_given"}},
	{"device", []string{"device_trusted", "device_forgotten"}},
	{"contact", []string{"contact_changed", "contact_confirmed", "names_changed"}},
	{"services", []string{"consent_given", "consent_refused", "consent_taken_back", "push_token_made", "push_token_revoked", "push_token_ended", "directory_budget_lifted", "directory_question_decided", "directory_run_released", "directory_run_dropped", "directory_value_pinned"}},
	{"account", []string{"account_invited", "account_activated", "account_suspended", "account_reopened", "account_expiring", "account_closed", "account_planned", "registration_extended", "registration_shortened", "right_given", "right_taken"}},
	{"support", []string{"recovery_asked", "recovery_approved", "recovery_refused", "recovery_done", "recovery_stopped", "recovery_lapsed", "incident_opened", "account_opened", "reset_sent", "unlock_sent"}},
}

// kindsOf are the full kinds of a subject; nil for one that does not exist.
func kindsOf(key string) []string {
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.key == key })
	if i < 0 {
		return nil
	}
	kinds := make([]string, len(subjects[i].kinds))
	for n, k := range subjects[i].kinds {
		kinds[n] = "identity." + k
	}
	return kinds
}
