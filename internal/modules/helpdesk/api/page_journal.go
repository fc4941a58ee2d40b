package api

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// journalSize is how many tokens a page of the journal has.
const journalSize = 50

// journal are the tokens from the last made on, and where the next page begins.
func (a *API) journal(ctx context.Context, before string) (list []Token, next string, err error) {
	where, args := "", []any{}
	if before != "" { // identifiers stand in the order of time
		where, args = " WHERE id < $1", []any{before}
	}
	err = db.Each(ctx, a.DB.Read(), "SELECT "+tokenColumns+" FROM helpdesk_tokens"+where+" ORDER BY id DESC LIMIT "+strconv.Itoa(journalSize+1), args, func(rows *sql.Rows) error {
		t, err := scanToken(rows)
		list = append(list, t)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the journal of tokens: %w", err)
	}
	if len(list) > journalSize {
		list = list[:journalSize]
		next = list[journalSize-1].ID
	}
	return list, next, nil
}

// journalPage says of every token who made it, when it was last used and from where,
// and how it ended.
func (a *API) journalPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, next, err := a.journal(ctx, strings.ReplaceAll(strings.ToValidUTF8(r.URL.Query().Get("before"), ""), "\x00", ""))
	if err != nil {
		return err
	}
	var people []campus.PersonID
	for _, one := range list {
		people = append(people, one.MadeBy, one.RevokedBy)
	}
	known, err := a.Register.KnownPeople(ctx, people)
	if err != nil {
		return fmt.Errorf("read who made tokens: %w", err)
	}
	name := func(who campus.PersonID) string {
		k, ok := known[who]
		if !ok {
			return t(ctx, "somebody")
		}
		return strings.TrimSpace(k.Subject.GivenName + " " + k.Subject.FamilyName)
	}
	var rows [][]ui.Cell
	for _, one := range list {
		used := t(ctx, "never")
		if !one.UsedAt.IsZero() {
			if used = i18n.Date(ctx, one.UsedAt, i18n.Moment); one.UsedFrom != "" {
				used = t(ctx, "used_from", "when", used, "from", one.UsedFrom)
			}
		}
		ended := t(ctx, "ends_on", "when", i18n.Date(ctx, one.EndsAt, i18n.Day))
		switch {
		case !one.RevokedAt.IsZero():
			ended = t(ctx, "revoked_by", "when", i18n.Date(ctx, one.RevokedAt, i18n.Moment), "name", name(one.RevokedBy))
		case !one.Holds(a.Clock.Now()):
			ended = t(ctx, "ended_on", "when", i18n.Date(ctx, one.EndsAt, i18n.Day))
		}
		rows = append(rows, []ui.Cell{
			ui.TextCell(one.Label), ui.TextCell(may(ctx, one)), ui.TextCell(t(ctx, "made_by", "when", i18n.Date(ctx, one.MadeAt, i18n.Moment), "name", name(one.MadeBy))), ui.TextCell(used), ui.TextCell(ended),
		})
	}
	return web.Render(w, r, http.StatusOK, journalTempl(rows, next))
}
