package operations

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings implements contract.PersonalData for the outbox and the jobs, which belong to the ground floor.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "mailer_outbox", "operations.holding").On(contract.PublicTask, contract.DataContact),
		contract.Held(ctx, "jobs", "operations.job_holding").On(contract.LegalObligation, contract.DataUse).
			Erased(contract.Delete("args").Marked(contract.Mentions).Only("state = 'dead'")),
	}
}

// Export implements contract.PersonalData. The outbox cannot tell whose messages it holds: recipients
// are masked, and what they are recognised by cannot be turned back.
func (m *Module) Export(context.Context, campus.PersonID, *contract.Archive) error { return nil }
