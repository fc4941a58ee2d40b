package mailer

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
)

// Health says whether the mail server answers, and whether messages were given up in the last day.
func (m *Mailer) Health(ctx context.Context) []health.Check {
	checks := []health.Check{health.Run(ctx, "mailer.outbox", m.checkOutbox)}
	if m.mail != nil {
		checks = append(checks, health.Run(ctx, "mailer.smtp", m.mail.check))
	}
	return checks
}

func (m *Mailer) checkOutbox(ctx context.Context) (string, error) {
	lost, err := givenUpSince(ctx, m.DB.Read(), db.At(m.Clock.Now().Add(-24*time.Hour)))
	if err != nil {
		return "", err
	}
	if lost > 0 {
		return "", Undelivered.With(fault.Args{"number": lost})
	}
	waiting, err := m.Counted(ctx, Filter{State: StateWaiting})
	return fmt.Sprintf("waiting=%d", waiting), err
}
