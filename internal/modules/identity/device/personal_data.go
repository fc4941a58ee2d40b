package device

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	said := func(part string) string { return i18n.T(ctx, "identity.device.holding."+part) }
	return []contract.Holding{{Table: "identity_devices", What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until")}}
}

// Export writes the known browsers of somebody as JSON, without their tokens.
func (x *Devices) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	devices, err := x.List(ctx, who)
	if err != nil {
		return err
	}
	f, err := a.Create("devices.json")
	if err != nil {
		return fmt.Errorf("export devices.json: %w", err)
	}
	if err := json.NewEncoder(f).Encode(devices); err != nil {
		return fmt.Errorf("export devices.json: %w", err)
	}
	return nil
}
