package identity

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Rescue brings somebody back who lost everything and whom no colleague may vouch
// for, such as the only administrator: a new password, no second factor, no
// browser that is trusted, no session. It is for whoever holds the server.
func (m *Module) Rescue(ctx context.Context, tx db.Tx, who campus.PersonID, hash string) error {
	if err := m.factors.Forget(ctx, tx, who); err != nil {
		return err
	}
	e := journal.Event{Person: who, Kind: "identity.recovery_done"}
	if _, err := m.devices.ForgetAll(ctx, tx, e); err != nil {
		return err
	}
	if err := m.StorePassword(ctx, tx, who, hash); err != nil {
		return err
	}
	if err := m.journal.Write(ctx, tx, e); err != nil {
		return fmt.Errorf("rescue: %w", err)
	}
	return nil
}
