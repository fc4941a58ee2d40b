package lifecycle

import (
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// previewSize is how many accounts the preview of a rule names.
const previewSize = 200

// ruleView is one rule and what it would do tonight.
type ruleView struct {
	RuleConfig
	ReasonText string
	Steps      []Step // at most previewSize
	Total      int
	Stopped    bool // more than the rule may touch in a night
}

// rulesView is all rules, and who is registered again.
type rulesView struct {
	Rules    []ruleView
	Returned []Return
	Tonight  time.Time
}

func (l *Lifecycle) rulesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	view := rulesView{Tonight: nextRun(l.Clock.Now())}
	for _, rule := range l.config.rules() {
		steps, err := l.Plan(ctx, rule, view.Tonight)
		if err != nil {
			return err
		}
		v := ruleView{RuleConfig: rule, Steps: steps, Total: len(steps), Stopped: len(steps) > rule.atMost()}
		v.Steps = v.Steps[:min(len(v.Steps), previewSize)]
		if reason, ok := l.config.reason(rule.Reason); ok {
			v.ReasonText = i18n.Pick(ctx, reason.TextFrench, reason.TextEnglish)
		}
		view.Rules = append(view.Rules, v)
	}
	var err error
	if view.Returned, err = l.Returned(ctx, view.Tonight); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, rulesTempl(view))
}

// nextRun is when the rules run next: jobs of a day run at midnight UTC.
func nextRun(now time.Time) time.Time { return now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour) }

// dueView lists the closed accounts whose data are due for deletion, or will be
// within dueHorizon.
type dueView struct {
	Due, Soon []dueLine
}

type dueLine struct {
	Person campus.PersonID
	Name   string
	Login  string
	Reason string
	Closed time.Time
	Due    time.Time
}

// dueHorizon is how far ahead the list of deletions looks.
const dueHorizon = 60 * 24 * time.Hour

func (l *Lifecycle) duePage(w http.ResponseWriter, r *http.Request) error {
	ctx, now := r.Context(), l.Clock.Now()
	rows, err := sqlgen.New(l.DB.Read()).DueDeletions(ctx, db.At(now.Add(dueHorizon)))
	if err != nil {
		return fmt.Errorf("list what is due for deletion: %w", err)
	}
	var view dueView
	for _, row := range rows {
		p := account.Person{GivenName: row.GivenName, FamilyName: row.FamilyName}
		line := dueLine{
			Person: campus.PersonID(row.ID), Name: p.DisplayName(), Login: row.Login,
			Reason: i18n.Pick(ctx, row.TextFr, row.TextEn), Closed: row.DecidedAt.Time(), Due: row.DeletionAt.Time(),
		}
		if line.Due.After(now) {
			view.Soon = append(view.Soon, line)
		} else {
			view.Due = append(view.Due, line)
		}
	}
	return web.Render(w, r, http.StatusOK, dueTempl(view))
}
