package risk

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/rule"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// defaultDays is what a trial looks back when nobody says.
const defaultDays = 7

// riskForm is what is tried; its texts come back as they were typed.
type riskForm struct {
	Days, Ask, Lock string
	Points          map[string]string
}

// formOf fills the form with numbers.
func formOf(t Trial, days int) riskForm {
	f := riskForm{Days: strconv.Itoa(days), Ask: strconv.Itoa(t.AskFactor), Lock: strconv.Itoa(t.Lock), Points: map[string]string{}}
	for name, points := range t.Points {
		f.Points[name] = strconv.Itoa(points)
	}
	return f
}

// readRiskForm reads what the address says over the numbers in force.
func readRiskForm(values url.Values, inForce Trial) (f riskForm, t Trial, days int, problems web.Problems) {
	f = formOf(inForce, defaultDays)
	t = Trial{Points: map[string]int{}}
	read := func(name string, into *string, smallest, largest int) int {
		if values.Has(name) {
			*into = values.Get(name)
		}
		n, err := strconv.Atoi(strings.TrimSpace(*into))
		if err != nil || n < smallest || n > largest {
			problems.Add(name, "identity.risk.problem.number", "least", smallest, "most", largest)
		}
		return n
	}
	days = read("days", &f.Days, 1, mostDays)
	t.AskFactor = read("ask", &f.Ask, 0, most)
	t.Lock = read("lock", &f.Lock, 0, most)
	for _, r := range rule.All {
		if r.Fixed {
			continue
		}
		text := f.Points[r.Name]
		t.Points[r.Name] = read(r.Name, &text, 0, most)
		f.Points[r.Name] = text
	}
	if !problems.Any() && t.Lock > 0 && t.Lock < t.AskFactor {
		problems.Add("lock", "identity.risk.problem.order")
	}
	return f, t, days, problems
}

// riskView is the page of the rules.
type riskView struct {
	Form     riskForm
	Problems web.Problems
	InForce  Trial
	Tried    bool // other numbers than those in force
	Result   Result
	Alarms   []Alarm
	LockedBy int // accounts that are locked now
}

func (x *Risk) riskPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := riskView{InForce: x.InForce()}
	var t Trial
	var days int
	v.Form, t, days, v.Problems = readRiskForm(r.URL.Query(), v.InForce)
	status := http.StatusOK
	if v.Problems.Any() {
		status, t, days = http.StatusUnprocessableEntity, v.InForce, defaultDays
	}
	v.Tried = t.TOML() != v.InForce.TOML()
	var err error
	if v.Result, err = x.Try(ctx, t, days); err != nil {
		return err
	}
	if v.Alarms, err = x.Alarms(ctx); err != nil {
		return err
	}
	locked, err := sqlgen.New(x.DB.Read()).CountLocked(ctx, db.At(x.Clock.Now()))
	if err != nil {
		return err
	}
	v.LockedBy = int(locked)
	return web.Render(w, r, status, riskTempl(v))
}

// ruleRows are the lines of the table of rules.
func (v riskView) ruleRows(ctx context.Context) [][]ui.Cell {
	var rows [][]ui.Cell
	for _, r := range rule.All {
		points := i18n.T(ctx, "identity.risk.never_counts")
		switch n := v.InForce.Points[r.Name]; {
		case r.Fixed:
		case n == 0:
			points = i18n.T(ctx, "identity.risk.off")
		default:
			points = strconv.Itoa(n)
		}
		rows = append(rows, []ui.Cell{{Body: ruleTempl(r.Name)}, ui.TextCell(points), ui.TextCell(strconv.Itoa(v.Result.Rules[r.Name]))})
	}
	return rows
}

// kindRows are the lines of the table of affiliations.
func (v riskView) kindRows(ctx context.Context) [][]ui.Cell {
	var rows [][]ui.Cell
	for _, k := range v.Result.Kinds {
		rows = append(rows, []ui.Cell{ui.TextCell(kindWords(ctx, k.Kind)), ui.TextCell(strconv.Itoa(k.Asked)), ui.TextCell(strconv.Itoa(k.Locked))})
	}
	return rows
}

func kindWords(ctx context.Context, kind string) string {
	if kind == "" {
		kind = "none"
	}
	return i18n.T(ctx, "identity.risk.kind."+kind)
}

// sampleRows are the lines of the table of sign-ins.
func (v riskView) sampleRows(ctx context.Context) [][]ui.Cell {
	var rows [][]ui.Cell
	for _, s := range v.Result.Samples {
		var fired []string
		for _, name := range s.Fired {
			fired = append(fired, i18n.T(ctx, "identity.risk.rule."+name+".title"))
		}
		act, end := "asked", "open"
		if s.Act == Lock {
			act = "locked"
		}
		switch {
		case s.In && s.Proved:
			end = "proved"
		case s.In:
			end = "in"
		}
		rows = append(rows, []ui.Cell{
			ui.TextCell(s.Incident), {Body: ui.When(s.At, i18n.Moment)}, ui.TextCell(kindWords(ctx, s.Kind)), ui.TextCell(strings.Join(fired, ", ")),
			ui.TextCell(strconv.Itoa(s.Score)), ui.TextCell(i18n.T(ctx, "identity.risk.act."+act)), ui.TextCell(i18n.T(ctx, "identity.risk.end."+end)),
		})
	}
	return rows
}

// alarmRow words an attack that goes on.
func alarmRow(ctx context.Context, a Alarm) ui.RowProps {
	p := ui.RowProps{Icon: "warning", Tag: i18n.T(ctx, "identity.risk.alarm.now"), Tone: ui.Bad}
	if a.Everywhere {
		p.Title = i18n.T(ctx, "identity.risk.alarm.everywhere", "networks", a.Networks)
	} else {
		p.Title = i18n.T(ctx, "identity.risk.alarm.network", "network", a.Network)
		if name := a.Place.Name(i18n.Locale(ctx)); name != "" {
			p.Title += " (" + name + ")"
		}
	}
	p.Detail = i18n.T(ctx, "identity.risk.alarm.detail", "accounts", a.Accounts, "since", a.Since, "last", a.LastAt)
	return p
}
