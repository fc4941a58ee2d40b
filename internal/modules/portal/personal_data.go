package portal

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
)

// Holdings declares what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "portal_shelf", "portal.holding.shelf", "duration", m.config.KeepUses).On(contract.PublicTask, contract.DataUse).
			Erased(contract.Delete("person_id")).Mended("/portal/services"),
		contract.Held(ctx, "portal_notifications", "portal.holding.notification", "duration", m.config.KeepNotifications).On(contract.PublicTask, contract.DataUse).
			Erased(contract.Delete("person_id")).Mended("/portal/notifications"),
		contract.Held(ctx, "portal_news", "portal.holding.news").On(contract.PublicTask, contract.DataWritings).
			Erased(contract.Clear("created_by"), contract.Clear("changed_by")),
		contract.Held(ctx, "portal_pictures", "portal.holding.picture").On(contract.PublicTask, contract.DataWritings).
			Of(contract.PeopleAgents).Erased(contract.Clear("created_by")),
	}
}

// exportMost bounds the notifications of one export; there are never more than
// a person got in the time that they are kept.
const exportMost = 100_000

// Export writes the shelf, the notifications and what the person published.
func (m *Module) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q := sqlgen.New(m.DB.Read())
	shelf, err := q.Shelf(ctx, string(who))
	if err != nil {
		return fmt.Errorf("export the shelf: %w", err)
	}
	notifications, err := q.Notifications(ctx, sqlgen.NotificationsParams{PersonID: string(who), Size: exportMost})
	if err != nil {
		return fmt.Errorf("export notifications: %w", err)
	}
	articles, err := q.ArticlesBy(ctx, string(who))
	if err != nil {
		return fmt.Errorf("export articles: %w", err)
	}
	for _, file := range []struct {
		name    string
		content any
	}{{"services.json", shelf}, {"notifications.json", notifications}, {"articles.json", articles}} {
		if err := a.JSON(file.name, file.content); err != nil {
			return err
		}
	}
	return nil
}
