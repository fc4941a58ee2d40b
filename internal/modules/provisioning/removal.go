package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// toRemove are the lines whose accounts go with their person: those that exist, or
// may. Whoever stays in the register, and is still to have an account, keeps it: it
// would be made again at once, without what was in it.
func (m *Module) toRemove(ctx context.Context, who contract.Traced) ([]ledger.Account, error) {
	lines, err := m.ledger.OfPerson(ctx, who.ID)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	known, err := m.Register.KnownPeople(ctx, []campus.PersonID{who.ID})
	if err != nil {
		return nil, err
	}
	var groups []string
	if !who.Whole {
		if groups, err = m.Groups.GroupsOf(ctx, who.ID); err != nil {
			return nil, err
		}
	}
	var list []ledger.Account
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		line := lines[name]
		if !line.Exists() && line.Todo() != ledger.Put {
			continue
		}
		if s, err := m.target(name); err == nil && !who.Whole {
			if v := s.Verdict(known[who.ID], groups); v == due.Due || v == due.Suspended {
				continue
			}
		}
		list = append(list, line)
	}
	return list, nil
}

// Erase implements [contract.Eraser]: the accounts in other services are removed
// there, by jobs. It writes down which before their lines go.
func (m *Module) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	lines, err := m.toRemove(ctx, who)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	return nil, m.DB.InTx(ctx, func(tx db.Tx) error {
		for _, line := range lines {
			// An answer that got lost, or has not come yet, may still make an account.
			from := max(tx.Now(), line.SettlesAt)
			if s, err := m.target(line.TargetID); err == nil && line.Todo() == ledger.Put {
				from = max(from, tx.Now().Add(s.Service.Terms.Settle))
			}
			if err := m.ledger.AskRemoval(ctx, tx, who.Erasure, line, from); err != nil {
				return err
			}
		}
		return nil
	})
}

// ToRemove implements [contract.Remover].
func (m *Module) ToRemove(ctx context.Context, who contract.Traced) ([]contract.Removal, error) {
	lines, err := m.toRemove(ctx, who)
	if err != nil {
		return nil, err
	}
	list := make([]contract.Removal, len(lines))
	for i, line := range lines {
		list[i] = contract.Removal{Program: line.TargetID, Name: m.called(ctx, line.TargetID), State: contract.RemovalAsked}
	}
	return list, nil
}

// Removals implements [contract.Remover].
func (m *Module) Removals(ctx context.Context, erasure string) ([]contract.Removal, error) {
	asked, err := m.ledger.RemovalsFor(ctx, erasure)
	if err != nil {
		return nil, err
	}
	list := make([]contract.Removal, len(asked))
	for i, r := range asked {
		list[i] = contract.Removal{Program: r.TargetID, Name: m.called(ctx, r.TargetID), State: r.State(), Reason: m.reasonOf(r), Since: r.Since()}
	}
	return list, nil
}

// reasonOf is what stands in the way of a removal.
func (m *Module) reasonOf(r ledger.Removal) string {
	if _, err := m.target(r.TargetID); err != nil && r.State() == contract.RemovalAsked {
		return TargetMissing.Code() // nobody works on it: it was taken out of the configuration
	}
	return r.Reason
}

// called is the name of a target, also of one that is no longer connected.
func (m *Module) called(ctx context.Context, id string) string {
	if s, err := m.target(id); err == nil {
		return m.name(ctx, s)
	}
	return id
}
