package attempt

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
)

// Holdings declares what the records hold about people.
func Holdings(ctx context.Context) []contract.Holding {
	days := int(Keep / (24 * time.Hour))
	return []contract.Holding{
		contract.Held(ctx, "identity_attempts", "identity.attempt.holding.visit", "days", days).On(contract.LegalObligation, contract.DataConnection, contract.DataSecurity).
			Erased(contract.Delete("person_id"), contract.Delete("typed").Marked(contract.ByLogin)),
		contract.Held(ctx, "identity_attempt_steps", "identity.attempt.holding.step", "days", days).On(contract.LegalObligation, contract.DataConnection, contract.DataSecurity).
			Erased(contract.Delete("attempt_id").Through("identity_attempts", "id", "person_id")),
	}
}

// exportedVisit is one record. What the browser is recognised by stays out.
type exportedVisit struct {
	Code         string          `json:"incident"`
	Typed        string          `json:"typed"`
	StartedAt    time.Time       `json:"started_at"`
	ChangedAt    time.Time       `json:"changed_at"`
	Outcome      Outcome         `json:"outcome"`
	Stage        entry.Stage     `json:"stage"`
	Reason       string          `json:"reason,omitempty"`
	Address      string          `json:"address"`
	Browser      string          `json:"browser"`
	Next         string          `json:"next,omitempty"`
	Service      string          `json:"service,omitempty"`
	Shared       bool            `json:"shared_computer"`
	Method       entry.Method    `json:"method,omitempty"`
	ProvedAt     time.Time       `json:"proved_at,omitzero"`
	FactorMethod entry.Method    `json:"factor_method,omitempty"`
	FactorAt     time.Time       `json:"factor_at,omitzero"`
	PutOff       bool            `json:"factor_put_off,omitempty"`
	Trust        bool            `json:"trusted,omitempty"`
	Suspicion    string          `json:"asked_by_the_rules,omitempty"`
	Flag         string          `json:"said_about_it,omitempty"`
	FlaggedAt    time.Time       `json:"said_at,omitzero"`
	Diagnostic   json.RawMessage `json:"self_test,omitempty"`
	Steps        []exportedStep  `json:"steps"`
}

type exportedStep struct {
	At     time.Time         `json:"at"`
	Stage  entry.Stage       `json:"stage"`
	Result Result            `json:"result"`
	Method entry.Method      `json:"method,omitempty"`
	Reason string            `json:"reason,omitempty"`
	Facts  map[string]string `json:"facts,omitempty"`
}

// Export writes sign_ins.json: the records of somebody and their steps, oldest
// first. Visits in which nobody was recognised are nobody's.
func (s *Store) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q := sqlgen.New(s.db.Read())
	all, err := list(q.AllOfPerson(ctx, string(who)))
	if err != nil {
		return err
	}
	rows, err := q.StepsOfPerson(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read the steps of sign-ins: %w", err)
	}
	steps := map[string][]exportedStep{}
	for _, row := range rows {
		step, err := stepOf(row)
		if err != nil {
			return err
		}
		steps[row.AttemptID] = append(steps[row.AttemptID], exportedStep{step.At, step.Stage, step.Result, step.Method, step.Reason, step.Facts})
	}
	visits := make([]exportedVisit, len(all))
	for i, v := range all {
		visits[i] = exportedVisit{
			Code: v.Code, Typed: v.Typed, StartedAt: v.StartedAt, ChangedAt: v.ChangedAt, Outcome: v.Outcome, Stage: v.Stage, Reason: v.Reason,
			Address: v.Address, Browser: v.UserAgent, Next: v.Next, Service: v.Service, Shared: v.Shared, Method: v.Method, ProvedAt: v.ProvedAt,
			FactorMethod: v.FactorMethod, FactorAt: v.FactorAt, PutOff: v.PutOff, Trust: v.Trust, Suspicion: v.Suspicion,
			Flag: v.Flag, FlaggedAt: v.FlaggedAt, Diagnostic: json.RawMessage(v.Diagnostic), Steps: steps[v.ID],
		}
	}
	return a.JSON("sign_ins.json", visits)
}
