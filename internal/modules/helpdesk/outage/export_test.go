package outage

import "context"

// AnswerSome writes an update into tickets, as its job does with some at once.
func (x *Outages) AnswerSome(ctx context.Context, u Update, tickets ...string) (stands bool, err error) {
	return x.answerSome(ctx, u, tickets)
}

// UpdateCalled reads an update and its incident.
func (x *Outages) UpdateCalled(ctx context.Context, update string) (Update, Outage, error) {
	return x.updateCalled(ctx, update)
}
