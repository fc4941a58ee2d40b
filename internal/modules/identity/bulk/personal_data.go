package bulk

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/bulk/internal/sqlgen"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "identity_bulk_orders", "identity.bulk.holding.order").On(contract.LegalObligation, contract.DataWork, contract.DataConnection).Of(contract.PeopleAgents).
			Erased(contract.Clear("asked_by").Also("address", "").Also("agent", ""), contract.Clear("undone_by").Also("address", "").Also("agent", "")),
		contract.Held(ctx, "identity_bulk_people", "identity.bulk.holding.person").On(contract.PublicTask, contract.DataDecisions).
			Erased(contract.Delete("person_id")),
	}
}

// Export writes which acts on many accounts reached somebody, and which they asked
// for themselves, as JSON. Previews that nobody acted on are left out of the
// first, and the notes of the secretariat everywhere.
func (x *Bulk) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	reached, err := sqlgen.New(x.DB.Read()).OfPerson(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the acts that reached somebody: %w", err)
	}
	asked, err := sqlgen.New(x.DB.Read()).OrdersAsked(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the acts that somebody asked for: %w", err)
	}
	if err := a.JSON("bulk_acts.json", reached); err != nil {
		return err
	}
	return a.JSON("bulk_acts_asked_for.json", asked)
}
