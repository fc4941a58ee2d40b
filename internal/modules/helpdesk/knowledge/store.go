package knowledge

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const columns = `id, slug, state, internal, title_fr, title_en, body_fr, body_en, reasons, services, leaves, ticket_id, version, changed_at, changed_by, viewed, helped, unhelped`

func articles(ctx context.Context, q db.Querier, rest string, args ...any) ([]Article, error) {
	var list []Article
	err := db.Each(ctx, q, "SELECT "+columns+" FROM helpdesk_articles "+rest, args, func(rows *sql.Rows) error {
		var a Article
		var internal int64
		var reasons, services, leaves string
		var changed db.Time
		if err := rows.Scan(&a.ID, &a.Slug, &a.State, &internal, &a.Title.French, &a.Title.English, &a.Body.French, &a.Body.English, &reasons, &services, &leaves, &a.Ticket,
			&a.Version, &changed, &a.ChangedBy, &a.Viewed, &a.Helped, &a.Unhelped); err != nil {
			return err
		}
		a.Internal, a.ChangedAt = internal != 0, changed.Time()
		err := errors.Join(json.Unmarshal([]byte(reasons), &a.Reasons), json.Unmarshal([]byte(services), &a.Services), json.Unmarshal([]byte(leaves), &a.Leaves))
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read articles: %w", err)
	}
	return list, nil
}

// found is the only one of a list, or [Missing].
func found(list []Article, err error) (Article, error) {
	if err != nil {
		return Article{}, err
	}
	if len(list) == 0 {
		return Article{}, Missing
	}
	return list[0], nil
}

// ByID reads an article, or answers [Missing].
func (k *Knowledge) ByID(ctx context.Context, article string) (Article, error) {
	return found(articles(ctx, k.DB.Read(), "WHERE id = $1", article))
}

// BySlug reads an article by its address, or answers [Missing].
func (k *Knowledge) BySlug(ctx context.Context, slug string) (Article, error) {
	return found(articles(ctx, k.DB.Read(), "WHERE slug = $1", slug))
}

func list(of []string) (string, error) {
	if of == nil {
		of = []string{}
	}
	text, err := json.Marshal(of)
	return string(text), err
}

// Keep writes an article and remembers what it says in this version. One without an
// identifier is new; another one has to be the version that was read, or [Changed] is
// answered.
func (k *Knowledge) Keep(ctx context.Context, tx db.Tx, by campus.PersonID, a Article) (Article, error) {
	var texts [3]string
	for i, of := range [][]string{a.Reasons, a.Services, a.Leaves} {
		var err error
		if texts[i], err = list(of); err != nil {
			return a, fmt.Errorf("write an article: %w", err)
		}
	}
	if a.ID == "" {
		a.ID = id.New()
		slug, err := freeSlug(ctx, tx, a)
		if err != nil {
			return a, err
		}
		a.Slug = slug
		if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_articles ("+columns+") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,1,$13,$14,0,0,0)",
			a.ID, a.Slug, string(a.State), flag(a.Internal), a.Title.French, a.Title.English, a.Body.French, a.Body.English, texts[0], texts[1], texts[2], a.Ticket, tx.Now(), string(by)); err != nil {
			return a, fmt.Errorf("write an article: %w", err)
		}
		a.Version = 1
	} else {
		result, err := tx.ExecContext(ctx, `UPDATE helpdesk_articles SET state = $1, internal = $2, title_fr = $3, title_en = $4, body_fr = $5, body_en = $6, reasons = $7, services = $8, leaves = $9,
			version = version + 1, changed_at = $10, changed_by = $11 WHERE id = $12 AND version = $13`,
			string(a.State), flag(a.Internal), a.Title.French, a.Title.English, a.Body.French, a.Body.English, texts[0], texts[1], texts[2], tx.Now(), string(by), a.ID, a.Version)
		if err != nil {
			return a, fmt.Errorf("write an article: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return a, errors.Join(err, Changed)
		}
		a.Version++
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO helpdesk_article_versions (article_id, version, state, title_fr, title_en, body_fr, body_en, changed_at, changed_by) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
		a.ID, a.Version, string(a.State), a.Title.French, a.Title.English, a.Body.French, a.Body.English, tx.Now(), string(by)); err != nil {
		return a, fmt.Errorf("remember a version of an article: %w", err)
	}
	a.ChangedAt, a.ChangedBy = tx.Now().Time(), by
	tx.AfterCommit(k.shelf.forget)
	return a, nil
}

func flag(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// reserved are addresses beside those of articles.
var reserved = map[string]bool{"suggest": true, "": true}

// longestSlug is in bytes.
const longestSlug = 60

// freeSlug makes the address of an article out of its title.
func freeSlug(ctx context.Context, tx db.Tx, a Article) (string, error) {
	title := a.Title.French
	if title == "" {
		title = a.Title.English
	}
	slug := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, campus.Fold(title)), "-")
	slug = strings.Trim(slug[:min(len(slug), longestSlug)], "-")
	var taken int64
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM helpdesk_articles WHERE slug = $1", slug).Scan(&taken); err != nil {
		return "", fmt.Errorf("look for an address: %w", err)
	}
	if taken > 0 || reserved[slug] {
		slug = strings.Trim(slug+"-"+a.ID[len(a.ID)-8:], "-")
	}
	return slug, nil
}

// version is what an article said.
type version struct {
	Article
	Author string
}

// versionsOf reads what an article said, the newest first.
func (k *Knowledge) versionsOf(ctx context.Context, article string) ([]version, error) {
	var found []version
	err := db.Each(ctx, k.DB.Read(), "SELECT version, state, title_fr, title_en, body_fr, body_en, changed_at, changed_by FROM helpdesk_article_versions WHERE article_id = $1 ORDER BY version DESC LIMIT 50", []any{article}, func(rows *sql.Rows) error {
		var v version
		var at db.Time
		err := rows.Scan(&v.Version, &v.State, &v.Title.French, &v.Title.English, &v.Body.French, &v.Body.English, &at, &v.ChangedBy)
		v.ChangedAt = at.Time()
		found = append(found, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read versions of an article: %w", err)
	}
	return found, nil
}

// opinionsOf reads the newest words that readers left.
func (k *Knowledge) opinionsOf(ctx context.Context, article string) ([]Opinion, error) {
	var found []Opinion
	err := db.Each(ctx, k.DB.Read(), "SELECT said_at, helped, words FROM helpdesk_article_opinions WHERE article_id = $1 AND words <> '' ORDER BY said_at DESC LIMIT 50", []any{article}, func(rows *sql.Rows) error {
		var o Opinion
		var at db.Time
		var helped int64
		err := rows.Scan(&at, &helped, &o.Words)
		o.At, o.Helped = at.Time(), helped != 0
		found = append(found, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what readers said: %w", err)
	}
	return found, nil
}

// opine counts what a reader says of an article.
func opine(ctx context.Context, tx db.Tx, article string, helped bool, words string) error {
	column := "unhelped"
	if helped {
		column = "helped"
	}
	if _, err := tx.ExecContext(ctx, "UPDATE helpdesk_articles SET "+column+" = "+column+" + 1 WHERE id = $1", article); err != nil {
		return fmt.Errorf("count what a reader said: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_article_opinions (id, article_id, said_at, helped, words) VALUES ($1,$2,$3,$4,$5)", id.New(), article, tx.Now(), flag(helped), words); err != nil {
		return fmt.Errorf("keep what a reader said: %w", err)
	}
	return nil
}
