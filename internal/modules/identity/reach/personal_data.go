package reach

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{contract.Held(ctx, "identity_points", "identity.reach.holding").On(contract.PublicTask, contract.DataContact).
		Erased(contract.Delete("person_id")).Mended("/identity/contacts")}
}

// exportedPoint is a number or an address as its owner gets it, those that are
// over among them. The token of "It was not me" stays out.
type exportedPoint struct {
	Channel     Channel   `json:"channel"`
	Value       string    `json:"value"`
	Source      Source    `json:"source"`
	AddedAt     time.Time `json:"added_at"`
	VerifiedAt  time.Time `json:"verified_at,omitzero"`
	UsableAt    time.Time `json:"usable_at,omitzero"`
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	RefusedAt   time.Time `json:"refused_at,omitzero"`
	RemovedAt   time.Time `json:"removed_at,omitzero"`
}

// Export writes contacts.json: every number and address that is known of
// somebody, besides the institutional one.
func (x *Reach) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	rows, err := allRows(ctx, x.DB.Read(), who)
	if err != nil {
		return err
	}
	points := make([]exportedPoint, len(rows))
	for i, r := range rows {
		points[i] = exportedPoint{
			Channel: Channel(r.Channel), Value: r.Value, Source: Source(r.Source), AddedAt: r.CreatedAt.Time(), VerifiedAt: r.VerifiedAt.Time(),
			UsableAt: r.UsableAt.Time(), ConfirmedAt: r.ConfirmedAt.Time(), RefusedAt: r.RefusedAt.Time(), RemovedAt: r.RemovedAt.Time(),
		}
	}
	return a.JSON("contacts.json", points)
}
