package lifecycle

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "identity_decisions", "identity.lifecycle.holding.decision").On(contract.PublicTask, contract.DataDecisions).
			Erased(contract.Delete("person_id"), contract.Clear("decided_by"), contract.Clear("lifted_by")),
		contract.Held(ctx, "identity_decision_notices", "identity.lifecycle.holding.notice").On(contract.PublicTask, contract.DataDecisions).
			Erased(contract.Delete("decision_id").Through("identity_decisions", "id", "person_id")),
		contract.Held(ctx, "identity_registrations", "identity.lifecycle.holding.registration").On(contract.PublicTask, contract.DataStudies, contract.DataWork).
			Erased(contract.Delete("person_id")),
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
	notices, err := sqlgen.New(l.DB.Read()).NoticesForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read reminders: %w", err)
	}
	if err := a.JSON("decisions.json", decisions); err != nil {
		return err
	}
	if err := a.JSON("reminders.json", notices); err != nil {
		return err
	}
	return a.JSON("registrations.json", registrations)
}
