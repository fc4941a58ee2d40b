package lifecycle

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func decisionOf(r sqlgen.IdentityDecision) Decision {
	return Decision{
		ID: r.ID, Person: campus.PersonID(r.PersonID), State: account.State(r.State), Base: account.State(r.BaseState),
		Reason: ReasonConfig{Code: r.Reason, TextFrench: r.TextFr, TextEnglish: r.TextEn, OfficeFrench: r.OfficeFr, OfficeEnglish: r.OfficeEn, Contact: r.Contact, Shown: r.Shown},
		Note:   r.Note, Rule: r.Rule, DecidedBy: campus.PersonID(r.DecidedBy), DecidedAt: r.DecidedAt.Time(),
		From: r.FromAt.Time(), Until: r.UntilAt.Time(), DeletedAt: r.DeletionAt.Time(), ToldAt: r.ToldAt.Time(),
		LiftedBy: campus.PersonID(r.LiftedBy), LiftedAt: r.LiftedAt.Time(), LiftNote: r.LiftNote,
	}
}

func decisionsOf(rows []sqlgen.IdentityDecision, err error) ([]Decision, error) {
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	list := make([]Decision, len(rows))
	for i, r := range rows {
		list[i] = decisionOf(r)
	}
	return list, nil
}

// Decisions are all that was decided about somebody's account, newest first.
func (l *Lifecycle) Decisions(ctx context.Context, who campus.PersonID) ([]Decision, error) {
	return decisionsOf(sqlgen.New(l.DB.Read()).DecisionsOf(ctx, string(who)))
}

// decision reads one decision of somebody, or DecisionMissing.
func decision(ctx context.Context, q db.Querier, who campus.PersonID, id string) (Decision, error) {
	row, err := sqlgen.New(q).DecisionByID(ctx, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && campus.PersonID(row.PersonID) != who {
		return Decision{}, DecisionMissing
	}
	if err != nil {
		return Decision{}, fmt.Errorf("read decision: %w", err)
	}
	return decisionOf(row), nil
}

// hold locks somebody's account for this transaction and returns its state.
func hold(ctx context.Context, tx db.Tx, who campus.PersonID) (account.State, error) {
	state, err := sqlgen.New(tx).HoldState(ctx, string(who))
	if errors.Is(err, sql.ErrNoRows) {
		return "", AccountMissing
	}
	if err != nil {
		return "", fmt.Errorf("hold the account: %w", err)
	}
	return account.State(state), nil
}

func addDecision(ctx context.Context, tx db.Tx, d Decision) error {
	err := sqlgen.New(tx).AddDecision(ctx, sqlgen.AddDecisionParams{
		ID: d.ID, PersonID: string(d.Person), State: string(d.State), BaseState: string(d.Base),
		Reason: d.Reason.Code, TextFr: d.Reason.TextFrench, TextEn: d.Reason.TextEnglish,
		OfficeFr: d.Reason.OfficeFrench, OfficeEn: d.Reason.OfficeEnglish, Contact: d.Reason.Contact, Shown: d.Reason.Shown,
		Note: d.Note, Rule: d.Rule, DecidedBy: string(d.DecidedBy), DecidedAt: db.At(d.DecidedAt),
		FromAt: db.At(d.From), UntilAt: db.At(d.Until), DeletionAt: db.At(d.DeletedAt),
	})
	if err != nil {
		return fmt.Errorf("write decision: %w", err)
	}
	return nil
}

// liftRow marks a decision as lifted; Lifted when somebody else was quicker.
func liftRow(ctx context.Context, tx db.Tx, id string, by campus.PersonID, note string) error {
	n, err := sqlgen.New(tx).LiftDecision(ctx, sqlgen.LiftDecisionParams{ID: id, LiftedBy: string(by), LiftedAt: tx.Now(), LiftNote: note})
	if err != nil {
		return fmt.Errorf("lift decision: %w", err)
	}
	if n == 0 {
		return Lifted
	}
	return nil
}
