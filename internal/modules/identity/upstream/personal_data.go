package upstream

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "identity_upstream_links", "identity.upstream.holding.link").On(contract.PublicTask, contract.DataIdentity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_upstream_transactions", "identity.upstream.holding.journey").On(contract.PublicTask, contract.DataConnection).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_upstream_events", "identity.upstream.holding.answer").On(contract.LegitimateInterests, contract.DataConnection).
			Erased(contract.Delete("incident").Through("identity_attempts", "code", "person_id")),
	}
}

// Export writes the accounts elsewhere that somebody comes in by, as JSON.
func (x *Upstreams) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	rows, err := sqlgen.New(x.DB.Read()).LinksForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the links: %w", err)
	}
	return a.JSON("upstream_links.json", rows)
}
