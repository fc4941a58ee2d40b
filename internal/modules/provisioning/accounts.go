package provisioning

import (
	"context"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// account is a line of the ledger with its words.
type account struct {
	contract.ServiceAccount
	service *service
	line    ledger.Account
	Name    string // of the service
	URL     string // where it is opened
}

// tone is how the state stands.
func (a account) tone() string {
	switch {
	case a.State == contract.AccountReady && a.Code == "":
		return "good"
	case a.State == contract.AccountReady, a.State == contract.AccountQueued, a.State == contract.AccountLeaving:
		return "warn"
	case a.State == contract.AccountBlocked:
		return "bad"
	default:
		return ""
	}
}

// AccountIn implements contract.ServiceAccounts. Of several targets of one
// service, the one that is furthest from ready counts.
func (m *Module) AccountIn(ctx context.Context, who campus.PersonID, name string) (contract.ServiceAccount, bool, error) {
	var worst *account
	for _, s := range m.services {
		if s.TargetConfig.Service != name {
			continue
		}
		desk, err := m.ledger.Desk(ctx, s.Service.ID)
		if err != nil {
			return contract.ServiceAccount{}, false, err
		}
		line, there, err := m.ledger.Of(ctx, m.DB.Read(), s.Service.ID, who)
		if err != nil {
			return contract.ServiceAccount{}, false, err
		}
		if !there {
			if line, there, err = m.worker.Foresee(ctx, &s.Service, who); err != nil {
				return contract.ServiceAccount{}, false, err
			}
		}
		a, err := m.worded(ctx, s, desk, line, there)
		if err != nil {
			return contract.ServiceAccount{}, false, err
		}
		if worst == nil || distance(a.State) > distance(worst.State) {
			worst = &a
		}
	}
	if worst == nil {
		return contract.ServiceAccount{}, false, nil
	}
	return worst.ServiceAccount, true, nil
}

// distance is how far a state is from ready.
func distance(s contract.AccountState) int {
	switch s {
	case contract.AccountReady:
		return 0
	case contract.AccountNotDue:
		return 1
	case contract.AccountQueued:
		return 2
	case contract.AccountLeaving:
		return 3
	default:
		return 4
	}
}

// accountsOf are somebody's accounts in all services, in the order of the
// configuration.
func (m *Module) accountsOf(ctx context.Context, who campus.PersonID) ([]account, error) {
	if len(m.services) == 0 {
		return nil, nil
	}
	lines, err := m.ledger.OfPerson(ctx, who)
	if err != nil {
		return nil, err
	}
	desks, err := m.ledger.Desks(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]account, 0, len(m.services))
	for _, s := range m.services {
		line, there := lines[s.Service.ID]
		a, err := m.worded(ctx, s, desks[s.Service.ID], line, there)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// worded gives a line its words.
func (m *Module) worded(ctx context.Context, s *service, desk ledger.Desk, line ledger.Account, there bool) (account, error) {
	a := account{service: s, line: line, Name: m.name(ctx, s), URL: m.address(ctx, s)}
	a.Service, a.State = s.TargetConfig.Service, contract.AccountNotDue
	a.Rule, a.Decides = m.ruleWords(ctx, s.TargetConfig.Rule), s.decides(ctx)
	if there {
		a.State, a.Since, a.LastExchange, a.Code = line.State(), line.SinceAt.Time(), line.ExchangedAt.Time(), line.Reason
	}
	if desk.Braked() && a.State == contract.AccountLeaving && line.Todo() == ledger.Suspend && line.Verdict() == due.Outside {
		// Nothing has happened to it, and an administrator has still to say whether
		// something will: nobody is told of a mistake in a rule.
		a.State = contract.AccountReady
	}
	if a.State == contract.AccountQueued {
		ahead := int64(0)
		if !desk.Paused() && !desk.Away() {
			var err error
			if ahead, err = m.ledger.Ahead(ctx, line); err != nil {
				return a, err
			}
		}
		a.Estimate = estimate(desk, line, ahead, m.Clock.Now())
	}
	m.say(ctx, &a, desk)
	return a, nil
}

// What an estimate reckons with before anything was measured, and besides it.
const (
	unmeasured = 2 * time.Second
	besides    = 5 * time.Second // until the worker starts and writes down that it is done
)

// estimate is when somebody's account will be ready, as far as the speed that was
// measured and the queue tell. It is zero when nobody can tell: a service that
// does not answer, or work that an administrator stopped.
func estimate(desk ledger.Desk, line ledger.Account, ahead int64, now time.Time) time.Time {
	if desk.Paused() || desk.Away() || line.Todo() == ledger.Nothing {
		return time.Time{}
	}
	pace := desk.Pace()
	if pace == 0 {
		pace = unmeasured
	}
	begin := now
	if at := line.DueAt.Time(); at.After(now) {
		begin = at
	}
	return begin.Add(time.Duration(ahead+1)*pace + besides)
}

// say puts the state into sentences for the person.
func (m *Module) say(ctx context.Context, a *account, desk ledger.Desk) {
	facts := fault.Args{"service": a.Name, "decides": a.Decides, "rule": a.Rule, "estimate": a.Estimate, "since": a.Since}
	words := func(key string) {
		pairs := web.Pairs(facts)
		a.Message, a.Next = i18n.T(ctx, "provisioning.says."+key+".message", pairs...), i18n.T(ctx, "provisioning.says."+key+".next", pairs...)
	}
	switch a.State {
	case contract.AccountReady:
		words("ready")
		if a.Code != "" {
			m.sayReason(ctx, a, facts)
		}
	case contract.AccountNotDue:
		words("not_due")
	case contract.AccountLeaving:
		words("leaving_" + string(a.line.Verdict()))
	case contract.AccountBlocked:
		m.sayReason(ctx, a, facts)
	case contract.AccountQueued:
		switch {
		case desk.Paused():
			words("paused")
		case desk.Away():
			facts["since"] = desk.OpenedAt.Time()
			a.Code = desk.Reason
			words("away")
		case a.Estimate.Sub(m.Clock.Now()) > 12*time.Hour:
			words("queued_long")
		default:
			words("queued")
		}
	}
}

// sayReason says what stands in the way, in the words of its reason.
func (m *Module) sayReason(ctx context.Context, a *account, facts fault.Args) {
	for _, r := range fault.All() {
		if r.Code() == a.Code {
			said := web.Explain(ctx, fault.Of(r.With(facts)))
			a.Message, a.Next = said.Message, said.Next
			return
		}
	}
	a.Message = a.Code // of a version that is gone
}

// ruleWords says for whom a service is.
func (m *Module) ruleWords(ctx context.Context, r due.Rule) string {
	var who []string
	for _, k := range r.Kinds {
		who = append(who, i18n.T(ctx, "provisioning.kind."+string(k)))
	}
	text := strings.Join(who, ", ")
	if text == "" {
		text = i18n.T(ctx, "provisioning.kind.everybody")
	}
	narrower := func(key string, codes []string, places []place.Place) {
		if len(codes) > 0 {
			text += i18n.T(ctx, "provisioning.rule."+key, "list", strings.Join(place.NamesOf(places, codes, i18n.Locale(ctx)), ", "))
		}
	}
	var campuses, programmes []place.Place
	if m.Places != nil {
		campuses, programmes = m.Places.Campuses(), m.Places.Programmes()
	}
	narrower("campuses", r.Campuses, campuses)
	narrower("programmes", r.Programmes, programmes)
	narrower("groups", r.Groups, nil)
	return text
}
