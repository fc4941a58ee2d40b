package recovery

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery/internal/sqlgen"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{contract.Held(ctx, "identity_supervised", "identity.recovery.holding").On(contract.LegitimateInterests, contract.DataSecurity, contract.DataDecisions).Erased(
		contract.Delete("person_id"), contract.Clear("opened_by"), contract.Clear("first_by"), contract.Clear("second_by"), contract.Clear("given_by"), contract.Clear("ended_by"))}
}

// Export writes somebody's recoveries as JSON. Who vouched stays out: agents are
// named by the journal only to those who look into misuse.
func (x *Recovery) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	rows, err := sqlgen.New(x.DB.Read()).ForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read recoveries: %w", err)
	}
	return a.JSON("recoveries.json", rows)
}
