package figures

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// The periods that have a name, in days up to today.
var periods = []struct {
	key  string
	days hours.Date
}{{"week", 7}, {"month", 30}, {"term", 120}, {"year", 365}}

// longest is how many days a page adds up.
const longest = 1100

// asked is what the address of the page says.
type asked struct {
	Period      string
	First, Last string // of a period of one's own
	Queue       string
	Campus      string
}

func (a asked) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"period": a.Period, "first": a.First, "last": a.Last, "queue": a.Queue, "campus": a.Campus} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// read is the scope that somebody asks for, as far as they may read.
func (x *Figures) read(r *http.Request) (asked, Scope, web.Problems) {
	q := r.URL.Query()
	a := asked{Period: q.Get("period"), First: q.Get("first"), Last: q.Get("last"), Queue: q.Get("queue"), Campus: q.Get("campus")}
	for _, text := range []*string{&a.First, &a.Last, &a.Queue, &a.Campus} {
		*text = strings.ToValidUTF8(strings.ReplaceAll(*text, "\x00", ""), "")
	}
	today := hours.DateIn(x.Clock.Now(), x.Zone)
	var problems web.Problems
	s := Scope{First: today - 29, Last: today, Queue: a.Queue, Campus: a.Campus}
	if a.Period == "own" {
		first, err := hours.ParseDate(a.First)
		if err != nil {
			problems.Add("first", "helpdesk.figures.date_unfit")
		}
		last, err := hours.ParseDate(a.Last)
		if err != nil {
			problems.Add("last", "helpdesk.figures.date_unfit")
		}
		if !problems.Any() && (last < first || last-first >= longest || first < 0) {
			problems.Add("last", "helpdesk.figures.span_unfit", "most", longest)
		}
		if !problems.Any() {
			s.First, s.Last = first, last
		}
	} else {
		i := slices.IndexFunc(periods, func(p struct {
			key  string
			days hours.Date
		}) bool {
			return p.key == a.Period
		})
		if i < 0 {
			i, a.Period = 1, "month"
		}
		a.First, a.Last = "", ""
		s.First = today - periods[i].days + 1
	}
	v := web.Viewer(r)
	if !v.Can(campus.RightDesks) {
		if everywhere, mandates := v.Scope(campus.RightHelpdesk); !everywhere {
			s.within = []string{}
			for _, m := range mandates {
				if m.Campus != "" && m.Programme == "" && m.Unit == "" {
					s.within = append(s.within, m.Campus)
				}
			}
		}
	}
	return a, s, problems
}

// figuresView is the page.
type figuresView struct {
	Asked    asked
	Queues   []ui.Option
	Campuses []ui.Option
	Periods  []ui.TabLink
	Sections []section
	Title    string // of the period
	Runs     bool   // may have everything counted anew
	Problems web.Problems
}

func (x *Figures) page(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, s, problems := x.read(r)
	sections, err := x.sections(ctx, s)
	if err != nil {
		return err
	}
	v := figuresView{
		Asked: a, Sections: sections, Problems: problems, Runs: web.Viewer(r).Can(campus.RightDesks),
		Title: i18n.T(ctx, "helpdesk.figures.span", "first", i18n.Date(ctx, s.First.Time(), i18n.Day), "last", i18n.Date(ctx, s.Last.Time(), i18n.Day)),
	}
	for _, p := range periods {
		link := a
		link.Period, link.First, link.Last = p.key, "", ""
		v.Periods = append(v.Periods, ui.TabLink{Label: i18n.T(ctx, "helpdesk.figures.period."+p.key), URL: "/helpdesk/figures?" + link.query().Encode(), Current: p.key == a.Period})
	}
	queues, err := x.Tickets.Queues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if s.within == nil || slices.Contains(s.within, q.Campus) {
			v.Queues = append(v.Queues, ui.Option{Value: q.ID, Label: q.Name(i18n.Locale(ctx))})
		}
	}
	for _, p := range x.Places.Campuses() {
		if s.within == nil || slices.Contains(s.within, p.Code) {
			v.Campuses = append(v.Campuses, ui.Option{Value: p.Code, Label: p.Name(i18n.Locale(ctx))})
		}
	}
	status := http.StatusOK
	if problems.Any() {
		status = http.StatusUnprocessableEntity
	}
	return web.Render(w, r, status, figuresTempl(v))
}

// sections adds up and words everything that the page shows.
func (x *Figures) sections(ctx context.Context, s Scope) ([]section, error) {
	now, err := x.Report(ctx, s)
	if err != nil {
		return nil, err
	}
	before, err := x.Report(ctx, s.before())
	if err != nil {
		return nil, err
	}
	return x.word(ctx, now, before)
}

// file sends one of the tables.
func (x *Figures) file(w http.ResponseWriter, r *http.Request) error {
	name, ok := strings.CutSuffix(r.PathValue("table"), ".csv")
	if !ok {
		return web.PageMissing
	}
	_, s, problems := x.read(r)
	if problems.Any() {
		return web.PageMissing
	}
	sections, err := x.sections(r.Context(), s)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sections, func(one section) bool { return one.ID == name })
	if i < 0 {
		return web.PageMissing
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s-%s.csv"`, name, s.First, s.Last))
	file := table.NewWriter(w)
	if err := file.WriteAll(append([][]string{sections[i].Columns}, sections[i].Rows...)); err != nil {
		return fmt.Errorf("send figures: %w", err)
	}
	return nil
}

// recount has everything counted anew.
func (x *Figures) recount(w http.ResponseWriter, r *http.Request) error {
	if err := x.MarkAll(r.Context()); err != nil {
		return err
	}
	err := x.DB.InTx(r.Context(), func(tx db.Tx) error {
		return jobs.Enqueue(r.Context(), tx, refresh{}, jobs.UniqueKey("all"))
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.figures.recounting")
	return web.SeeOther(w, r, "/helpdesk/figures")
}
