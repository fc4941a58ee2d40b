package register

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// maxWords bounds a search.
const maxWords = 200

// runView is a run with a page of its report.
type runView struct {
	Run
	Name            string
	Asked, Released string // who
	Filter          Filter
	Lines           []Change
	Total           int
	Pages           ui.PagerProps
	Words           string
}

func (e *Engine) runPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	run, err := e.RunByID(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	view := runView{Run: run, Name: e.SourceName(ctx, run.Source), Filter: filterOf(r)}
	if view.Lines, view.Total, err = e.Report(ctx, run.ID, view.Filter); err != nil {
		return err
	}
	view.Pages = pager("/directory/runs/"+run.ID, view.Filter.query(), view.Filter.Page, view.Total)
	names, err := e.nameThem(ctx, run.AskedBy, run.ReleasedBy)
	if err != nil {
		return err
	}
	view.Asked, view.Released = names[run.AskedBy], names[run.ReleasedBy]
	return web.Render(w, r, http.StatusOK, runTempl(view))
}

// nameThem gives people their names; nobody has none.
func (e *Engine) nameThem(ctx context.Context, ids ...campus.PersonID) (map[campus.PersonID]string, error) {
	known, err := e.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	names := map[campus.PersonID]string{}
	for _, id := range ids {
		names[id] = string(id) // somebody whose account was deleted since
	}
	for id, k := range known {
		names[id] = strings.TrimSpace(k.Subject.GivenName + " " + k.Subject.FamilyName)
	}
	return names, nil
}

func filterOf(r *http.Request) Filter {
	q := r.URL.Query()
	words := q.Get("q")
	return Filter{Kind: q.Get("kind"), Words: strings.ToValidUTF8(words[:min(len(words), maxWords)], ""), Page: pageOf(r), PerPage: perPage}
}

func (f Filter) query() url.Values { return url.Values{"kind": {f.Kind}, "q": {f.Words}} }

// tabs choose a kind of line.
func (v runView) tabs(ctx context.Context) []ui.TabLink {
	var tabs []ui.TabLink
	for _, kind := range []struct {
		name  string
		count int64
	}{
		{"", 0}, {kindCreation, v.Counts.Creations}, {kindChange, v.Counts.Changes}, {kindDeparture, v.Counts.Departures}, {kindConflict, v.Counts.Conflicts}, {kindRefusal, v.Counts.Refusals},
	} {
		label := kind.name
		if label == "" {
			label = "all"
		}
		f := v.Filter
		f.Kind = kind.name
		tabs = append(tabs, ui.TabLink{
			Label: t(ctx, "kind."+label), URL: "/directory/runs/" + v.ID + "?" + f.query().Encode(), Current: v.Filter.Kind == kind.name,
			Count: int(kind.count), Counted: kind.name != "",
		})
	}
	return tabs
}

func (v runView) csvURL() string {
	return "/directory/runs/" + v.ID + "/report.csv?" + v.Filter.query().Encode()
}

func (v runView) facts(ctx context.Context) []ui.Fact {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	by := v.Asked
	if by == "" {
		by = t(ctx, "run.schedule")
	}
	facts := []ui.Fact{
		{Label: t(ctx, "column.state"), Body: ui.Tag(v.tone(), t(ctx, "state."+v.State))},
		{Label: t(ctx, "run.mode"), Text: t(ctx, "mode."+v.Mode)},
		{Label: t(ctx, "run.asked_by"), Text: by},
		{Label: t(ctx, "run.began"), Body: ui.When(v.Started, i18n.Full)},
	}
	if !v.Ended.IsZero() {
		facts = append(facts, ui.Fact{Label: t(ctx, "run.ended"), Text: i18n.Date(ctx, v.Ended, i18n.Full) + " (" + i18n.Of(ctx).Duration(v.Ended.Sub(v.Started).Round(time.Second)) + ")"})
	}
	if v.Released != "" {
		facts = append(facts, ui.Fact{Label: t(ctx, "run.released_by"), Text: v.Released})
	}
	facts = append(facts, ui.Fact{Label: t(ctx, "run.read"), Text: number(v.Counts.Read)}, ui.Fact{Label: t(ctx, "run.unchanged"), Text: number(v.Counts.Unchanged)})
	if !v.Dry && v.Counts.Planned > 0 {
		facts = append(facts, ui.Fact{Label: t(ctx, "run.written"), Text: t(ctx, "run.written_of", "applied", v.Counts.Applied, "planned", v.Counts.Planned)})
	}
	return facts
}

// underWay reports whether the run still moves.
func (v runView) underWay() bool { return v.State == Reading || v.State == Applying }

func (v runView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: t(ctx, "run.report"), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "column.name")}, {Label: t(ctx, "column.kind")}, {Label: t(ctx, "column.place")}, {Label: t(ctx, "column.detail")},
	}}
	for _, c := range v.Lines {
		name := c.Name
		if name == "" {
			name = c.Key
		}
		cell := ui.TextCell(name)
		if c.Person != "" && c.What == "person" {
			cell = ui.LinkCell(name, "/directory/people/"+string(c.Person))
		}
		place := c.Place
		if place == "" {
			place = c.Key
		}
		table.Rows = append(table.Rows, []ui.Cell{cell, ui.BodyCell(kindTag(c)), ui.TextCell(place), ui.BodyCell(detail(c))})
	}
	return table
}

// kindTone is the colour of a kind of line.
func kindTone(kind string) ui.Tone {
	switch kind {
	case kindCreation:
		return ui.Good
	case kindDeparture, kindConflict:
		return ui.Warn
	case kindRefusal:
		return ui.Bad
	default:
		return ""
	}
}

// valueWords says values as people read them.
func valueWords(ctx context.Context, f mapping.Field, values []string) string {
	if len(values) == 0 {
		return "–"
	}
	said := make([]string, len(values))
	for i, v := range values {
		said[i] = v
		switch f {
		case contract.FieldAffiliations:
			if a, ok := mapping.ParseAffiliation(v); ok {
				said[i] = joinWords(kindWord(ctx, a.Kind), a.Campus, a.Programme, a.Unit)
			}
		case contract.FieldUntil:
			k, at := parseUntil(v)
			said[i] = kindWord(ctx, k)
			if at.IsZero() {
				said[i] += " (" + t(ctx, "no_end") + ")"
			} else {
				said[i] += " (" + i18n.Date(ctx, at, i18n.Day) + ")"
			}
		}
	}
	return strings.Join(said, ", ")
}

// kindWord is what people call a kind of tie.
func kindWord(ctx context.Context, k campus.Kind) string { return t(ctx, "tie."+string(k)) }

func joinWords(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, " · ")
}

func (e *Engine) reportCSV(w http.ResponseWriter, r *http.Request) error {
	run, err := e.RunByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="directory-`+run.Source+`.csv"`)
	w.Header().Set("Cache-Control", "no-store")
	return e.WriteCSV(r.Context(), w, run.ID, filterOf(r))
}

func (e *Engine) releaseRun(w http.ResponseWriter, r *http.Request) error {
	return e.settleRun(w, r, e.Release, "directory.register.run.released")
}

func (e *Engine) dropRun(w http.ResponseWriter, r *http.Request) error {
	return e.settleRun(w, r, e.Drop, "directory.register.run.dropped")
}

func (e *Engine) settleRun(w http.ResponseWriter, r *http.Request, do func(context.Context, campus.Viewer, string) error, said string) error {
	id := r.PathValue("id")
	if _, err := e.RunByID(r.Context(), id); err != nil {
		return err
	}
	err := do(r.Context(), web.Viewer(r), id)
	if err != nil && !errors.Is(err, RunSettled) { // pressed twice: the page says how it stands
		return err
	}
	if err == nil {
		web.Flash(w, r, said)
	}
	return web.SeeOther(w, r, "/directory/runs/"+id)
}
