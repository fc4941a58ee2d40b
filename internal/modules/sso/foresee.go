package sso

import (
	"context"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/simulator"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Foresee lists what somebody would meet on the way into a service, in the order of
// [Module.Enter] and by the same rules. It writes nothing.
func (m *Module) Foresee(ctx context.Context, c simulator.Case) ([]contract.Condition, error) {
	s, v := c.Service, c.Viewer
	entry, err := conditionOf(ctx, "entry", open(ctx, s), "entry_open")
	if err != nil {
		return nil, err
	}
	met := []contract.Condition{entry}
	factor, fresh := factorOf(s)
	more, err := m.Foresight.Foresee(ctx, contract.Circumstances{
		Person: v.Person, Address: c.Address, Country: c.Country, At: c.At, KnownBrowser: c.KnownBrowser,
		Service: s.ID, Factor: factor, FreshFactor: fresh,
	})
	if err != nil {
		return nil, err
	}
	met = append(met, more...)
	for _, look := range []func(context.Context, simulator.Case) (contract.Condition, error){
		m.audienceForeseen, m.sessionForeseen, m.attributesForeseen, m.consentForeseen,
	} {
		condition, err := look(ctx, c)
		if err != nil {
			return nil, err
		}
		met = append(met, condition)
	}
	return met, nil
}

// conditionOf makes a condition of what a rule of the gate returned: it passes
// with the sentence fine, or stops with the words of the fault.
func conditionOf(ctx context.Context, name string, refused error, fine string, pairs ...any) (contract.Condition, error) {
	condition := contract.Condition{Name: t(ctx, "simulator.condition."+name), Outcome: contract.Passes}
	if refused == nil {
		condition.Message = t(ctx, "simulator.condition."+fine, pairs...)
		return condition, nil
	}
	f := fault.Of(refused)
	if f.Reason == fault.Unexpected {
		return contract.Condition{}, refused
	}
	said := web.Explain(ctx, f)
	condition.Outcome, condition.Message, condition.Next, condition.Code = contract.Stops, said.Message, said.Next, said.Code
	return condition, nil
}

func (m *Module) audienceForeseen(ctx context.Context, c simulator.Case) (contract.Condition, error) {
	return conditionOf(ctx, "audience", admit(ctx, c.Viewer, c.Service), "audience_fine", "audience", registry.AudienceWords(ctx, c.Service.Audience))
}

func (m *Module) sessionForeseen(ctx context.Context, c simulator.Case) (contract.Condition, error) {
	condition := contract.Condition{Name: t(ctx, "simulator.condition.session"), Outcome: contract.Passes, Message: t(ctx, "simulator.condition.session_fine")}
	if tooOld(c.Viewer, gate.Question{Service: c.Service}, c.At) {
		condition.Outcome = contract.Asks
		condition.Message = t(ctx, "simulator.condition.session_old", "limit", c.Service.SessionLimit)
	}
	return condition, nil
}

func (m *Module) attributesForeseen(ctx context.Context, c simulator.Case) (contract.Condition, error) {
	released, err := m.Releasable(ctx, c.Service, c.Viewer.Person, nil)
	if err != nil {
		return contract.Condition{}, err
	}
	fine, told := "attributes_none", make([]string, len(released))
	for i, a := range released {
		told[i] = t(ctx, "attribute."+string(a.Name)) + " (" + strings.Join(a.Values, ", ") + ")"
	}
	if len(told) > 0 {
		fine = "attributes_told"
	}
	return conditionOf(ctx, "attributes", complete(ctx, c.Service, released), fine, "attributes", strings.Join(told, ", "))
}

func (m *Module) consentForeseen(ctx context.Context, c simulator.Case) (contract.Condition, error) {
	released, err := m.Releasable(ctx, c.Service, c.Viewer.Person, nil)
	if err != nil {
		return contract.Condition{}, err
	}
	allowed, missing, err := m.consent.Allowed(ctx, c.Viewer.Person, c.Service, namesOf(released), time.Time{})
	if err != nil {
		return contract.Condition{}, err
	}
	condition := contract.Condition{Name: t(ctx, "simulator.condition.consent"), Outcome: contract.Passes, Message: t(ctx, "simulator.condition.consent_none")}
	switch {
	case missing:
		condition.Outcome = contract.Asks
		condition.Message = t(ctx, "simulator.condition.consent_asks", "question", t(ctx, "consent.title", "service", c.Service.Name(i18n.Locale(ctx))))
	case c.Service.Consent && len(allowed) < len(released):
		condition.Message = t(ctx, "simulator.condition.consent_less")
	case c.Service.Consent:
		condition.Message = t(ctx, "simulator.condition.consent_given")
	}
	return condition, nil
}

// somebody finds the person of an imagined visit.
func (m *Module) somebody(ctx context.Context, login string) (campus.Viewer, error) {
	return m.Foresight.Somebody(ctx, login)
}
