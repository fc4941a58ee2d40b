package risk

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
)

// Holdings declares what the alcove keeps about people. Alarms are about networks.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "identity_signals", "identity.risk.holding.signal").On(contract.LegalObligation, contract.DataConnection, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_strikes", "identity.risk.holding.strike").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("subject")),
		contract.Held(ctx, "identity_locks", "identity.risk.holding.lock").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("subject"), contract.Clear("lifted_by")),
	}
}

// Export writes the tries and the locks of somebody as JSON.
func (x *Risk) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	signals, err := sqlgen.New(x.DB.Read()).SignalsForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the signals of %s: %w", who, err)
	}
	locks, err := x.Locks(ctx, who)
	if err != nil {
		return err
	}
	if err := a.JSON("sign_in_signals.json", signals); err != nil {
		return err
	}
	return a.JSON("locks.json", locks)
}
