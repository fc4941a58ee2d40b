package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning"
)

// provisioningCommand is about accounts in other services.
type provisioningCommand struct {
	List      provisioningListCommand      `cmd:"" help:"List the services in which accounts are kept, and how the work on them goes."`
	Test      provisioningTestCommand      `cmd:"" help:"Ask a service something harmless: does it answer, does it let Amphi in, does it offer what is needed?"`
	Push      provisioningPushCommand      `cmd:"" help:"Work on one person's accounts now, and show what the service says."`
	Reconcile provisioningReconcileCommand `cmd:"" help:"Have everybody looked at and compare both sides, as every night does."`
}

// withAccounts runs fn with the room of accounts, in English.
func (c configured) withAccounts(t *terminal, fn func(ctx context.Context, m *provisioning.Module) error) error {
	return c.withHouse(t, string(campus.English), func(ctx context.Context, h *House) error { return fn(ctx, h.provisioning) })
}

type provisioningListCommand struct{ configured }

func (c provisioningListCommand) Run(t *terminal) error {
	return c.withAccounts(t, func(ctx context.Context, m *provisioning.Module) error {
		all, err := m.Standings(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			t.say("No service is configured, under provisioning.targets.")
		}
		for _, one := range all {
			t.say("%-16s %-10s %s (%s)", one.ID, one.Kind, one.State, one.Address)
			t.say("%16s %d in the queue; %s", "", one.Queue, countsInWords(one.Counts))
			if one.LastError != "" {
				t.say("%16s last error: %s", "", one.LastError)
			}
		}
		return nil
	})
}

// countsInWords lists accounts by state.
func countsInWords(counts map[contract.AccountState]int64) string {
	var words []string
	for _, s := range []contract.AccountState{contract.AccountReady, contract.AccountQueued, contract.AccountBlocked, contract.AccountLeaving} {
		words = append(words, fmt.Sprintf("%d %s", counts[s], s))
	}
	return strings.Join(words, ", ")
}

type provisioningTestCommand struct {
	configured
	Target string `arg:"" optional:"" help:"Target of the configuration; all of them without it."`
}

func (c provisioningTestCommand) Run(t *terminal) error {
	return c.withAccounts(t, func(ctx context.Context, m *provisioning.Module) error {
		all, err := m.Standings(ctx)
		if err != nil {
			return err
		}
		if c.Target != "" && !slices.ContainsFunc(all, func(one provisioning.Standing) bool { return one.ID == c.Target }) {
			return provisioning.TargetMissing
		}
		failed := 0
		for _, one := range all {
			if c.Target != "" && one.ID != c.Target {
				continue
			}
			said, err := m.Test(ctx, one.ID)
			if err != nil {
				failed++
				t.say("%s: %v", one.ID, err)
				continue
			}
			t.say("%s: %s", one.ID, said)
		}
		if failed > 0 {
			return fmt.Errorf("%d of the services do not do what they should", failed)
		}
		return nil
	})
}

type provisioningPushCommand struct {
	configured
	Login  string `arg:"" help:"Login of the person."`
	Target string `help:"Target of the configuration; all of them without it." placeholder:"ID"`
}

func (c provisioningPushCommand) Run(t *terminal) error {
	return c.withAccounts(t, func(ctx context.Context, m *provisioning.Module) error {
		all, err := m.Push(ctx, c.Login, c.Target)
		for _, one := range all {
			t.say("%s: %s. %s", one.Target, one.State, one.Words)
			if one.Failed != "" {
				t.say("  %s", one.Failed)
			}
		}
		return err
	})
}

type provisioningReconcileCommand struct {
	configured
	Target string `arg:"" optional:"" help:"Target of the configuration; all of them without it."`
}

func (c provisioningReconcileCommand) Run(t *terminal) error {
	return c.withAccounts(t, func(ctx context.Context, m *provisioning.Module) error {
		reports, err := m.Reconcile(ctx, c.Target)
		for id, r := range reports {
			t.say("%s: %d accounts there, %d of them ours; %d missing, %d different, %d unknown to the ledger, %d people twice", id, r.Listed, r.Ours, r.Missing, r.Changed, r.Strangers, r.Doubles)
			for _, s := range r.Samples {
				t.say("  %-9s %s %s", s.Finding, s.Login, s.Remote)
			}
		}
		if err == nil {
			t.say("Everybody is looked at again by the running workspace, which mends what differs.")
		}
		return err
	})
}
