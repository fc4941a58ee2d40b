package portal

import (
	"context"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/health"
)

// Health says whether the feeds of other sites come in. The rest of the room
// stands and falls with the database, which has a check of its own.
func (m *Module) Health(ctx context.Context) []health.Check {
	if len(m.config.Feeds) == 0 {
		return nil
	}
	return []health.Check{health.Run(ctx, "portal.feeds", func(ctx context.Context) (string, error) {
		troubles, err := m.feeds.Troubles(ctx)
		if err != nil {
			return "", err
		}
		if len(troubles) == 0 {
			return fmt.Sprintf("%d feeds come in", len(m.config.Feeds)), nil
		}
		failing := make([]string, len(troubles))
		for i, t := range troubles {
			failing[i] = t.URL + " (" + t.Reason + ")"
		}
		return strings.Join(failing, ", "), FeedsFail
	})}
}
