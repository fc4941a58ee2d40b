package identity

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	holding := func(table, key string) contract.Holding {
		said := func(part string) string { return i18n.T(ctx, "identity.holding."+key+"."+part) }
		return contract.Holding{Table: table, What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until")}
	}
	return []contract.Holding{
		holding("identity_people", "person"),
		holding("identity_affiliations", "affiliation"),
		holding("identity_rights", "right"),
		holding("identity_passwords", "password"),
		holding("identity_sessions", "session"),
	}
}

// Export writes the person and their sessions as JSON. A password is exported as
// nothing: only its hash is known, and it helps nobody but an attacker.
func (m *Module) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	p, err := m.PersonByID(ctx, who)
	if err != nil {
		return err
	}
	sessions, err := sqlgen.New(m.db.Read()).SessionsForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	for name, content := range map[string]any{"person.json": p, "sessions.json": sessions} {
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
