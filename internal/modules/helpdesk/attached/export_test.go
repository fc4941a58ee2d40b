package attached

import "context"

// Sweep runs the daily search for files that nothing names.
func Sweep(ctx context.Context, a *Attached) error { return a.sweep(ctx) }
