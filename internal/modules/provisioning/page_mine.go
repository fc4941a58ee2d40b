package provisioning

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// accountView is one account as its person, or an agent, reads it.
type accountView struct {
	ID, Name, URL       string
	State               string
	Tone                ui.Tone
	Message, Next, Code string
	Facts               []ui.Fact
	Open                bool // there is something to open
}

// mineView is "my accounts".
type mineView struct {
	Accounts []accountView
}

// t words a label of the room.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "provisioning."+key, pairs...)
}

// waitRefresh is how often a page looks again while an account is being made.
const waitRefresh = 10 * time.Second

// minePage shows somebody their accounts in other services.
func (m *Module) minePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	accounts, err := m.accountsOf(ctx, web.Viewer(r).Person)
	if err != nil {
		return err
	}
	view := mineView{}
	soon := false
	for _, a := range accounts {
		view.Accounts = append(view.Accounts, a.view(ctx))
		soon = soon || a.State == contract.AccountQueued && !a.Estimate.IsZero() && a.Estimate.Sub(m.Clock.Now()) < 10*time.Minute
	}
	if soon {
		w.Header().Set("Refresh", web.Seconds(waitRefresh))
	}
	return web.Render(w, r, http.StatusOK, mineTempl(view))
}

// view is the account for a page.
func (a account) view(ctx context.Context) accountView {
	v := accountView{
		ID: a.service.Service.ID, Name: a.Name, State: stateWord(ctx, a.State), Tone: ui.Tone(a.tone()), Message: a.Message, Next: a.Next, Code: a.Code,
	}
	if a.State == contract.AccountReady {
		v.URL = a.URL
	}
	fact := func(key, text string) {
		if text != "" {
			v.Facts = append(v.Facts, ui.Fact{Label: t(ctx, "fact."+key), Text: text})
		}
	}
	when := func(key string, at time.Time) {
		if !at.IsZero() {
			v.Facts = append(v.Facts, ui.Fact{Label: t(ctx, "fact."+key), Body: ui.When(at, i18n.Moment)})
		}
	}
	when("estimate", a.Estimate)
	when("since", a.Since)
	fact("rule", a.Rule)
	fact("decides", a.Decides)
	if a.line.Exists() {
		fact("told", toldWords(ctx, a.service.Told))
	}
	when("last_exchange", a.LastExchange)
	return v
}

// toldWords lists what a service is told.
func toldWords(ctx context.Context, told []target.Field) string {
	words := make([]string, len(told))
	for i, f := range told {
		words[i] = t(ctx, "field."+string(f))
	}
	return strings.Join(words, ", ")
}
