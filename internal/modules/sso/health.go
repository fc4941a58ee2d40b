package sso

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
)

// Health says whether the registry can be read, whether services could be told
// that sessions ended, and whether the metadata of federations is good for a while.
func (m *Module) Health(ctx context.Context) []health.Check {
	return append([]health.Check{
		health.Run(ctx, "sso.registry", func(ctx context.Context) (string, error) {
			x, err := m.services(ctx)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d services", len(x.Services())), nil
		}).Needed(),
		health.Run(ctx, "sso.single_logout", func(ctx context.Context) (string, error) {
			failed, err := m.answers.FailedLogouts(ctx, m.DB.Now().Add(-brokenSince))
			if err != nil {
				return "", err
			}
			if failed > 0 {
				return "", LogoutUnanswered.With(fault.Args{"count": failed})
			}
			return "no failed sign-out in 24 hours", nil
		}),
	}, m.saml.Health(ctx)...)
}

// ServiceHealth is how a service got on in the last day, from both sides.
func (m *Module) ServiceHealth(ctx context.Context, service string) (answer.Health, error) {
	return m.answers.Health(ctx, service, m.Clock.Now().Add(-brokenSince))
}
