package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Source is one feed that the configuration names.
type Source struct {
	ID          string          `toml:"id" help:"stable name, lower case"`
	NameFrench  string          `toml:"name_fr" help:"who speaks, shown beside each headline"`
	NameEnglish string          `toml:"name_en" help:"the same in English"`
	URL         string          `toml:"url" help:"address of the RSS or Atom feed"`
	Audience    campus.Audience `toml:"audience" help:"who sees its headlines; nobody named means everybody who has signed in"`
}

// Reader visits the sources and keeps what they say.
type Reader struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Sources []Source
	// Transport reaches the sites; nil means the ordinary network.
	Transport http.RoundTripper
	// Keep is how long a headline stays.
	Keep time.Duration
}

var _ news.Elsewhere = (*Reader)(nil)

// Visit visits every source once. A source that fails is noted for the
// publishers and does not stop the others.
func (r *Reader) Visit(ctx context.Context) error {
	known, err := r.known(ctx)
	if err != nil {
		return err
	}
	c := client(r.Transport)
	defer c.CloseIdleConnections()
	var problems []error
	for _, s := range r.Sources {
		before := known[s.ID]
		got, err := fetch(ctx, c, s.URL, Validators{before.Etag, before.Modified})
		if err != nil && ctx.Err() != nil {
			return ctx.Err() // the house is closing: that says nothing about the site
		}
		if err != nil {
			r.Log.WarnContext(ctx, "a feed did not come in", "feed", s.ID, "error", err)
		}
		if err := r.note(ctx, s, before, got, err); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func (r *Reader) known(ctx context.Context) (map[string]sqlgen.PortalFeed, error) {
	rows, err := sqlgen.New(r.DB.Read()).Feeds(ctx)
	if err != nil {
		return nil, fmt.Errorf("list feeds: %w", err)
	}
	known := make(map[string]sqlgen.PortalFeed, len(rows))
	for _, row := range rows {
		known[row.ID] = row
	}
	return known, nil
}

// note keeps what a visit brought, or why it brought nothing. What came before
// stays online when a visit fails.
func (r *Reader) note(ctx context.Context, s Source, before sqlgen.PortalFeed, got fetched, failure error) error {
	return r.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		feed := sqlgen.NoteFeedParams{
			ID: s.ID, VisitedAt: tx.Now(), SucceededAt: before.SucceededAt, Etag: got.validators.ETag, Modified: got.validators.Modified,
		}
		if failure != nil {
			f := fault.Of(failure)
			feed.Reason, feed.Detail = f.Reason.Code(), detail(f)
			feed.Etag, feed.Modified = before.Etag, before.Modified
		} else {
			feed.SucceededAt = tx.Now()
		}
		if err := q.NoteFeed(ctx, feed); err != nil {
			return fmt.Errorf("note the visit of feed %s: %w", s.ID, err)
		}
		if failure != nil || got.unchanged {
			return nil
		}
		// A feed is the whole truth about itself: what it took back goes here too.
		dates, err := r.firstSeen(ctx, q, s.ID)
		if err != nil {
			return err
		}
		if err := q.DropFeedItems(ctx, s.ID); err != nil {
			return fmt.Errorf("drop items of feed %s: %w", s.ID, err)
		}
		oldest := tx.Now().Add(-r.Keep)
		for _, item := range got.items {
			at := db.At(item.Published)
			switch {
			case at.IsZero() && !dates[item.Key].IsZero():
				at = dates[item.Key]
			case at.IsZero(), at.After(tx.Now()):
				at = tx.Now()
			}
			if at.Before(oldest) {
				continue
			}
			err := q.KeepFeedItem(ctx, sqlgen.KeepFeedItemParams{
				FeedID: s.ID, ItemKey: item.Key, Title: item.Title, Summary: item.Summary, Url: item.URL, PublishedAt: at,
			})
			if err != nil {
				return fmt.Errorf("keep an item of feed %s: %w", s.ID, err)
			}
		}
		return nil
	})
}

// detail is the cause in one line, for the publisher who calls the site's
// webmaster.
func detail(f *fault.Fault) string {
	text := ""
	if status, ok := f.Args["status"]; ok {
		text = fmt.Sprint("HTTP ", status)
	}
	if f.Cause != nil {
		text = f.Cause.Error()
	}
	if len(text) > 300 {
		text = text[:300]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// firstSeen is when each item first came, for feeds that give no dates.
func (r *Reader) firstSeen(ctx context.Context, q *sqlgen.Queries, feed string) (map[string]db.Time, error) {
	rows, err := q.FeedItems(ctx, maxHeadlines)
	if err != nil {
		return nil, fmt.Errorf("list feed items: %w", err)
	}
	dates := map[string]db.Time{}
	for _, row := range rows {
		if row.FeedID == feed {
			dates[row.ItemKey] = row.PublishedAt
		}
	}
	return dates, nil
}

// maxHeadlines bounds the memory that other sites may take here.
const maxHeadlines = 400

// Headlines implements news.Elsewhere: what the configured sources say.
func (r *Reader) Headlines(ctx context.Context, q db.Querier) ([]news.Headline, error) {
	if len(r.Sources) == 0 {
		return nil, nil
	}
	rows, err := sqlgen.New(q).FeedItems(ctx, maxHeadlines)
	if err != nil {
		return nil, fmt.Errorf("list feed items: %w", err)
	}
	sources := make(map[string]Source, len(r.Sources))
	for _, s := range r.Sources {
		sources[s.ID] = s
	}
	var list []news.Headline
	for _, row := range rows {
		s, configured := sources[row.FeedID]
		if !configured {
			continue // taken out of the configuration; its items go with time
		}
		list = append(list, news.Headline{
			Title: news.Text{French: row.Title}, Summary: news.Text{French: row.Summary},
			Source: news.Text{French: s.NameFrench, English: s.NameEnglish}, Audience: s.Audience,
			PublishAt: row.PublishedAt, ChangedAt: row.PublishedAt, URL: row.Url,
		})
	}
	return list, nil
}

// Troubles implements news.Elsewhere: the sources whose last visit failed.
func (r *Reader) Troubles(ctx context.Context) ([]news.Trouble, error) {
	known, err := r.known(ctx)
	if err != nil {
		return nil, err
	}
	var list []news.Trouble
	for _, s := range r.Sources {
		if k := known[s.ID]; k.Reason != "" {
			list = append(list, news.Trouble{
				Name: news.Text{French: s.NameFrench, English: s.NameEnglish}, URL: s.URL,
				Reason: k.Reason, Detail: k.Detail, Since: k.SucceededAt.Time(),
			})
		}
	}
	return list, nil
}

// Forget deletes headlines that are older than Keep.
func (r *Reader) Forget(ctx context.Context) error {
	return r.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := sqlgen.New(tx).ForgetFeedItems(ctx, tx.Now().Add(-r.Keep)); err != nil {
			return fmt.Errorf("delete old feed items: %w", err)
		}
		return nil
	})
}
