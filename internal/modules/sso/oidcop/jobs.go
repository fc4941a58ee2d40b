package oidcop

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// history is how long an ended grant is kept, for the person who asks what a
// service could do in their name.
const history = 30 * 24 * time.Hour

// Jobs forgets what has run out.
func (p *Provider) Jobs(r *jobs.Registry) {
	r.Every("sso.prune_oidc", time.Hour, func(ctx context.Context) error { return p.grants.Prune(ctx, history) })
}
