package proving

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps: nothing that names anybody, and nothing
// for longer than a day.
func (p *Proving) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_begun", "helpdesk.proof.holding.draft").On(contract.PublicTask, contract.DataWritings, contract.DataContact),
		contract.Held(ctx, "helpdesk_proofs", "helpdesk.proof.holding.proof").On(contract.PublicTask, contract.DataConnection),
	}
}
