package activation

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/activation/internal/sqlgen"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "identity_activations", "identity.activation.holding.activation").On(contract.PublicTask, contract.DataConnection).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_activation_links", "identity.activation.holding.link").On(contract.PublicTask, contract.DataSecurity).
			Erased(contract.Delete("activation_id").Through("identity_activations", "id", "person_id")),
		contract.Held(ctx, "identity_invitations", "identity.activation.holding.invitation").On(contract.PublicTask, contract.DataContact).
			Erased(contract.Delete("person_id"), contract.Clear("invited_by")),
	}
}

// exportedActivation is one beginning of an activation; the dates of what did not
// happen are left out.
type exportedActivation struct {
	StartedAt  time.Time      `json:"started_at"`
	SentAt     time.Time      `json:"code_sent_at,omitzero"`
	ProvedAt   time.Time      `json:"proved_at,omitzero"`
	FinishedAt time.Time      `json:"finished_at,omitzero"`
	ExpiresAt  time.Time      `json:"expires_at"`
	Address    string         `json:"address"`
	Links      []exportedLink `json:"links"`
}

// exportedLink is a link that goes on with an activation elsewhere.
type exportedLink struct {
	SentAt time.Time `json:"sent_at"`
	UsedAt time.Time `json:"used_at,omitzero"`
}

// exportedInvitation is one invitation. Who invited stays out: agents are named
// by the journal only to those who look into misuse.
type exportedInvitation struct {
	SentTo      string    `json:"sent_to"`
	CreatedAt   time.Time `json:"created_at"`
	SentAt      time.Time `json:"last_sent_at"`
	Letters     int32     `json:"letters"`
	OpenedAt    time.Time `json:"opened_at,omitzero"`
	UsedAt      time.Time `json:"used_at,omitzero"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// Export writes activations.json and invitations.json.
func (x *Activation) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q := sqlgen.New(x.DB.Read())
	begun, err := q.ActivationsForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the activations: %w", err)
	}
	sent, err := q.LinksForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the links of activations: %w", err)
	}
	links := map[string][]exportedLink{}
	for _, l := range sent {
		links[l.ActivationID] = append(links[l.ActivationID], exportedLink{l.SentAt.Time(), l.UsedAt.Time()})
	}
	activations := make([]exportedActivation, len(begun))
	for i, b := range begun {
		activations[i] = exportedActivation{b.StartedAt.Time(), b.SentAt.Time(), b.ProvedAt.Time(), b.FinishedAt.Time(), b.ExpiresAt.Time(), b.Address, links[b.ID]}
	}
	if err := a.JSON("activations.json", activations); err != nil {
		return err
	}
	invited, err := q.InvitationsForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the invitations: %w", err)
	}
	invitations := make([]exportedInvitation, len(invited))
	for n, i := range invited {
		invitations[n] = exportedInvitation{
			i.SentTo, i.CreatedAt.Time(), i.SentAt.Time(), i.Letters, i.OpenedAt.Time(), i.UsedAt.Time(), i.WithdrawnAt.Time(), i.ExpiresAt.Time(),
		}
	}
	return a.JSON("invitations.json", invitations)
}
