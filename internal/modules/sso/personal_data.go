package sso

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings says what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	days := int(m.config.History / (24 * time.Hour))
	holding := func(table, key string) contract.Holding {
		return contract.Holding{
			Table: table, What: i18n.T(ctx, "sso.holding."+key+".what"), Why: i18n.T(ctx, "sso.holding."+key+".why"),
			Basis: i18n.T(ctx, "sso.holding.basis"), Until: i18n.T(ctx, "sso.holding.until", "days", days),
		}
	}
	return []contract.Holding{
		holding("sso_tickets", "tickets"), holding("sso_logouts", "logouts"), holding("sso_incidents", "incidents"),
	}
}

// exported is what the archive of a person holds about services.
type exported struct {
	SignIns  []exportedSignIn  `json:"sign_ins"`
	SignOuts []exportedSignOut `json:"sign_outs"`
}

type exportedSignIn struct {
	Service  string    `json:"service"`
	Address  string    `json:"address"`
	State    string    `json:"state"`
	IssuedAt time.Time `json:"issued_at"`
	UsedAt   time.Time `json:"used_at,omitzero"`
}

type exportedSignOut struct {
	Service    string    `json:"service"`
	State      string    `json:"state"`
	Answer     string    `json:"answer,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
}

// Export writes which services a person signed in to and out of.
func (m *Module) Export(ctx context.Context, who campus.PersonID, archive *contract.Archive) error {
	q := sqlgen.New(m.DB.Read())
	tickets, err := q.PersonTickets(ctx, string(who))
	if err != nil {
		return fmt.Errorf("export sign-ins: %w", err)
	}
	logouts, err := q.PersonLogouts(ctx, string(who))
	if err != nil {
		return fmt.Errorf("export sign-outs: %w", err)
	}
	all := exported{SignIns: []exportedSignIn{}, SignOuts: []exportedSignOut{}}
	for _, t := range tickets {
		all.SignIns = append(all.SignIns, exportedSignIn{t.ServiceID, t.ServiceUrl, t.State, t.IssuedAt.Time(), t.UsedAt.Time()})
	}
	for _, l := range logouts {
		all.SignOuts = append(all.SignOuts, exportedSignOut{l.ServiceID, l.State, l.Answer, l.CreatedAt.Time(), l.FinishedAt.Time()})
	}
	file, err := archive.Create("sso/services.json")
	if err != nil {
		return fmt.Errorf("export services: %w", err)
	}
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("export services: %w", err)
	}
	return nil
}
