package api

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// warnings are how many days before its end somebody is told that a token ends.
var warnings = []int{2, 14}

// warn tells who made a token that it ends soon: once at each of the times. Who made
// it may have left, or not run the desk any more: then all who run it are told.
func (a *API) warn(ctx context.Context) error {
	managers, err := a.Roll.HoldersOf(ctx, campus.RightDesks)
	if err != nil {
		return fmt.Errorf("list who runs the desk: %w", err)
	}
	now := a.DB.Now()
	for _, days := range warnings { // the nearest first: it makes the other one needless
		var ending []Token
		err := db.Each(ctx, a.DB.Read(), "SELECT "+tokenColumns+" FROM helpdesk_tokens WHERE revoked_at = 0 AND ends_at > $1 AND ends_at <= $2 AND (warned = 0 OR warned > $3)",
			[]any{now, now.Add(time.Duration(days) * 24 * time.Hour), days}, func(rows *sql.Rows) error {
				t, err := scanToken(rows)
				ending = append(ending, t)
				return err
			})
		if err != nil {
			return fmt.Errorf("find tokens that end: %w", err)
		}
		for _, t := range ending {
			people := managers
			if slices.Contains(managers, t.MadeBy) {
				people = []campus.PersonID{t.MadeBy}
			}
			if err := a.warnOf(ctx, t, days, people); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *API) warnOf(ctx context.Context, t Token, days int, people []campus.PersonID) error {
	in := func(l campus.Locale) string {
		ctx := i18n.With(ctx, a.Texts.For(l))
		return i18n.T(ctx, "helpdesk.programs.ending_text", "label", t.Label, "ends", i18n.Date(ctx, t.EndsAt, i18n.Moment))
	}
	title := func(l campus.Locale) string {
		return i18n.T(i18n.With(ctx, a.Texts.For(l)), "helpdesk.programs.ending")
	}
	tone := ""
	if days == warnings[0] {
		tone = "warn"
	}
	notice := contract.Notice{
		Room: "helpdesk", Key: "token-" + t.ID, Icon: "key", Tone: tone, URL: pageURL,
		TitleFrench: title(campus.French), TitleEnglish: title(campus.English), DetailFrench: in(campus.French), DetailEnglish: in(campus.English),
	}
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE helpdesk_tokens SET warned = $1 WHERE id = $2 AND revoked_at = 0 AND (warned = 0 OR warned > $1)", days, t.ID)
		if err != nil {
			return fmt.Errorf("note a warning: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err // another server was quicker
		}
		for _, who := range people {
			if err := a.Notices.Notify(ctx, tx, who, notice); err != nil {
				return fmt.Errorf("warn of the end of a token: %w", err)
			}
		}
		return nil
	})
}
