package push

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

var _ contract.HealthChecker = (*Door)(nil)

// Journal is the journal of security: who made a token can bring people, and change them.
type Journal interface {
	// Note writes an event in the caller's transaction. The request is nil when nobody
	// acts in a browser: the command line, or a token that ends by itself.
	Note(ctx context.Context, tx db.Tx, r *http.Request, kind string, facts map[string]string) error
}

// The events of the journal. Their facts are label, source and until.
const (
	TokenMade       = "identity.push_token_made"
	TokenWasRevoked = "identity.push_token_revoked"
	TokenHasEnded   = "identity.push_token_ended"
)

func (d *Door) note(ctx context.Context, tx db.Tx, r *http.Request, kind string, t Token) error {
	if d.Journal == nil {
		return nil
	}
	return d.Journal.Note(ctx, tx, r, kind, map[string]string{"label": t.Label, "source": t.Source, "until": t.EndsAt.UTC().Format(time.DateOnly)})
}

// warnedBefore is how long before the end of a token somebody is told, and alarmBefore
// when it counts as a fault of the house, if a program uses it.
const warnedBefore, alarmBefore = 30 * 24 * time.Hour, 7 * 24 * time.Hour

// Jobs registers the watch over tokens.
func (d *Door) Jobs(reg *jobs.Registry) { reg.Every("directory.tokens", time.Hour, d.Watch) }

// Watch tells those who keep the directory of tokens that end soon, and the journal of
// those that have ended.
func (d *Door) Watch(ctx context.Context) error {
	q, now := sqlgen.New(d.DB.Read()), db.At(d.Clock.Now())
	ended, err := q.TokensThatEnded(ctx, now)
	if err != nil {
		return fmt.Errorf("find tokens that ended: %w", err)
	}
	for _, t := range tokensOf(ended) {
		err := d.DB.InTx(ctx, func(tx db.Tx) error {
			n, err := sqlgen.New(tx).TokenTold(ctx, sqlgen.TokenToldParams{ID: t.ID, ToldAt: tx.Now()})
			if err != nil || n == 0 {
				return err
			}
			return d.note(ctx, tx, nil, TokenHasEnded, t)
		})
		if err != nil {
			return fmt.Errorf("note that a token ended: %w", err)
		}
	}
	soon, err := q.TokensThatEnd(ctx, now.Add(warnedBefore))
	if err != nil {
		return fmt.Errorf("find tokens that end: %w", err)
	}
	for _, t := range tokensOf(soon) {
		if err := d.warn(ctx, t); err != nil {
			return fmt.Errorf("tell that a token ends: %w", err)
		}
	}
	return nil
}

// warn tells everybody who keeps the directory that a token ends.
func (d *Door) warn(ctx context.Context, t Token) error {
	var keepers []campus.PersonID
	if d.Keepers != nil {
		var err error
		if keepers, err = d.Keepers(ctx); err != nil {
			return err
		}
	}
	return d.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).TokenWarned(ctx, sqlgen.TokenWarnedParams{ID: t.ID, WarnedAt: tx.Now()})
		if err != nil || n == 0 || d.Notices == nil {
			return err
		}
		said := func(l campus.Locale, key string) string {
			p := d.Texts.For(l)
			return p.T("directory.tokens.ending."+key, "label", t.Label, "day", p.Date(t.EndsAt, i18n.Day))
		}
		for _, who := range keepers {
			err := d.Notices.Notify(ctx, tx, who, contract.Notice{
				Room: "directory", Key: "directory.token." + t.ID, URL: tokensURL, Icon: "warning", Tone: "warn",
				TitleFrench: said(campus.French, "title"), TitleEnglish: said(campus.English, "title"),
				DetailFrench: said(campus.French, "detail"), DetailEnglish: said(campus.English, "detail"),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Health says whether the token of a program that pushes ends within days, or has ended
// while it was in use.
func (d *Door) Health(ctx context.Context) []health.Check {
	if len(d.pushed()) == 0 {
		return nil
	}
	return []health.Check{health.Run(ctx, "directory.tokens", func(ctx context.Context) (string, error) {
		now := d.Clock.Now()
		rows, err := sqlgen.New(d.DB.Read()).TokensInUse(ctx, sqlgen.TokensInUseParams{BeforeAt: db.At(now.Add(alarmBefore)), UsedAfterAt: db.At(now.Add(-warnedBefore))})
		if err != nil {
			return "", fmt.Errorf("look at tokens: %w", err)
		}
		if len(rows) == 0 {
			return "no token in use ends within a week", nil
		}
		return "", TokenEnds.With(fault.Args{"label": rows[0].Label, "source": rows[0].Source, "day": rows[0].EndsAt.Time()})
	})}
}
