package provisioning

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings says what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	days := int(m.config.History / (24 * time.Hour))
	return []contract.Holding{
		contract.Held(ctx, "provisioning_accounts", "provisioning.holding.accounts").On(contract.PublicTask, contract.DataIdentity, contract.DataUse).
			Erased(contract.Delete("person")),
		contract.Held(ctx, "provisioning_exchanges", "provisioning.holding.exchanges", "days", days).On(contract.PublicTask, contract.DataUse).
			Erased(contract.Delete("person")),
		contract.Held(ctx, "provisioning_noted", "provisioning.holding.noted").On(contract.PublicTask, contract.DataUse).
			Erased(contract.Delete("person")),
		contract.Held(ctx, "provisioning_targets", "provisioning.holding.targets").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Clear("paused_by")),
		contract.Held(ctx, "provisioning_removals", "provisioning.holding.removals").On(contract.LegalObligation, contract.DataIdentity, contract.DataDecisions).
			Erased(contract.Keep("person", t(ctx, "holding.removals.kept")), contract.Clear("ended_by")),
	}
}

// Disclosures implements contract.Discloser: what the services were told.
func (m *Module) Disclosures(ctx context.Context, who campus.PersonID) ([]contract.Disclosure, error) {
	accounts, err := m.accountsOf(ctx, who)
	if err != nil {
		return nil, err
	}
	var told []contract.Disclosure
	for _, a := range accounts {
		if !a.line.Exists() {
			continue
		}
		told = append(told, contract.Disclosure{
			Service: a.Service, Name: a.Name, What: toldWords(ctx, a.service.Told), Why: t(ctx, "disclosure.why", "service", a.Name), Basis: contract.PublicTask,
			Owner: a.Decides, Last: a.LastExchange,
		})
	}
	return told, nil
}

// exported is one line of the ledger as its person gets it.
type exported struct {
	Target, State, Rule, Reason string
	Since, LastExchange         time.Time
	Login, Name, RemoteID       string
	Told                        []string // of a service that is still connected
}

// exportedExchange is one exchange as its person gets it.
type exportedExchange struct {
	Target, Act, Reason string
	At                  time.Time
}

// exportedRemoval is an account that a service was asked to remove.
type exportedRemoval struct {
	Target, Login, RemoteID, Reason string
	Asked                           time.Time
}

// Export writes the ledger of one person, and what was said about them, also in
// services that are no longer connected.
func (m *Module) Export(ctx context.Context, who campus.PersonID, archive *contract.Archive) error {
	accounts, err := m.ledger.OfPerson(ctx, who)
	if err != nil {
		return err
	}
	lines := []exported{}
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		a := accounts[name]
		e := exported{
			Target: a.TargetID, State: string(a.State()), Rule: string(a.Verdict()), Reason: a.Reason, Since: a.SinceAt.Time(), LastExchange: a.ExchangedAt.Time(),
			Login: a.Login, Name: a.Name, RemoteID: a.RemoteID,
		}
		if s, err := m.target(a.TargetID); err == nil {
			for _, f := range s.Told {
				e.Told = append(e.Told, string(f))
			}
		}
		lines = append(lines, e)
	}
	if err := archive.JSON("provisioning/accounts.json", lines); err != nil {
		return err
	}
	noted, err := m.ledger.NotedSince(ctx, who)
	if err != nil {
		return err
	}
	if err := archive.JSON("provisioning/noted.json", noted); err != nil {
		return err
	}
	removals, err := m.ledger.RemovalsOf(ctx, who)
	if err != nil {
		return err
	}
	leaving := make([]exportedRemoval, len(removals))
	for i, r := range removals {
		leaving[i] = exportedRemoval{r.TargetID, r.Login, r.RemoteID, r.Reason, r.AskedAt.Time()}
	}
	if err := archive.JSON("provisioning/removals.json", leaving); err != nil {
		return err
	}
	all, err := m.ledger.AllExchanges(ctx, who)
	if err != nil {
		return err
	}
	exchanges := make([]exportedExchange, len(all))
	for i, x := range all {
		exchanges[i] = exportedExchange{x.Target, x.Act, x.Reason, x.At}
	}
	return archive.JSON("provisioning/exchanges.json", exchanges)
}
