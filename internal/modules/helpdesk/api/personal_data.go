package api

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what programs leave about people.
func (a *API) Holdings(ctx context.Context) []contract.Holding {
	agents := func(table string) contract.Holding {
		return contract.Held(ctx, table, "helpdesk.programs.holding").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents)
	}
	return []contract.Holding{
		agents("helpdesk_tokens").Erased(contract.Clear("made_by"), contract.Clear("revoked_by")),
		agents("helpdesk_hooks").Erased(contract.Clear("made_by")),
	}
}
