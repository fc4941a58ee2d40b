package oidcop

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// said is an instant as the reader says it.
func said(ctx context.Context, at time.Time) string { return i18n.Of(ctx).Date(at, i18n.Full) }

// logoutLead says who asks to sign somebody out, when that is known.
func logoutLead(ctx context.Context, v logoutView) string {
	if v.Service == "" {
		return i18n.T(ctx, "sso.oidc.logout.lead")
	}
	return i18n.T(ctx, "sso.oidc.logout.lead_service", "service", v.Service)
}
