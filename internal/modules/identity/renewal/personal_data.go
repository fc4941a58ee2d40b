package renewal

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal/internal/sqlgen"
)

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "identity_password_history", "identity.renewal.holding.history").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_password_demands", "identity.renewal.holding.demand").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_recoveries", "identity.renewal.holding.recovery").On(contract.LegalObligation, contract.DataSecurity, contract.DataConnection).
			Erased(contract.Delete("person_id"), contract.Clear("sent_by")),
	}
}

// Exported is what somebody gets of it: when their passwords were set and
// replaced, and when and from where a forgotten one was announced. The hashes
// stay here; they help nobody but an attacker.
type Exported struct {
	Passwords  []ExportedPassword `json:"passwords"`
	Recoveries []ExportedRecovery `json:"recoveries"`
	Demands    []ExportedDemand   `json:"a_new_one_is_asked_for"`
}

// ExportedPassword is one password: ReplacedAt is zero for the current one.
type ExportedPassword struct {
	SetAt      time.Time `json:"set_at"`
	ReplacedAt time.Time `json:"replaced_at,omitzero"`
}

// ExportedRecovery is one forgotten password: DoneAt is zero when no new one was
// chosen.
type ExportedRecovery struct {
	StartedAt time.Time `json:"started_at"`
	DoneAt    time.Time `json:"done_at,omitzero"`
	Address   string    `json:"address"`
	Browser   string    `json:"browser"`
}

// ExportedDemand is why a new password is asked for, and since when; the reason is
// empty for one that grew old.
type ExportedDemand struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Export writes passwords.json.
func (x *Renewal) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q := sqlgen.New(x.DB.Read())
	passwords, err := q.PasswordsForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the history of passwords: %w", err)
	}
	recoveries, err := q.RecoveriesForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the recoveries: %w", err)
	}
	demands, err := q.DemandForExport(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read why a new password is asked for: %w", err)
	}
	var all Exported
	for _, d := range demands {
		all.Demands = append(all.Demands, ExportedDemand{Reason: d.Reason, Since: d.SinceAt.Time()})
	}
	for _, p := range passwords {
		all.Passwords = append(all.Passwords, ExportedPassword{SetAt: p.SetAt.Time(), ReplacedAt: p.ReplacedAt.Time()})
	}
	for _, r := range recoveries {
		all.Recoveries = append(all.Recoveries, ExportedRecovery{StartedAt: r.StartedAt.Time(), DoneAt: r.DoneAt.Time(), Address: r.Address, Browser: r.UserAgent})
	}
	return a.JSON("passwords.json", all)
}
