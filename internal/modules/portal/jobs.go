package portal

import (
	"context"
	"errors"

	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Jobs reads the feeds of other sites and deletes what is too old.
func (m *Module) Jobs(r *jobs.Registry) {
	if len(m.config.Feeds) > 0 {
		r.Every("portal.read_feeds", m.config.FeedEvery, m.VisitFeeds)
	}
	r.Every("portal.clean_up", day, m.cleanUp)
}

// cleanUp deletes notifications, uses, headlines and pictures that nobody needs
// any more. What one part cannot do does not stop the others.
func (m *Module) cleanUp(ctx context.Context) error {
	return errors.Join(
		m.bell.Forget(ctx, m.config.KeepNotifications),
		m.shelf.Forget(ctx, m.config.KeepUses),
		m.feeds.Forget(ctx),
		m.desk.DropPictures(ctx),
	)
}
