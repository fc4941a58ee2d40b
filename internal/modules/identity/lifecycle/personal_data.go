package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	holding := func(table, key string) contract.Holding {
		said := func(part string) string { return i18n.T(ctx, "identity.lifecycle.holding."+key+"."+part) }
		return contract.Holding{Table: table, What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until")}
	}
	return []contract.Holding{
		holding("identity_decisions", "decision"), holding("identity_decision_notices", "notice"), holding("identity_registrations", "registration"),
	}
}

// Export writes what was decided about somebody and until when they are
// registered, as JSON. A reason that is not for the person, and the notes of the
// secretariat, are left out: the secretariat gives them on request, after reading
// them for what concerns others.
func (l *Lifecycle) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	decisions, err := sqlgen.New(l.DB.Read()).DecisionsForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read decisions: %w", err)
	}
	registrations, err := l.Registrations(ctx, who)
	if err != nil {
		return err
	}
	for name, content := range map[string]any{"decisions.json": decisions, "registrations.json": registrations} {
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
