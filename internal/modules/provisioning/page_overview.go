package provisioning

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// states lists the states in the order in which pages show them.
var states = []contract.AccountState{contract.AccountReady, contract.AccountQueued, contract.AccountBlocked, contract.AccountLeaving, contract.AccountNotDue}

// targetView is how the work on one target goes.
type targetView struct {
	ID, Name, Kind string
	State          string
	Tone           ui.Tone
	Counts         []ui.TabLink // by state, each a filter of the list
	Facts          []ui.Fact
	Paused, Braked bool
	Waiting        int64 // closures
	Admin          bool
}

// overviewView is all targets.
type overviewView struct {
	Targets   []targetView
	Pretended bool
	Noted     int64 // people who are still to be looked at
	Removals  int64 // accounts of people who were erased, which are still there
}

// overviewPage shows how the work on every target goes.
func (m *Module) overviewPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	desks, err := m.ledger.Desks(ctx)
	if err != nil {
		return err
	}
	counts, err := m.ledger.States(ctx)
	if err != nil {
		return err
	}
	view := overviewView{Pretended: m.Pretended}
	if view.Noted, err = m.ledger.CountNoted(ctx); err != nil {
		return err
	}
	if web.Viewer(r).Can(campus.RightAdmin) {
		if _, view.Removals, err = m.ledger.OpenRemovals(ctx, 0, 0); err != nil {
			return err
		}
	}
	for _, s := range m.services {
		one, err := m.targetView(ctx, web.Viewer(r), s, desks[s.Service.ID], counts[s.Service.ID])
		if err != nil {
			return err
		}
		view.Targets = append(view.Targets, one)
	}
	return web.Render(w, r, http.StatusOK, overviewTempl(view))
}

func (m *Module) targetView(ctx context.Context, v campus.Viewer, s *service, desk ledger.Desk, counts map[contract.AccountState]int64) (targetView, error) {
	one := targetView{
		ID: s.Service.ID, Name: m.name(ctx, s), Kind: t(ctx, "target_kind."+s.Kind), Paused: desk.Paused(), Braked: desk.Braked(), Admin: v.Can(campus.RightAdmin),
	}
	state, tone := m.deskState(ctx, desk)
	one.State, one.Tone = state, ui.Tone(tone)
	for _, st := range states {
		one.Counts = append(one.Counts, ui.TabLink{Label: stateWord(ctx, st), URL: "/provisioning/targets/" + one.ID + "?state=" + string(st), Count: int(counts[st]), Counted: true})
	}
	queue, err := m.ledger.Queue(ctx, one.ID)
	if err != nil {
		return one, err
	}
	closures, err := m.ledger.Closures(ctx, one.ID)
	if err != nil {
		return one, err
	}
	one.Waiting = closures.Waiting
	fact := func(key, text string) {
		if text != "" {
			one.Facts = append(one.Facts, ui.Fact{Label: t(ctx, "fact."+key), Text: text})
		}
	}
	when := func(key string, at time.Time) {
		if !at.IsZero() {
			one.Facts = append(one.Facts, ui.Fact{Label: t(ctx, "fact."+key), Body: ui.When(at, i18n.Ago)})
		}
	}
	fact("kind", one.Kind)
	fact("address", s.TargetConfig.URL)
	fact("rule", m.ruleWords(ctx, s.TargetConfig.Rule))
	fact("decides", s.decides(ctx))
	fact("told", toldWords(ctx, s.Told))
	fact("queue", strconv.FormatInt(queue, 10))
	if pace := desk.Pace(); pace > 0 {
		fact("pace", t(ctx, "overview.pace", "number", perSecond(ctx, pace)))
	}
	when("answered", desk.AnsweredAt.Time())
	when("away", desk.OpenedAt.Time())
	when("probe", desk.ProbeAt.Time())
	if desk.Reason != "" && v.Can(campus.RightAdmin) {
		fact("last_error", told(ctx, desk.Reason, desk.Detail))
	}
	when("paused", desk.PausedAt.Time())
	return one, m.reportFacts(ctx, &one, desk)
}

// reportFacts adds what the last comparison found.
func (m *Module) reportFacts(ctx context.Context, one *targetView, desk ledger.Desk) error {
	report, ok, err := desk.Report()
	if err != nil || !ok {
		return err
	}
	one.Facts = append(one.Facts, ui.Fact{Label: t(ctx, "fact.compared"), Body: ui.When(desk.ComparedAt.Time(), i18n.Ago)}, ui.Fact{
		Label: t(ctx, "fact.report"),
		Text:  t(ctx, "overview.report", "listed", report.Listed, "ours", report.Ours, "missing", report.Missing, "changed", report.Changed, "strangers", report.Strangers, "doubles", report.Doubles),
	})
	return nil
}

// perSecond is how many accounts a pace makes in a second, with one digit after the
// sign that the language has for it.
func perSecond(ctx context.Context, pace time.Duration) string {
	number := strconv.FormatFloat(float64(time.Second)/float64(pace), 'f', 1, 64)
	if i18n.Of(ctx).Locale() == campus.French {
		return strings.Replace(number, ".", ",", 1)
	}
	return number
}
