package knowledge

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps about people: who wrote what. What readers
// say of an article is kept without them.
func (k *Knowledge) Holdings(ctx context.Context) []contract.Holding {
	authors := func(table, key string) contract.Holding {
		return contract.Held(ctx, table, "helpdesk.knowledge.holding."+key).On(contract.PublicTask, contract.DataWritings).Of(contract.PeopleAgents).Erased(contract.Clear("changed_by"))
	}
	return []contract.Holding{
		authors("helpdesk_articles", "article"), authors("helpdesk_article_versions", "version"),
		contract.Held(ctx, "helpdesk_article_opinions", "helpdesk.knowledge.holding.opinion").On(contract.PublicTask, contract.DataWritings),
	}
}
