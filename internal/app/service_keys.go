package app

import (
	"context"
	"errors"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// serviceKeysCommand keeps the keys that sign what services are told. They change
// by themselves; this is for an administrator who wants it now.
type serviceKeysCommand struct {
	List    serviceKeysListCommand    `cmd:"" default:"1" help:"List the keys, and when they sign."`
	Roll    serviceKeysRollCommand    `cmd:"" help:"Publish the next key. It signs once services had time to read it."`
	Hasten  serviceKeysHastenCommand  `cmd:"" help:"Let the next key sign from now on, when every service has read it."`
	Replace serviceKeysReplaceCommand `cmd:"" help:"For a stolen key: sign with a new one at once and withdraw the others. Services that do not read our keys again refuse people until they do."`
}

// keyUse is which line of keys is meant.
type keyUse struct {
	configured
	Use keys.Use `arg:"" enum:"saml,oidc" help:"saml or oidc."`
}

func (u keyUse) withKeys(t *terminal, fn func(ctx context.Context, ring *keys.Ring) error) error {
	return u.withServices(t, func(ctx context.Context, m *sso.Module, _ *registry.Index) error { return fn(ctx, m.Keys()) })
}

type serviceKeysListCommand struct{ configured }

func (c serviceKeysListCommand) Run(t *terminal) error {
	return c.withServices(t, func(ctx context.Context, m *sso.Module, _ *registry.Index) error {
		for _, use := range keys.Uses {
			all, err := m.Keys().All(ctx, use)
			if err != nil {
				return err
			}
			for _, k := range all {
				until := "until another follows"
				if !k.NotAfter.IsZero() {
					until = "published until " + k.NotAfter.UTC().Format(time.RFC3339)
				}
				t.say("%-4s %-5s %-8s signs from %s, %s  %s", use, k.Algorithm, k.State, k.NotBefore.UTC().Format(time.RFC3339), until, k.ID)
			}
		}
		return nil
	})
}

type serviceKeysRollCommand struct{ keyUse }

func (c serviceKeysRollCommand) Run(t *terminal) error {
	return c.withKeys(t, func(ctx context.Context, ring *keys.Ring) error {
		at, err := ring.Roll(ctx, c.Use)
		if err != nil && !errors.Is(err, keys.ErrUnderWay) {
			return err
		}
		t.say("The next key of %s is published, and signs from %s on.", c.Use, at.UTC().Format(time.RFC3339))
		return nil
	})
}

type serviceKeysHastenCommand struct{ keyUse }

func (c serviceKeysHastenCommand) Run(t *terminal) error {
	return c.withKeys(t, func(ctx context.Context, ring *keys.Ring) error {
		if err := ring.Hasten(ctx, c.Use); errors.Is(err, keys.ErrUnused) {
			return errors.New("no next key is published; make one first: amphi service keys roll")
		} else if err != nil {
			return err
		}
		t.say("The next key of %s signs now; the one before stays published for what it signed.", c.Use)
		return nil
	})
}

type serviceKeysReplaceCommand struct{ keyUse }

func (c serviceKeysReplaceCommand) Run(t *terminal) error {
	return c.withKeys(t, func(ctx context.Context, ring *keys.Ring) error {
		if err := ring.Replace(ctx, c.Use); err != nil {
			return err
		}
		t.say("A new key of %s signs now, and the others are withdrawn. Tell the services that do not read our keys by themselves.", c.Use)
		return nil
	})
}
