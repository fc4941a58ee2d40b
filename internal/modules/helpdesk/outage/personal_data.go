package outage

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps about people: who wants to be told, and who
// wrote what.
func (x *Outages) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_outages", "helpdesk.outage.holding.outage").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).Erased(contract.Clear("made_by")),
		contract.Held(ctx, "helpdesk_outage_subscribers", "helpdesk.outage.holding.subscriber").On(contract.PublicTask, contract.DataContact).Erased(contract.Delete("person_id"), contract.Delete("mail").Marked(contract.ByMail)),
		contract.Held(ctx, "helpdesk_outage_updates", "helpdesk.outage.holding.update").On(contract.PublicTask, contract.DataWritings).Of(contract.PeopleAgents).Erased(contract.Clear("author_id")),
	}
}
