package counter

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// pastURL is where visits of the past are counted.
const pastURL = "/helpdesk/visits"

// pastView is what the counters of an agent did in a period.
type pastView struct {
	Counters    []ui.Option
	Code        string
	First, Last string
	Table       ui.TableProps
	Empty       bool
	File        string
	Problems    web.Problems
}

// askedPeriod reads the days and the counter of an address: the last thirty days and
// all counters unless it says otherwise.
func (x *Reception) askedPeriod(r *http.Request) (period, web.Problems) {
	q := r.URL.Query()
	today := hours.DateIn(x.Clock.Now(), x.Zone)
	p := period{First: today - 29, Last: today, Code: q.Get("counter")}
	var problems web.Problems
	for field, day := range map[string]*hours.Date{"first": &p.First, "last": &p.Last} {
		if q.Get(field) == "" {
			continue
		}
		d, err := hours.ParseDate(q.Get(field))
		if err != nil || d < hours.On(2000, time.January, 1) || d > hours.On(2199, time.December, 31) {
			problems.Add(field, "helpdesk.counter.problem.day")
			continue
		}
		*day = d
	}
	if !problems.Any() && (p.Last < p.First || p.Last-p.First >= longestPeriod) {
		problems.Add("last", "helpdesk.counter.problem.period", "most", longestPeriod)
	}
	return p, problems
}

// chosen are the counters of a period among those that somebody may count.
func (x *Reception) chosen(r *http.Request, p period) (all, chosen []Desk, err error) {
	all, err = x.mine(r.Context(), web.Viewer(r))
	if err != nil || p.Code == "" {
		return all, all, err
	}
	i := slices.IndexFunc(all, func(d Desk) bool { return d.Code == p.Code })
	if i < 0 {
		return nil, nil, Missing
	}
	return all, all[i : i+1], nil
}

func (x *Reception) pastPage(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	p, problems := x.askedPeriod(r)
	all, chosen, err := x.chosen(r, p)
	if err != nil {
		return err
	}
	view := pastView{Code: p.Code, First: p.First.String(), Last: p.Last.String(), Problems: problems, Empty: true}
	for _, d := range all {
		view.Counters = append(view.Counters, ui.Option{Value: d.Code, Label: x.where(l, d)})
	}
	if problems.Any() {
		view.First, view.Last = r.URL.Query().Get("first"), r.URL.Query().Get("last")
		return web.Render(w, r, http.StatusUnprocessableEntity, pastTempl(view))
	}
	view.File = pastURL + ".csv?" + url.Values{"first": {view.First}, "last": {view.Last}, "counter": {p.Code}}.Encode()
	view.Table = ui.TableProps{Caption: t(ctx, "past.title"), QuietCaption: true, Columns: []ui.Column{{Label: t(ctx, "past.counter")}}}
	for _, key := range []string{"appointments", "numbers", "absent", "waited", "served"} {
		view.Table.Columns = append(view.Table.Columns, ui.Column{Label: t(ctx, "past."+key), Number: true})
	}
	for _, d := range chosen {
		var sum total
		if err := x.pastOf(ctx, d, p, func(one past) error {
			sum.add(one)
			return nil
		}); err != nil {
			return err
		}
		view.Empty = view.Empty && sum.Appointments+sum.Numbers == 0
		view.Table.Rows = append(view.Table.Rows, []ui.Cell{
			ui.TextCell(x.where(l, d)), ui.TextCell(strconv.Itoa(sum.Appointments)), ui.TextCell(strconv.Itoa(sum.Numbers)), ui.TextCell(strconv.Itoa(sum.Absent)),
			ui.TextCell(middleText(ctx, sum.waits)), ui.TextCell(middleText(ctx, sum.lengths)),
		})
	}
	return web.Render(w, r, http.StatusOK, pastTempl(view))
}

func middleText(ctx context.Context, list []time.Duration) string {
	d, ok := middle(list)
	switch {
	case !ok:
		return "–"
	case d < time.Minute:
		return t(ctx, "past.moment")
	}
	return i18n.Of(ctx).Duration(d)
}

// pastFile is a line for each visit of a period: when and what for, how long they
// waited and were helped, in minutes. It says nothing about who it was.
func (x *Reception) pastFile(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	p, problems := x.askedPeriod(r)
	if problems.Any() {
		return web.PageMissing
	}
	_, chosen, err := x.chosen(r, p)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="visits-%s-%s.csv"`, p.First, p.Last))
	w.Header().Set("Cache-Control", "private, no-store")
	file := table.NewWriter(w)
	var head []string
	for _, key := range []string{"day", "counter", "campus", "kind", "reason", "state", "waited_minutes", "served_minutes"} {
		head = append(head, t(ctx, "past."+key))
	}
	if err := file.Write(head); err != nil {
		return fmt.Errorf("send visits: %w", err)
	}
	for _, d := range chosen {
		name, place := d.Name.In(l), x.campusName(l, d.Campus)
		if err := x.pastOf(ctx, d, p, func(one past) error {
			kind, waited, served := t(ctx, "past.by_number"), "", ""
			if one.Kind == byAppointment {
				kind = t(ctx, "past.by_appointment")
			}
			if one.Helped {
				waited = minutes(one.Waited)
			}
			if one.Finished {
				served = minutes(one.Served)
			}
			reason, _ := d.Purpose(one.Purpose) // one that was removed has no name
			return file.Write([]string{one.Day.String(), name, place, kind, reason.Name.In(l), t(ctx, "state."+string(one.State)), waited, served})
		}); err != nil {
			return err
		}
	}
	file.Flush()
	if err := file.Error(); err != nil {
		return fmt.Errorf("send visits: %w", err)
	}
	return nil
}

func minutes(d time.Duration) string { return strconv.Itoa(int(math.Round(d.Minutes()))) }
