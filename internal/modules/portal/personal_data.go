package portal

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	holding := func(table, key string, pairs ...any) contract.Holding {
		said := func(part string) string { return i18n.T(ctx, "portal.holding."+key+"."+part, pairs...) }
		return contract.Holding{Table: table, What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until")}
	}
	return []contract.Holding{
		holding("portal_shelf", "shelf", "duration", m.config.KeepUses),
		holding("portal_notifications", "notification", "duration", m.config.KeepNotifications),
		holding("portal_news", "news"),
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
		w, err := a.Create(file.name)
		if err != nil {
			return fmt.Errorf("export %s: %w", file.name, err)
		}
		if err := json.NewEncoder(w).Encode(file.content); err != nil {
			return fmt.Errorf("export %s: %w", file.name, err)
		}
	}
	return nil
}
