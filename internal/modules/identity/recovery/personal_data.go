package recovery

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	said := func(part string) string { return i18n.T(ctx, "identity.recovery.holding."+part) }
	return []contract.Holding{{Table: "identity_supervised", What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until")}}
}

// Export writes somebody's recoveries as JSON. Who vouched stays out: agents are
// named by the journal only to those who look into misuse.
func (x *Recovery) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	rows, err := sqlgen.New(x.DB.Read()).ForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read recoveries: %w", err)
	}
	f, err := a.Create("recoveries.json")
	if err != nil {
		return fmt.Errorf("export recoveries: %w", err)
	}
	if err := json.NewEncoder(f).Encode(rows); err != nil {
		return fmt.Errorf("export recoveries: %w", err)
	}
	return nil
}
