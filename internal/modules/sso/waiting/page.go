package waiting

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// view is the page.
type view struct {
	Service, Name, Back string
	Stopped             ui.StoppedProps
	Anyway              bool
	Looks               bool // the page looks again by itself
}

// How often the page looks again: an account that is being made, and one of which
// nobody can tell when.
const (
	lookSoon  = 10 * time.Second
	lookLater = time.Minute
)

// page tells how far the account is, and leads on by itself once it is ready.
func (wa *Waiting) page(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := wa.service(ctx, r.URL.Query().Get("service"))
	if err != nil {
		return err
	}
	back := web.Local(r.URL.Query().Get("back"))
	a, ok := wa.account(ctx, web.Viewer(r).Person, s.ID)
	if !ok || !holds(a) {
		if ok {
			wa.tell(w, r, s, a)
		}
		return web.SeeOther(w, r, back)
	}
	incident := wa.tell(w, r, s, a)
	v := view{Service: s.ID, Name: s.Name(i18n.Locale(ctx)), Back: back, Anyway: harmless(a)}
	if a.State == contract.AccountQueued {
		v.Looks = true
		again := lookLater
		if !a.Estimate.IsZero() && a.Estimate.Sub(wa.Clock.Now()) < 10*time.Minute {
			again = lookSoon
		}
		w.Header().Set("Refresh", web.Seconds(again))
	}
	if d, ok := wa.Destination(ctx, back); ok && v.Anyway {
		web.AllowFormTo(w, d.Origins...)
	}
	v.Stopped = stopped(ctx, v, a, web.RequestID(ctx))
	v.Stopped.Incident = incident
	return web.Render(w, r, http.StatusOK, waitingTempl(v))
}

// stopped puts the line of the ledger into the words of every stop: what happened,
// where, when it goes on, whom to ask.
func stopped(ctx context.Context, v view, a contract.ServiceAccount, request string) ui.StoppedProps {
	said := func(key string, pairs ...any) string { return i18n.T(ctx, "sso.waiting."+key, pairs...) }
	account := ui.Stage{State: ui.StageStop, Title: said("stage.account", "service", v.Name), Detail: said("state." + string(a.State))}
	if a.State == contract.AccountBlocked {
		account.Tone = ui.Bad
	}
	p := ui.StoppedProps{
		Over: said("over", "service", v.Name), Title: said("title."+string(a.State), "service", v.Name), Message: a.Message, Next: a.Next,
		Kept: said("kept"), Reason: a.Code, RequestID: request, Who: a.Decides,
	}
	if !a.Estimate.IsZero() {
		account.Tag = i18n.Date(ctx, a.Estimate, i18n.Clock)
		p.Facts = append(p.Facts, ui.Fact{Label: said("estimate"), Body: ui.When(a.Estimate, i18n.Moment)})
	}
	if !a.Since.IsZero() {
		p.Facts = append(p.Facts, ui.Fact{Label: said("since"), Body: ui.When(a.Since, i18n.Moment)})
	}
	p.Way = []ui.Stage{
		{State: ui.StageDone, Title: said("stage.signed_in")}, account, {State: ui.StageLater, Title: v.Name},
	}
	return p
}
