package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

var _ contract.Foresight = (*Module)(nil)

// Somebody implements [contract.Foresight].
func (m *Module) Somebody(ctx context.Context, login string) (campus.Viewer, error) {
	p, err := m.PersonByLogin(ctx, login)
	if err != nil {
		return campus.Viewer{}, err
	}
	return p.Viewer(), nil
}

// Foresee implements [contract.Foresight] with the gates of the real sign-in: it
// asks the same alcoves the same questions, and writes nothing.
func (m *Module) Foresee(ctx context.Context, c contract.Circumstances) ([]contract.Condition, error) {
	p, err := m.PersonByID(ctx, c.Person)
	if err != nil {
		return nil, err
	}
	var met []contract.Condition
	meet := func(name string, outcome contract.Outcome, message string) {
		met = append(met, contract.Condition{Name: i18n.T(ctx, "identity.foresee."+name), Outcome: outcome, Message: message})
	}

	switch err := m.standing(ctx, p); {
	case err == nil:
		meet("standing", contract.Passes, i18n.T(ctx, "identity.foresee.standing_fine"))
	case fault.Of(err).Reason == fault.Unexpected:
		return nil, err
	default:
		met = append(met, stopping(ctx, i18n.T(ctx, "identity.foresee.standing"), fault.Of(err)))
	}

	device := ""
	if c.KnownBrowser {
		device = "known"
	}
	if lock, locked, err := m.risk.LockOf(ctx, p.ID, device); err != nil {
		return nil, err
	} else if locked && lock.Holds(c.At) {
		meet("lock", contract.Asks, i18n.T(ctx, "identity.foresee.locked"))
	} else {
		meet("lock", contract.Passes, i18n.T(ctx, "identity.foresee.lock_none"))
	}

	act, why, err := m.suspicion(ctx, risk.Circumstances{
		Person: p, Identifier: p.Login, Address: c.Address, Device: device, At: c.At, Country: c.Country,
	})
	if err != nil {
		return nil, err
	}
	meet("risk", outcomeOf(act), why)

	outcome, why, err := m.factorForeseen(ctx, p, c, act)
	if err != nil {
		return nil, err
	}
	meet("factor", outcome, why)

	reason, must, err := m.renewal.MustChange(ctx, p.ID)
	switch {
	case err != nil:
		return nil, err
	case must:
		meet("password", contract.Asks, i18n.T(ctx, "identity.renewal.renew."+string(reason)))
	default:
		meet("password", contract.Passes, i18n.T(ctx, "identity.foresee.password_fine"))
	}
	return met, nil
}

// suspicion is what the rules about unusual sign-ins would lead to, and the
// sentences of those that noticed something.
func (m *Module) suspicion(ctx context.Context, c risk.Circumstances) (risk.Act, string, error) {
	verdict, err := m.risk.Assess(ctx, c)
	if err != nil {
		return "", "", err
	}
	act, err := m.proportion(ctx, c.Person.ID, verdict.Act)
	if err != nil {
		return "", "", err
	}
	if len(verdict.Findings) == 0 {
		return act, i18n.T(ctx, "identity.foresee.risk_none"), nil
	}
	said := make([]string, len(verdict.Findings))
	for i, f := range verdict.Findings {
		said[i] = risk.Explain(ctx, f)
	}
	why := i18n.T(ctx, "identity.foresee.risk_score", "score", verdict.Score, "findings", strings.Join(said, " "))
	if act != risk.Allow {
		why += " " + i18n.T(ctx, "identity.foresee.act_"+string(act))
	}
	return act, why, nil
}

func outcomeOf(act risk.Act) contract.Outcome {
	if act == risk.Allow {
		return contract.Passes
	}
	return contract.Asks
}

// factorForeseen is whether a second factor would be asked, and why: by the
// policy, by a suspicion, or by the service.
func (m *Module) factorForeseen(ctx context.Context, p Person, c contract.Circumstances, act risk.Act) (contract.Outcome, string, error) {
	required, err := m.factors.Foreseen(ctx, p, c.Address, c.Service, c.At)
	if err != nil {
		return "", "", err
	}
	why := ""
	if required.Why != "" {
		why = i18n.T(ctx, required.Why, "service", c.Service)
	}
	byService := c.Factor || c.FreshFactor || slices.Contains(m.config.Factor.RequiredServices, c.Service)
	switch {
	case required.Needed:
		return contract.Asks, why, nil
	case required.PutOff(c.At) && !byService:
		return contract.Asks, why + " " + i18n.T(ctx, "identity.foresee.enrol_later", "until", required.Until), nil
	case required.Enrol || byService:
		if why == "" {
			why = i18n.T(ctx, "identity.factor.why.service")
		}
		return contract.Asks, why + " " + i18n.T(ctx, "identity.foresee.enrol"), nil
	case act == risk.AskFactor:
		return contract.Asks, i18n.T(ctx, "identity.foresee.factor_risk"), nil
	}
	return contract.Passes, i18n.T(ctx, "identity.foresee.factor_none"), nil
}

// stopping is a condition that ends the way, in the words of its reason.
func stopping(ctx context.Context, name string, f *fault.Fault) contract.Condition {
	said := web.Explain(ctx, f)
	return contract.Condition{Name: name, Outcome: contract.Stops, Message: said.Message, Next: said.Next, Code: said.Code}
}
