package news

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// storedAudience is an audience as its column holds it.
type storedAudience struct {
	Kinds      []campus.Kind  `json:"kinds,omitempty"`
	Rights     []campus.Right `json:"rights,omitempty"`
	Campuses   []string       `json:"campuses,omitempty"`
	Programmes []string       `json:"programmes,omitempty"`
}

func audienceText(a campus.Audience) string {
	text, err := json.Marshal(storedAudience(a))
	if err != nil {
		panic(err) // lists of strings always encode
	}
	return string(text)
}

// audienceOf reads an audience back. What cannot be read is for publishers
// alone, never for everybody by mistake.
func audienceOf(text string) campus.Audience {
	var a storedAudience
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return campus.Audience{Rights: []campus.Right{campus.RightNews}}
	}
	return campus.Audience(a)
}

// idShape keeps what cannot be an identifier away from the database, where bytes
// that are not text would be an error of their own.
var idShape = regexp.MustCompile(`^[0-9a-f-]{36}$`)

func (d *Desk) article(ctx context.Context, q db.Querier, id string) (Article, error) {
	if !idShape.MatchString(id) {
		return Article{}, Missing
	}
	s := sqlgen.New(q)
	row, err := s.Article(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Article{}, Missing
	}
	if err != nil {
		return Article{}, fmt.Errorf("read article %s: %w", id, err)
	}
	a := Article{
		ID: row.ID, State: State(row.State), Version: row.Version,
		CreatedAt: row.CreatedAt.Time(), CreatedBy: campus.PersonID(row.CreatedBy),
		ChangedAt: row.ChangedAt.Time(), ChangedBy: campus.PersonID(row.ChangedBy),
		Content: Content{
			Title: Text{row.TitleFr, row.TitleEn}, Summary: Text{row.SummaryFr, row.SummaryEn},
			Body: Text{row.BodyFr, row.BodyEn}, Source: Text{row.SourceFr, row.SourceEn},
			Audience: audienceOf(row.Audience), Public: row.Public,
			Picture:   Picture{ID: row.PictureID, Alt: Text{row.AltFr, row.AltEn}},
			PublishAt: row.PublishAt.Time(), UnpublishAt: row.UnpublishAt.Time(),
		},
	}
	if a.Picture.ID == "" {
		return a, nil
	}
	p, err := s.Picture(ctx, a.Picture.ID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		a.Picture = Picture{} // the article stands without it
	case err != nil:
		return Article{}, fmt.Errorf("read the picture of article %s: %w", id, err)
	default:
		a.Picture.Width, a.Picture.Height = int(p.Width), int(p.Height)
	}
	return a, nil
}

func (d *Desk) add(ctx context.Context, tx db.Tx, a Article, key string) error {
	err := sqlgen.New(tx).AddArticle(ctx, sqlgen.AddArticleParams{
		ID: a.ID, ImportKey: key, State: string(a.State), TitleFr: a.Title.French, TitleEn: a.Title.English,
		SummaryFr: a.Summary.French, SummaryEn: a.Summary.English, BodyFr: a.Body.French, BodyEn: a.Body.English,
		SourceFr: a.Source.French, SourceEn: a.Source.English, Audience: audienceText(a.Audience), Public: a.Public,
		PictureID: a.Picture.ID, AltFr: a.Picture.Alt.French, AltEn: a.Picture.Alt.English,
		PublishAt: db.At(a.PublishAt), UnpublishAt: db.At(a.UnpublishAt),
		CreatedAt: db.At(a.CreatedAt), CreatedBy: string(a.CreatedBy),
	})
	if err != nil {
		return fmt.Errorf("add article: %w", err)
	}
	return nil
}

// change writes a new version over the one with the given number, or answers
// Changed.
func (d *Desk) change(ctx context.Context, tx db.Tx, a Article, by campus.PersonID) error {
	n, err := sqlgen.New(tx).ChangeArticle(ctx, sqlgen.ChangeArticleParams{
		ID: a.ID, State: string(a.State), TitleFr: a.Title.French, TitleEn: a.Title.English,
		SummaryFr: a.Summary.French, SummaryEn: a.Summary.English, BodyFr: a.Body.French, BodyEn: a.Body.English,
		SourceFr: a.Source.French, SourceEn: a.Source.English, Audience: audienceText(a.Audience), Public: a.Public,
		PictureID: a.Picture.ID, AltFr: a.Picture.Alt.French, AltEn: a.Picture.Alt.English,
		PublishAt: db.At(a.PublishAt), UnpublishAt: db.At(a.UnpublishAt),
		ChangedAt: tx.Now(), ChangedBy: string(by), Version: a.Version,
	})
	if err != nil {
		return fmt.Errorf("change article %s: %w", a.ID, err)
	}
	if n == 0 {
		return Changed
	}
	return nil
}

// Headline is an article in a list. One with a URL stands on another site, whose
// name is its Source.
type Headline struct {
	ID                     string
	Title, Summary, Source Text
	Audience               campus.Audience
	Public                 bool
	Picture                Picture
	PublishAt, UnpublishAt db.Time
	ChangedAt              db.Time
	URL                    string
}

// online reports whether the headline shows at a moment.
func (h Headline) online(now db.Time) bool {
	return h.PublishAt <= now && (h.UnpublishAt == 0 || now < h.UnpublishAt)
}

// admits is [Content.Admits] for a headline.
func (h Headline) admits(v campus.Viewer) bool {
	if !v.SignedIn() {
		return h.Public
	}
	return h.Audience.Admits(v)
}

// headlines reads what is or will be online.
func headlines(ctx context.Context, q db.Querier, now db.Time, most int) ([]Headline, error) {
	rows, err := sqlgen.New(q).ArticlesOnline(ctx, sqlgen.ArticlesOnlineParams{UnpublishAt: now, Size: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("list news: %w", err)
	}
	list := make([]Headline, len(rows))
	for i, r := range rows {
		list[i] = Headline{
			ID: r.ID, Title: Text{r.TitleFr, r.TitleEn}, Summary: Text{r.SummaryFr, r.SummaryEn}, Source: Text{r.SourceFr, r.SourceEn},
			Audience: audienceOf(r.Audience), Public: r.Public,
			Picture:   Picture{ID: r.PictureID, Alt: Text{r.AltFr, r.AltEn}, Width: int(r.Width), Height: int(r.Height)},
			PublishAt: r.PublishAt, UnpublishAt: r.UnpublishAt, ChangedAt: r.ChangedAt,
		}
	}
	return list, nil
}
