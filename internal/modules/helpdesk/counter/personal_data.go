package counter

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps about people.
func (x *Reception) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_visits", "helpdesk.counter.holding.visit").On(contract.PublicTask, contract.DataUse, contract.DataContact).
			Erased(contract.Delete("person_id"), contract.Clear("agent_id")),
		contract.Held(ctx, "helpdesk_counter_keys", "helpdesk.counter.holding.key").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Clear("made_by")),
	}
}
