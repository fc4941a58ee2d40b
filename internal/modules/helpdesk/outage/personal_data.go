package outage

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Holdings declares what the alcove keeps about people: who wants to be told, and who
// wrote what.
func (x *Outages) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_outages", "helpdesk.outage.holding.outage").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).Erased(contract.Clear("made_by")),
		contract.Held(ctx, "helpdesk_outage_subscribers", "helpdesk.outage.holding.subscriber").On(contract.PublicTask, contract.DataContact).
			Erased(contract.Delete("person_id"), contract.Delete("mail").Marked(contract.ByMail)),
		contract.Held(ctx, "helpdesk_outage_updates", "helpdesk.outage.holding.update").On(contract.PublicTask, contract.DataWritings).Of(contract.PeopleAgents).Erased(contract.Clear("author_id")),
	}
}

// exportedSubscription is one incident that somebody wants to be told about.
type exportedSubscription struct {
	Outage string    `json:"incident"`
	Since  time.Time `json:"since"`
}

// Export writes what somebody wants to be told about.
func (x *Outages) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	list := []exportedSubscription{}
	err := db.Each(ctx, x.DB.Read(), "SELECT outage_id, since_at FROM helpdesk_outage_subscribers WHERE person_id = $1 ORDER BY since_at", []any{string(who)}, func(rows *sql.Rows) error {
		var s exportedSubscription
		var since db.Time
		err := rows.Scan(&s.Outage, &since)
		s.Since = since.Time()
		list = append(list, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("export subscriptions to incidents: %w", err)
	}
	return a.JSON("incidents", list)
}
