package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/activation"
	"github.com/amphi-campus/amphi/internal/modules/identity/apppass"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/bulk"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
)

// Holdings declares what the room and its alcoves keep about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	return slices.Concat([]contract.Holding{
		contract.Held(ctx, "identity_people", "identity.holding.person").On(contract.PublicTask, contract.DataIdentity, contract.DataContact).
			Erased(contract.Delete("id")),
		contract.Held(ctx, "identity_affiliations", "identity.holding.affiliation").On(contract.PublicTask, contract.DataStudies, contract.DataWork).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_mandates", "identity.holding.right").On(contract.LegalObligation, contract.DataWork).
			Erased(contract.Delete("person_id"), contract.Clear("granted_by")),
		contract.Held(ctx, "identity_passwords", "identity.holding.password").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_sessions", "identity.holding.session").On(contract.LegalObligation, contract.DataConnection).
			Erased(contract.Delete("person_id")).Mended("/identity/sessions"),
	},
		attempt.Holdings(ctx), code.Holdings(ctx), reach.Holdings(ctx), factor.Holdings(ctx), renewal.Holdings(ctx), activation.Holdings(ctx),
		m.journal.Holdings(ctx), device.Holdings(ctx), apppass.Holdings(ctx), risk.Holdings(ctx), lifecycle.Holdings(ctx), bulk.Holdings(ctx), recovery.Holdings(ctx), upstream.Holdings(ctx),
	)
}

// Export writes the person, their sessions and what the alcoves know of them as
// JSON. Of a password only the dates are exported: its hash helps nobody but an
// attacker, and so it is with every other secret.
func (m *Module) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	p, err := m.PersonByID(ctx, who)
	if err != nil {
		return err
	}
	if err := a.JSON("person.json", p); err != nil {
		return err
	}
	sessions, err := sqlgen.New(m.db.Read()).SessionsForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	if err := a.JSON("sessions.json", sessions); err != nil {
		return err
	}
	for _, export := range []func(context.Context, campus.PersonID, *contract.Archive) error{
		m.stories.Export, m.reach.Export, m.factors.Export, m.renewal.Export, m.activation.Export,
		m.journal.ExportOf, m.devices.Export, m.apps.Export, m.risk.Export, m.lifecycle.Export, m.bulk.Export, m.recovery.Export, m.upstreams.Export,
	} {
		if err := export(ctx, who, a); err != nil {
			return err
		}
	}
	return nil
}
