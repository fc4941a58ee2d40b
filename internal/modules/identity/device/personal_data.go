package device

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{contract.Held(ctx, "identity_devices", "identity.device.holding").On(contract.LegalObligation, contract.DataConnection).
		Erased(contract.Delete("person_id")).Mended("/identity/devices")}
}

// Export writes the known browsers of somebody as JSON, without their tokens.
func (x *Devices) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	devices, err := x.List(ctx, who)
	if err != nil {
		return err
	}
	return a.JSON("devices.json", devices)
}
