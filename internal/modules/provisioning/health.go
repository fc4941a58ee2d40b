package provisioning

import (
	"context"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Health says of each service whether it answers, and whether closures wait for
// an administrator.
func (m *Module) Health(ctx context.Context) []health.Check {
	if len(m.services) == 0 {
		return nil
	}
	desks, err := m.ledger.Desks(ctx)
	if err != nil {
		return []health.Check{health.Fail("provisioning.ledger", err)}
	}
	var checks []health.Check
	for _, s := range m.services {
		checks = append(checks, health.Run(ctx, "provisioning."+s.Service.ID, func(ctx context.Context) (string, error) {
			return m.how(ctx, s, desks[s.Service.ID])
		}))
	}
	return checks
}

// how is what a monitor is told of one service.
func (m *Module) how(ctx context.Context, s *service, desk ledger.Desk) (string, error) {
	args := fault.Args{"service": m.name(ctx, s), "decides": s.decides(ctx), "since": desk.OpenedAt.Time()}
	if desk.Away() {
		for _, r := range fault.All() {
			if r.Code() == desk.Reason {
				return "", r.Because(errors.New(desk.Detail), args)
			}
		}
	}
	if desk.Braked() {
		c, err := m.ledger.Closures(ctx, s.Service.ID)
		if err != nil {
			return "", err
		}
		args["count"] = c.Waiting
		return "", ClosuresWait.With(args)
	}
	queue, err := m.ledger.Queue(ctx, s.Service.ID)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d in the queue", queue), nil
}

// Queued is how many accounts wait in all queues, for metrics.
func (m *Module) Queued(ctx context.Context) (int64, error) {
	var sum int64
	for _, s := range m.services {
		n, err := m.ledger.Queue(ctx, s.Service.ID)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// Blocked is how many accounts somebody has to decide about, for metrics.
func (m *Module) Blocked(ctx context.Context) (int64, error) {
	states, err := m.ledger.States(ctx)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, s := range m.services {
		sum += states[s.Service.ID][contract.AccountBlocked]
	}
	return sum, nil
}

// deskState says how the work on a target goes.
func (m *Module) deskState(ctx context.Context, d ledger.Desk) (word, tone string) {
	said := func(key string) string { return i18n.T(ctx, "provisioning.desk."+key) }
	switch {
	case d.Away():
		return said("away"), "bad"
	case d.Braked():
		return said("braked"), "bad"
	case d.Paused():
		return said("paused"), "warn"
	case d.AnsweredAt.IsZero():
		return said("new"), ""
	default:
		return said("works"), "good"
	}
}
