package api

import "context"

// Guarded is the client of webhooks.
var Guarded = guarded

// Deliver runs the job of a delivery.
func (a *API) Deliver(ctx context.Context, delivery string) error {
	return a.deliver(ctx, deliver{delivery})
}

// Warn runs the job that says which tokens end soon.
func (a *API) Warn(ctx context.Context) error { return a.warn(ctx) }
