package risk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the alcove keeps about people. Alarms are about networks.
func Holdings(ctx context.Context) []contract.Holding {
	holding := func(table, key string) contract.Holding {
		said := func(part string) string { return i18n.T(ctx, "identity.risk.holding."+key+"."+part) }
		return contract.Holding{Table: table, What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until")}
	}
	return []contract.Holding{
		holding("identity_signals", "signal"), holding("identity_strikes", "strike"), holding("identity_locks", "lock"),
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
	for name, content := range map[string]any{"sign_in_signals.json": signals, "locks.json": locks} {
		f, err := a.Create(name)
		if err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		if err := json.NewEncoder(f).Encode(content); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
	}
	return nil
}
