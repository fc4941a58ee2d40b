package news

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Desk is where news is written and read.
type Desk struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	Files files.Store
	// Elsewhere adds the headlines of other sites; may be nil.
	Elsewhere Elsewhere
	// MaxPicture bounds one uploaded picture, in bytes.
	MaxPicture int64

	board board
}

// Elsewhere knows what other sites published.
type Elsewhere interface {
	Headlines(ctx context.Context, q db.Querier) ([]Headline, error)
	Troubles(ctx context.Context) ([]Trouble, error)
}

// Trouble is a feed of another site that does not come in.
type Trouble struct {
	Name   Text
	URL    string
	Reason string // code of the failure
	Detail string
	// Since is when it last came in; zero means never.
	Since time.Time
}

// Headlines returns what v may read now, newest first.
func (d *Desk) Headlines(ctx context.Context, v campus.Viewer) ([]Headline, error) {
	all, err := d.board.read(ctx, d)
	if err != nil {
		return nil, err
	}
	now := db.At(d.Clock.Now())
	list := make([]Headline, 0, 16)
	for _, h := range all {
		if h.online(now) && h.admits(v) {
			list = append(list, h)
		}
	}
	return list, nil
}

// Search returns the headlines with all the words in them.
func (d *Desk) Search(ctx context.Context, v campus.Viewer, words string, most int) ([]Headline, error) {
	all, err := d.Headlines(ctx, v)
	if err != nil {
		return nil, err
	}
	var found []Headline
	wanted := strings.Fields(campus.Fold(words))
	for _, h := range all {
		text := campus.Fold(h.Title.French + " " + h.Title.English + " " + h.Summary.French + " " + h.Summary.English + " " + h.Source.French + " " + h.Source.English)
		if len(found) < most && len(wanted) > 0 && !slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(text, w) }) {
			found = append(found, h)
		}
	}
	return found, nil
}

// Read returns one article for v, or why v cannot have it.
func (d *Desk) Read(ctx context.Context, v campus.Viewer, article string) (Article, error) {
	a, err := d.article(ctx, d.DB.Read(), article)
	if err != nil {
		return Article{}, err
	}
	now := d.Clock.Now()
	switch stage := a.Stage(now); {
	case a.Readable(v, now):
		return a, nil
	case (stage == StageEnded || stage == StageArchived) && a.Admits(v):
		return Article{}, Over
	default:
		return Article{}, Missing
	}
}

// Entry is an article in the publishers' list.
type Entry struct {
	Article
	Stage Stage
}

// deskSize bounds the publishers' list; older articles are found by search.
const deskSize = 500

// Entries lists every article for a publisher, last changed first.
func (d *Desk) Entries(ctx context.Context, v campus.Viewer) ([]Entry, error) {
	if !v.Can(campus.RightNews) {
		return nil, PublishersOnly
	}
	rows, err := sqlgen.New(d.DB.Read()).ArticlesForDesk(ctx, deskSize)
	if err != nil {
		return nil, fmt.Errorf("list articles: %w", err)
	}
	now := d.Clock.Now()
	list := make([]Entry, len(rows))
	for i, r := range rows {
		a := Article{
			ID: r.ID, State: State(r.State), Version: r.Version, ChangedAt: r.ChangedAt.Time(), ChangedBy: campus.PersonID(r.ChangedBy),
			Content: Content{
				Title: Text{r.TitleFr, r.TitleEn}, Audience: audienceOf(r.Audience), Public: r.Public,
				PublishAt: r.PublishAt.Time(), UnpublishAt: r.UnpublishAt.Time(),
			},
		}
		list[i] = Entry{a, a.Stage(now)}
	}
	return list, nil
}

// Count tells a publisher how many articles are drafts and how many will appear
// by themselves.
func (d *Desk) Count(ctx context.Context, v campus.Viewer) (drafts, scheduled int, err error) {
	if !v.Can(campus.RightNews) {
		return 0, 0, PublishersOnly
	}
	row, err := sqlgen.New(d.DB.Read()).CountForDesk(ctx, db.At(d.Clock.Now()))
	if err != nil {
		return 0, 0, fmt.Errorf("count articles: %w", err)
	}
	return int(row.Drafts), int(row.Scheduled), nil
}

// ForEdit returns an article for a publisher to change.
func (d *Desk) ForEdit(ctx context.Context, v campus.Viewer, article string) (Article, error) {
	if !v.Can(campus.RightNews) {
		return Article{}, PublishersOnly
	}
	return d.article(ctx, d.DB.Read(), article)
}

// Write keeps a new article as a draft.
func (d *Desk) Write(ctx context.Context, v campus.Viewer, c Content) (string, error) {
	if !v.Can(campus.RightNews) {
		return "", PublishersOnly
	}
	a := Article{ID: id.New(), Content: c, State: Draft, CreatedBy: v.Person}
	err := d.DB.InTx(ctx, func(tx db.Tx) error {
		a.CreatedAt = tx.Now().Time()
		return d.add(ctx, tx, a, "")
	})
	return a.ID, err
}

// Change writes over the version that the publisher read. When somebody else
// was faster it answers Changed and nothing is written.
func (d *Desk) Change(ctx context.Context, v campus.Viewer, article string, version int64, c Content) error {
	if !v.Can(campus.RightNews) {
		return PublishersOnly
	}
	err := d.DB.InTx(ctx, func(tx db.Tx) error {
		a, err := d.article(ctx, tx, article)
		if err != nil {
			return err
		}
		if a.Version != version {
			return Changed
		}
		stage := a.Stage(tx.Now().Time())
		if (stage == StageOnline || stage == StageScheduled) && c.Check(true).Any() {
			return Unfinished
		}
		if stage == StageOnline && c.PublishAt.IsZero() {
			c.PublishAt = a.PublishAt // it did appear then
		}
		a.Content = c
		return d.change(ctx, tx, a, v.Person)
	})
	d.board.forget()
	return err
}

// Take takes a step with an article: publish, withdraw, archive, reopen.
func (d *Desk) Take(ctx context.Context, v campus.Viewer, article string, version int64, step Step) (Stage, error) {
	if !v.Can(campus.RightNews) {
		return "", PublishersOnly
	}
	var reached Stage
	err := d.DB.InTx(ctx, func(tx db.Tx) error {
		a, err := d.article(ctx, tx, article)
		if err != nil {
			return err
		}
		if a.Version != version {
			return Changed
		}
		now := tx.Now().Time()
		stage := a.Stage(now)
		state, ok := stage.Next(step)
		if !ok {
			return StepRefused.With(fault.Args{"step": string(step), "stage": string(stage)})
		}
		if step == Publish {
			// Publishing what is scheduled brings it forward.
			if stage == StageScheduled || a.PublishAt.IsZero() || a.PublishAt.Before(now) && stage == StageDraft {
				a.PublishAt = now
			}
			if a.Check(true).Any() {
				return Unfinished
			}
		}
		a.State = state
		reached = a.Stage(now)
		n, err := sqlgen.New(tx).MoveArticle(ctx, sqlgen.MoveArticleParams{
			ID: a.ID, State: string(a.State), PublishAt: db.At(a.PublishAt), ChangedAt: tx.Now(), ChangedBy: string(v.Person), Version: version,
		})
		if err != nil {
			return fmt.Errorf("%s article %s: %w", step, a.ID, err)
		}
		if n == 0 {
			return Changed
		}
		return nil
	})
	d.board.forget()
	return reached, err
}

// Delete removes an article for good.
func (d *Desk) Delete(ctx context.Context, v campus.Viewer, article string) error {
	if !v.Can(campus.RightNews) {
		return PublishersOnly
	}
	if !idShape.MatchString(article) {
		return Missing
	}
	err := d.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).DeleteArticle(ctx, article)
		if err != nil {
			return fmt.Errorf("delete article %s: %w", article, err)
		}
		if n == 0 {
			return Missing
		}
		return nil
	})
	d.board.forget()
	return err
}

// Import brings an article in under a key, once: a second call with the key
// changes nothing and returns the same article. The caller answers for the
// right to; pages use [Desk.Write].
func (d *Desk) Import(ctx context.Context, key string, state State, by campus.PersonID, c Content) (string, error) {
	if problems := c.Check(state == Ready); problems.Any() {
		return "", fmt.Errorf("import article %s: %s: %s", key, problems[0].Field, problems[0].Key)
	}
	var article string
	err := d.DB.InTx(ctx, func(tx db.Tx) error {
		known, err := sqlgen.New(tx).ArticleByKey(ctx, key)
		switch {
		case err == nil:
			article = known
			return nil
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("look for article %s: %w", key, err)
		}
		at := tx.Now().Time()
		if !c.PublishAt.IsZero() && c.PublishAt.Before(at) {
			at = c.PublishAt // it was written before it appeared
		}
		content := c
		if state == Ready && content.PublishAt.IsZero() {
			content.PublishAt = at
		}
		article = id.New()
		return d.add(ctx, tx, Article{ID: article, Content: content, State: state, CreatedAt: at, CreatedBy: by}, key)
	})
	d.board.forget()
	return article, err
}
