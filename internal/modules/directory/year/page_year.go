package year

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// perPage is how many people a page of the list has.
const perPage = 50

// maxWords bounds a search.
const maxWords = 200

// line is one person of the list.
type line struct {
	Person, Name, Kind, State string
	Was, Becomes              ties
}

// yearView is one change with a page of its list.
type yearView struct {
	Year
	Kind, Words string
	Lines       []line
	Total       int
	Pages       ui.PagerProps
	By          string
}

func (y *Years) yearPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	change, err := y.ByID(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	words := q.Get("q")
	view := yearView{Year: change, Kind: q.Get("kind"), Words: strings.ToValidUTF8(words[:min(len(words), maxWords)], "")}
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil || page < 1 {
		page = 1 // no number is the first page
	}
	if view.Lines, view.Total, err = y.list(ctx, view, min(page, 100_000)); err != nil {
		return err
	}
	view.Pages = ui.PagerProps{Page: page, Pages: max(1, (view.Total+perPage-1)/perPage), URL: func(n int) string {
		return view.url(view.Kind) + "&page=" + strconv.Itoa(n)
	}}
	known, err := y.Register.KnownPeople(ctx, []campus.PersonID{change.MadeBy})
	if err != nil {
		return err
	}
	if k, ok := known[change.MadeBy]; ok {
		view.By = strings.TrimSpace(k.Subject.GivenName + " " + k.Subject.FamilyName)
	}
	return web.Render(w, r, http.StatusOK, yearTempl(view))
}

// list reads a page of the people of a change.
func (y *Years) list(ctx context.Context, v yearView, page int) ([]line, int, error) {
	where, args := "year_id = $1", []any{v.ID}
	if v.Kind != "" {
		args = append(args, v.Kind)
		where += " AND kind = $2"
	}
	for _, word := range strings.Fields(campus.Fold(v.Words)) {
		args = append(args, "%"+word+"%")
		where += " AND folded LIKE $" + strconv.Itoa(len(args))
	}
	var total int
	if err := y.DB.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM directory_year_people WHERE "+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count the list: %w", err)
	}
	args = append(args, perPage, (page-1)*perPage)
	rows, err := y.DB.Read().QueryContext(ctx, fmt.Sprintf("SELECT person_id, name, kind, state, was, becomes FROM directory_year_people WHERE %s ORDER BY folded, person_id LIMIT $%d OFFSET $%d", where, len(args)-1, len(args)), args...)
	if err != nil {
		return nil, 0, fmt.Errorf("read the list: %w", err)
	}
	defer rows.Close()
	list, err := scanLines(rows)
	return list, total, err
}

func scanLines(rows *sql.Rows) (list []line, err error) {
	for rows.Next() {
		var l line
		var was, becomes string
		if err := rows.Scan(&l.Person, &l.Name, &l.Kind, &l.State, &was, &becomes); err != nil {
			return nil, fmt.Errorf("read the list: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(was), &l.Was), json.Unmarshal([]byte(becomes), &l.Becomes)); err != nil {
			return nil, fmt.Errorf("read the list: %w", err)
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

func (v yearView) url(kind string) string {
	return "/directory/year/" + v.ID + "?" + url.Values{"kind": {kind}, "q": {v.Words}}.Encode()
}

func (v yearView) tabs(ctx context.Context) []ui.TabLink {
	tabs := []ui.TabLink{{Label: t(ctx, "kind.all"), URL: v.url(""), Current: v.Kind == ""}}
	for _, k := range []struct {
		kind  string
		count int64
	}{{promotion, v.Promotions}, {departure, v.Departures}, {arrival, v.Arrivals}} {
		tabs = append(tabs, ui.TabLink{Label: t(ctx, "kind."+k.kind), URL: v.url(k.kind), Current: v.Kind == k.kind, Count: int(k.count), Counted: true})
	}
	return tabs
}

func (v yearView) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{
		{Label: t(ctx, "column.state"), Body: ui.Tag(tone(v.State), t(ctx, "state."+v.State))},
		{Label: t(ctx, "column.made"), Body: ui.When(v.Made, i18n.Full)},
		{Label: t(ctx, "column.by"), Text: v.By},
		{Label: t(ctx, "form.ends"), Text: i18n.Date(ctx, v.Ends.Add(-1), i18n.Day)},
		{Label: t(ctx, "form.moves"), Text: strings.ReplaceAll(v.Moves.String(), "\n", "; ")},
	}
	if v.State == Applying || v.State == Undoing || v.State == Done || v.State == Undone {
		facts = append(facts, ui.Fact{Label: t(ctx, "progress"), Text: t(ctx, "progress_of", "done", v.Steps, "total", v.Promotions+v.Departures)})
		if v.Skipped > 0 {
			facts = append(facts, ui.Fact{Label: t(ctx, "skipped"), Text: strconv.FormatInt(v.Skipped, 10)})
		}
	}
	return facts
}

func (v yearView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: t(ctx, "people"), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "column.name")}, {Label: t(ctx, "column.kind")}, {Label: t(ctx, "column.was")}, {Label: t(ctx, "column.becomes")}, {Label: t(ctx, "column.state")},
	}}
	for _, l := range v.Lines {
		table.Rows = append(table.Rows, []ui.Cell{
			ui.LinkCell(l.Name, "/directory/people/"+l.Person), ui.TextCell(t(ctx, "kind."+l.Kind)), ui.TextCell(words(ctx, l.Was)), ui.TextCell(words(ctx, l.Becomes)), ui.TextCell(t(ctx, "line."+l.State)),
		})
	}
	return table
}

// words says ties as people read them.
func words(ctx context.Context, ties ties) string {
	var parts []string
	for _, text := range ties.Affiliations {
		a, ok := mapping.ParseAffiliation(text)
		if !ok {
			continue
		}
		said := i18n.T(ctx, "directory.register.tie."+string(a.Kind))
		for _, p := range []string{a.Campus, a.Programme, a.Unit} {
			if p != "" {
				said += " · " + p
			}
		}
		parts = append(parts, said)
	}
	if at := untilTime(ties.Until); !at.IsZero() {
		parts = append(parts, t(ctx, "until", "day", i18n.Date(ctx, at.Add(-1), i18n.Day)))
	}
	return strings.Join(parts, ", ")
}

// act is a button of the page. Pressed twice, the page says how it stands.
func (y *Years) act(do func(*Years, context.Context, campus.Viewer, string) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		yearID := r.PathValue("id")
		if _, err := y.ByID(r.Context(), yearID); err != nil {
			return err
		}
		if err := do(y, r.Context(), web.Viewer(r), yearID); err != nil && !errors.Is(err, Settled) {
			return err
		}
		return web.SeeOther(w, r, "/directory/year/"+yearID)
	}
}
