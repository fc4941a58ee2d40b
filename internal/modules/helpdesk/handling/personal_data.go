package handling

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps about people.
func (h *Handling) Holdings(ctx context.Context) []contract.Holding {
	ofRequester := contract.Delete("ticket_id").Through("helpdesk_tickets", "id", "requester_id")
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_writing", "helpdesk.handling.holding.draft").On(contract.PublicTask, contract.DataWritings).Of(contract.PeopleAgents).
			Erased(ofRequester, contract.Delete("agent_id")),
		contract.Held(ctx, "helpdesk_watchers", "helpdesk.handling.holding.watcher").On(contract.PublicTask, contract.DataUse).Of(contract.PeopleAgents).
			Erased(ofRequester, contract.Delete("person_id")),
		contract.Held(ctx, "helpdesk_callbacks", "helpdesk.handling.holding.callback").On(contract.PublicTask, contract.DataContact).
			Erased(ofRequester),
		contract.Held(ctx, "helpdesk_habits", "helpdesk.handling.holding.habit").On(contract.PublicTask, contract.DataUse).Of(contract.PeopleAgents).
			Erased(contract.Delete("agent_id")),
	}
}
