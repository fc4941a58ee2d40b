package year

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// Routes lists the addresses of the alcove.
func (y *Years) Routes(r *web.Router) {
	keeper := web.Needs(campus.RightDirectory)
	r.Handle("GET /directory/year", y.yearsPage, keeper)
	r.Handle("POST /directory/year", y.prepareForm, keeper)
	r.Handle("GET /directory/year/{id}", y.yearPage, keeper)
	r.Handle("POST /directory/year/{id}/apply", y.act((*Years).Apply), keeper)
	r.Handle("POST /directory/year/{id}/undo", y.act((*Years).Undo), keeper)
	r.Handle("POST /directory/year/{id}/drop", y.act((*Years).Drop), keeper)
}

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "directory.year."+key, pairs...)
}

// yearForm is what somebody types to prepare a change.
type yearForm struct{ Name, Moves, Ends string }

// yearsView is the page with the form and the earlier changes.
type yearsView struct {
	Form     yearForm
	Problems web.Problems
	Years    []Year
	// Programmes are those that have names, as a help.
	Programmes []string
}

// The bounds of the form.
const (
	maxName  = 100
	maxMoves = 20_000
)

func (y *Years) yearsPage(w http.ResponseWriter, r *http.Request) error {
	return y.showYears(w, r, http.StatusOK, yearForm{}, nil)
}

func (y *Years) showYears(w http.ResponseWriter, r *http.Request, status int, form yearForm, problems web.Problems) error {
	list, err := y.All(r.Context())
	if err != nil {
		return err
	}
	view := yearsView{Form: form, Problems: problems, Years: list}
	if y.Places != nil {
		for _, p := range y.Places.Programmes() {
			view.Programmes = append(view.Programmes, p.Code+" ("+p.Name(i18n.Locale(r.Context()))+")")
		}
	}
	return web.Render(w, r, status, yearsTempl(view))
}

func (y *Years) prepareForm(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	form := yearForm{Name: strings.TrimSpace(values.Get("name")), Moves: values.Get("moves"), Ends: values.Get("ends")}
	var problems web.Problems
	if form.Name == "" || len(form.Name) > maxName {
		problems.Add("name", "directory.year.form.name_wrong", "limit", maxName)
	}
	moves, wrong := ParseMoves(form.Moves)
	switch {
	case wrong > 0:
		problems.Add("moves", "directory.year.form.line_wrong", "line", wrong)
	case len(moves) == 0 || len(form.Moves) > maxMoves:
		problems.Add("moves", "directory.year.form.moves_wrong")
	}
	ends, err := time.ParseInLocation(time.DateOnly, form.Ends, y.Zone)
	if err != nil || ends.Year() < 2000 || ends.Year() > 2200 {
		problems.Add("ends", "directory.year.form.ends_wrong")
	}
	if problems.Any() {
		return y.showYears(w, r, http.StatusUnprocessableEntity, form, problems)
	}
	// The last day counts: the registration is over at the midnight after it.
	yearID, err := y.Prepare(r.Context(), web.Viewer(r), form.Name, moves, ends.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, "/directory/year/"+yearID)
}

func tone(state string) ui.Tone {
	switch state {
	case Done:
		return ui.Good
	case Ready:
		return ui.Warn
	default:
		return ""
	}
}

func (v yearsView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: t(ctx, "earlier"), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "form.name")}, {Label: t(ctx, "column.state")}, {Label: t(ctx, "column.made")},
		{Label: t(ctx, "kind.promotion"), Number: true}, {Label: t(ctx, "kind.departure"), Number: true}, {Label: t(ctx, "kind.arrival"), Number: true},
	}}
	for _, y := range v.Years {
		number := func(n int64) ui.Cell { return ui.TextCell(strconv.FormatInt(n, 10)) }
		table.Rows = append(table.Rows, []ui.Cell{
			ui.LinkCell(y.Name, "/directory/year/"+y.ID), ui.BodyCell(ui.Tag(tone(y.State), t(ctx, "state."+y.State))), ui.BodyCell(ui.When(y.Made, i18n.Ago)),
			number(y.Promotions), number(y.Departures), number(y.Arrivals),
		})
	}
	return table
}
