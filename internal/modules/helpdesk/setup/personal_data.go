package setup

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the setup of the desk keeps about people.
func (s *Setup) Holdings(ctx context.Context) []contract.Holding {
	agents := func(table, key string) contract.Holding {
		return contract.Held(ctx, table, "helpdesk.setup.holding."+key).On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents)
	}
	return []contract.Holding{
		agents("helpdesk_settings", "setting").Erased(contract.Clear("changed_by")),
		agents("helpdesk_setting_changes", "change").Erased(contract.Clear("changed_by")),
		agents("helpdesk_term_members", "term").Erased(contract.Delete("person_id")),
		agents("helpdesk_turns", "turn").Erased(contract.Delete("person_id")),
	}
}
