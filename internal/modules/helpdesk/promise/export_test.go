package promise

import "context"

// RecountNow does what the job of [Promises.Recount] does.
func (p *Promises) RecountNow(ctx context.Context, queues ...string) error {
	return p.recount(ctx, recountTickets{queues})
}
