package mailroom

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
)

// stuckAfter is how long a mail waits before somebody should look why.
const stuckAfter = 15 * time.Minute

// Health says whether mails are read, and whether the mailboxes can be reached.
func (m *Mailroom) Health(ctx context.Context) []health.Check {
	checks := []health.Check{health.Run(ctx, "helpdesk.mails", m.checkWaiting)}
	for i, box := range m.boxes {
		checks = append(checks, health.Run(ctx, "helpdesk.mailbox_"+strconv.Itoa(i+1), func(context.Context) (string, error) {
			seen, problem := box.state()
			return fmt.Sprintf("address=%s seen=%t", box.config.Address, seen), problem
		}))
	}
	return checks
}

func (m *Mailroom) checkWaiting(ctx context.Context) (string, error) {
	stuck, err := sqlgen.New(m.DB.Read()).Stuck(ctx, m.DB.Now().Add(-stuckAfter))
	if err != nil {
		return "", fmt.Errorf("count the mails that wait: %w", err)
	}
	if stuck > 0 {
		return "", MailsStuck.With(fault.Args{"count": stuck})
	}
	return "", nil
}
