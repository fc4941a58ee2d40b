package figures

import (
	"cmp"
	"context"
	"math"
	"strconv"
	"time"

	placed "github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/ui"
)

// section is one table, with the chart that is drawn of it. The page and the file
// are made of the same rows.
type section struct {
	ID, Title, Note string
	Columns         []string
	Rows            [][]string
	Chart           chart
}

// chart is what is drawn of a section.
type chart struct {
	Bars  []bar   // standing, one for each day
	Line  []point // through the days
	Lying []bar   // one for each row
	Heat  [7][24]int
	Hot   bool
	Most  int // what the highest stands for
	From  string
	Until string
}

// bar is one bar, in the units of the drawing. Beside is that of a second count.
type bar struct {
	X, Y, Width, Height float64
	Second              bool
	Words               string
}

type point struct{ X, Y float64 }

// The size of a drawing.
const (
	chartWidth  = 720.0
	chartHeight = 160.0
)

// t words a key of the alcove.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "helpdesk.figures."+key, pairs...)
}

// word makes the sections of a report, compared with the one before.
func (x *Figures) word(ctx context.Context, now, before Report) ([]section, error) {
	queues, err := x.Tickets.Queues(ctx)
	if err != nil {
		return nil, err
	}
	named := map[string]string{}
	for _, q := range queues {
		named[q.ID] = q.Name(i18n.Locale(ctx))
	}
	list := []section{summary(ctx, now, before), days(ctx, now), backlog(ctx, now)}
	for _, b := range []struct {
		id              string
		counts, earlier map[string]int
		name            func(string) string
	}{
		{"queues", now.Queues, before.Queues, func(key string) string { return cmp.Or(named[key], key) }},
		{"campuses", now.Campuses, before.Campuses, func(key string) string {
			if key == "" {
				return t(ctx, "no_campus")
			}
			return placed.NameOf(x.Places.Campuses(), key, i18n.Locale(ctx))
		}},
		{"areas", now.All.Areas, before.All.Areas, func(key string) string { return i18n.T(ctx, "helpdesk.area."+key) }},
		{"services", now.All.Services, before.All.Services, func(key string) string {
			name, _ := x.Services.ServiceCalled(ctx, key)
			return cmp.Or(name, key)
		}},
		{"reasons", now.All.Reasons, before.All.Reasons, func(key string) string {
			if p := i18n.Of(ctx); p != nil && p.Has(key+".title") {
				return p.T(key+".title") + " (" + key + ")"
			}
			return key
		}},
		{"channels", now.All.Channels, before.All.Channels, func(key string) string { return i18n.T(ctx, "helpdesk.channel."+key) }},
	} {
		list = append(list, shares(ctx, b.id, b.counts, b.earlier, now.All.Opened, b.name))
	}
	return append(list, week(ctx, now)), nil
}

// shareOf is a percentage, or a dash of nothing.
func shareOf(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return strconv.Itoa(int(math.Round(100*float64(part)/float64(whole)))) + " %"
}

// summary is the table of the main figures, and of those before.
func summary(ctx context.Context, now, before Report) section {
	s := section{ID: "summary", Title: t(ctx, "summary.title"), Columns: []string{t(ctx, "summary.figure"), t(ctx, "summary.now"), t(ctx, "summary.before")}}
	row := func(key string, of func(Report) string) {
		s.Rows = append(s.Rows, []string{t(ctx, "summary."+key), of(now), of(before)})
	}
	// What fewer than five people met with would tell of each of them.
	enough := func(cases int, said func() string) string {
		if cases < few {
			return t(ctx, "too_few")
		}
		return said()
	}
	lasted := func(times map[int]int, cases int, share float64) string {
		return enough(cases, func() string { return spoken(ctx, percentile(times, share)) })
	}
	row("opened", func(r Report) string { return strconv.Itoa(r.All.Opened) })
	row("solved", func(r Report) string { return strconv.Itoa(r.All.Solved) })
	row("backlog", func(r Report) string { return strconv.Itoa(r.Backlog()) })
	row("answer_median", func(r Report) string { return lasted(r.All.Answers, r.All.Answered, .5) })
	row("answer_late", func(r Report) string { return lasted(r.All.Answers, r.All.Answered, .8) })
	row("solve_median", func(r Report) string { return lasted(r.All.Solution, r.All.Solved, .5) })
	row("solve_late", func(r Report) string { return lasted(r.All.Solution, r.All.Solved, .8) })
	row("answer_kept", func(r Report) string {
		return enough(r.All.AnswerDue, func() string { return shareOf(r.All.AnswerKept, r.All.AnswerDue) })
	})
	row("solve_kept", func(r Report) string {
		return enough(r.All.SolveDue, func() string { return shareOf(r.All.SolveKept, r.All.SolveDue) })
	})
	row("reopened", func(r Report) string {
		return enough(r.All.Solved, func() string { return shareOf(r.All.Reopened, r.All.Solved) })
	})
	rated := func(r Report) int {
		return r.All.Ratings[ticket.RatedNo] + r.All.Ratings[ticket.RatedPartly] + r.All.Ratings[ticket.RatedYes]
	}
	row("satisfied", func(r Report) string {
		return enough(rated(r), func() string { return shareOf(r.All.Ratings[ticket.RatedYes], rated(r)) })
	})
	row("rated", func(r Report) string { return told(rated(r)) })
	row("spent", func(r Report) string { return spent(ctx, r.All.Minutes) })
	return s
}

// spoken is a duration in opening hours: days of the clock would mislead, so that a
// long one is said in hours.
func spoken(ctx context.Context, d time.Duration) string {
	switch {
	case d < time.Minute:
		return t(ctx, "moment")
	case d >= 2*24*time.Hour:
		return i18n.T(ctx, "platform.time.hours", "count", int(d.Round(time.Hour)/time.Hour))
	}
	return i18n.Of(ctx).Duration(d)
}

// spent is time that agents noted: none is none.
func spent(ctx context.Context, minutes int) string {
	if minutes == 0 {
		return "–"
	}
	return spoken(ctx, time.Duration(minutes)*time.Minute)
}

// steps puts days together, so that at most sixty are drawn.
func steps(list []dayCount) (parts []dayCount, length int) {
	for length = 1; len(list)/length > 62; {
		if length == 1 {
			length = 7
		} else {
			length += 7
		}
	}
	for i := 0; i < len(list); i += length {
		part := dayCount{Day: list[i].Day}
		for _, d := range list[i:min(len(list), i+length)] {
			part.Opened, part.Solved, part.Backlog = part.Opened+d.Opened, part.Solved+d.Solved, d.Backlog
		}
		parts = append(parts, part)
	}
	return parts, length
}

func days(ctx context.Context, r Report) section {
	parts, length := steps(r.Days)
	s := section{ID: "days", Title: t(ctx, "days.title"), Columns: []string{t(ctx, "days.day"), t(ctx, "days.opened"), t(ctx, "days.solved")}}
	if length > 1 {
		s.Note = t(ctx, "days.together", "count", length)
	}
	for _, d := range parts {
		s.Chart.Most = max(s.Chart.Most, d.Opened, d.Solved)
		s.Rows = append(s.Rows, []string{d.Day.String(), strconv.Itoa(d.Opened), strconv.Itoa(d.Solved)})
	}
	room := chartWidth / float64(max(1, len(parts)))
	for i, d := range parts {
		for second, n := range []int{d.Opened, d.Solved} {
			height := chartHeight * float64(n) / float64(max(1, s.Chart.Most))
			s.Chart.Bars = append(s.Chart.Bars, bar{X: float64(i)*room + room*(.1+.4*float64(second)), Y: chartHeight - height, Width: room * .4, Height: height, Second: second == 1})
		}
	}
	s.Chart.From, s.Chart.Until = ends(ctx, r)
	return s
}

func ends(ctx context.Context, r Report) (from, until string) {
	return i18n.Date(ctx, r.Scope.First.Time(), i18n.Day), i18n.Date(ctx, r.Scope.Last.Time(), i18n.Day)
}

func backlog(ctx context.Context, r Report) section {
	parts, _ := steps(r.Days)
	s := section{ID: "backlog", Title: t(ctx, "backlog.title"), Columns: []string{t(ctx, "days.day"), t(ctx, "backlog.open")}}
	for _, d := range parts {
		s.Chart.Most = max(s.Chart.Most, d.Backlog)
		s.Rows = append(s.Rows, []string{d.Day.String(), strconv.Itoa(d.Backlog)})
	}
	for i, d := range parts {
		s.Chart.Line = append(s.Chart.Line, point{chartWidth * float64(i) / float64(max(1, len(parts)-1)), chartHeight * (1 - float64(max(0, d.Backlog))/float64(max(1, s.Chart.Most)))})
	}
	s.Chart.From, s.Chart.Until = ends(ctx, r)
	return s
}

// mostShares is how many lines a breakdown has.
const mostShares = 15

func shares(ctx context.Context, id string, counts, earlier map[string]int, all int, name func(string) string) section {
	s := section{ID: id, Title: t(ctx, id+".title"), Columns: []string{t(ctx, id+".of"), t(ctx, "days.opened"), t(ctx, "share"), t(ctx, "summary.before")}}
	list := breakdown(counts, mostShares)
	for _, one := range list {
		s.Chart.Most = max(s.Chart.Most, one.Count)
	}
	for _, one := range list {
		label, then := t(ctx, "rare"), "–"
		if !one.Rare {
			label, then = name(one.Key), told(earlier[one.Key])
		}
		share := shareOf(one.Count, all)
		if one.Count < few {
			share = "–"
		}
		s.Rows = append(s.Rows, []string{label, told(one.Count), share, then})
		width := float64(max(one.Count, 1))
		if one.Count < few {
			width = few // no bar is so exact that it could be measured
		}
		s.Chart.Lying = append(s.Chart.Lying, bar{Width: chartWidth * min(1, width/float64(max(few, s.Chart.Most))), Words: t(ctx, "bar", "label", label, "number", told(one.Count))})
	}
	return s
}

// week is when people ask, by hour and day of the week.
func week(ctx context.Context, r Report) section {
	s := section{ID: "hours", Title: t(ctx, "hours.title"), Note: t(ctx, "hours.note"), Columns: []string{t(ctx, "hours.hour")}, Chart: chart{Hot: true}}
	for day := range 7 {
		s.Columns = append(s.Columns, t(ctx, "hours.day_"+strconv.Itoa(day+1)))
	}
	for hour := range 24 {
		row := []string{strconv.Itoa(hour) + ":00"}
		for day := range 7 {
			n := r.All.Hours[day*24+hour]
			s.Chart.Heat[day][hour] = n
			s.Chart.Most = max(s.Chart.Most, n)
			row = append(row, told(n))
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// warmth is how dark a field of the week is, from 0 to 5.
func (c chart) warmth(day, hour int) string {
	n := c.Heat[day][hour]
	if n == 0 {
		return "warm warm-0"
	}
	if n < few {
		return "warm warm-1"
	}
	return "warm warm-" + strconv.Itoa(1+int(math.Ceil(4*float64(n)/float64(max(1, c.Most)))))
}

// path is the line of a chart.
func (c chart) path() string {
	text := ""
	for i, p := range c.Line {
		if i > 0 {
			text += " "
		}
		text += units(p.X) + "," + units(p.Y)
	}
	return text
}

func units(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }

// table is the section for the page.
func (s section) table() ui.TableProps {
	p := ui.TableProps{Caption: s.Title, QuietCaption: true}
	for i, c := range s.Columns {
		p.Columns = append(p.Columns, ui.Column{Label: c, Number: i > 0})
	}
	for _, row := range s.Rows {
		cells := make([]ui.Cell, len(row))
		for i, text := range row {
			cells[i] = ui.TextCell(text)
		}
		p.Rows = append(p.Rows, cells)
	}
	return p
}
