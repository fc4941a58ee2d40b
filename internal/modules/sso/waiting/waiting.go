// Package waiting stands between the sign-in and a service whose account for the
// person is not there yet, is blocked, or is being closed. The service would only
// say that it does not know them; the ledger knows why, and since when.
package waiting

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of its room.
type Deps struct {
	// Accounts is the ledger; nil where no room keeps one.
	Accounts contract.ServiceAccounts
	Registry func(context.Context) (*registry.Index, error)
	// Destination tells where a local address leads in the end, so that the form may
	// lead there.
	Destination func(ctx context.Context, next string) (contract.Destination, bool)
	// Door keeps the stories of sign-ins; nil where nobody does.
	Door  Door
	Clock clock.Clock
	Log   *slog.Logger
}

// Door writes into the story of this browser's sign-in that its person waits in front
// of a service, or does no longer; it returns the incident code to quote, empty for
// none.
type Door interface {
	HeldBack(w http.ResponseWriter, r *http.Request, h contract.HeldBack) (incident string, err error)
}

// Waiting holds people back, as long as that is of use to them.
type Waiting struct{ Deps }

// New opens the alcove.
func New(d Deps) *Waiting { return &Waiting{d} }

const path = "/sso/account"

// Routes are the page and the wish to go on anyway.
func (wa *Waiting) Routes(r *web.Router) {
	r.Handle("GET "+path, wa.page)
	r.Handle("POST "+path, wa.goOn)
}

// Stops answers with the way to the page when somebody's account in a service is
// not ready; back leads to the question of the service again. A ledger that cannot
// be read stops nobody.
func (wa *Waiting) Stops(w http.ResponseWriter, r *http.Request, s *registry.Service, back string) (bool, error) {
	if wa.Accounts == nil || web.Cookie(r, anywayCookie) == s.ID {
		return false, nil
	}
	a, ok := wa.account(r.Context(), web.Viewer(r).Person, s.ID)
	if !ok || !holds(a) {
		return false, nil
	}
	wa.tell(w, r, s, a)
	return true, web.SeeOther(w, r, path+"?"+url.Values{"service": {s.ID}, "back": {back}}.Encode())
}

// tell writes into the story of the sign-in how the account stands, and returns the
// incident code: whoever calls the help desk quotes it. Without one they are told all
// the same.
func (wa *Waiting) tell(w http.ResponseWriter, r *http.Request, s *registry.Service, a contract.ServiceAccount) (incident string) {
	if wa.Door == nil {
		return ""
	}
	ctx := r.Context()
	h := contract.HeldBack{Service: s.ID, Name: s.Name(i18n.Locale(ctx)), Facts: map[string]string{"state": string(a.State), "since": moment(a.Since), "ready": moment(a.Estimate), "code": a.Code, "rule": a.Rule}}
	if holds(a) {
		h.Reason = reasonOf(a.State).Code()
	}
	incident, err := wa.Door.HeldBack(w, r, h)
	if err != nil {
		wa.Log.WarnContext(ctx, "write into the story of a sign-in", "service", s.ID, "error", err)
	}
	return incident
}

// moment is a time as a story keeps it; empty for none.
func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// account is somebody's line of the ledger; ok is false when there is none, or
// when it cannot be read: whoever has an account must not wait for ours.
func (wa *Waiting) account(ctx context.Context, who campus.PersonID, service string) (contract.ServiceAccount, bool) {
	a, ok, err := wa.Accounts.AccountIn(ctx, who, service)
	if err != nil {
		wa.Log.ErrorContext(ctx, "the ledger of accounts cannot be read; nobody is held back", "service", service, "error", err)
		return a, false
	}
	return a, ok
}

// holds reports whether somebody should know before they go on.
func holds(a contract.ServiceAccount) bool {
	return a.State == contract.AccountQueued || a.State == contract.AccountBlocked || a.State == contract.AccountLeaving
}

// harmless reports whether going on can do no harm. While an account is being
// made, a service that makes its own for whoever comes would make a second one.
func harmless(a contract.ServiceAccount) bool {
	return a.State != contract.AccountQueued || a.Estimate.IsZero()
}

// anywayCookie names the service that somebody wants to enter although its account
// is not ready. It opens nothing: it only spares a page.
const anywayCookie = "amphi_anyway"

// anywayLasts is how long that wish holds.
const anywayLasts = 30 * time.Minute

// goOn leads on to the service, as the person wishes.
func (wa *Waiting) goOn(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	s, err := wa.service(r.Context(), form.Get("service"))
	if err != nil {
		return err
	}
	back := web.Local(form.Get("back"))
	if a, ok := wa.account(r.Context(), web.Viewer(r).Person, s.ID); ok && holds(a) && !harmless(a) {
		return web.SeeOther(w, r, path+"?"+url.Values{"service": {s.ID}, "back": {back}}.Encode())
	}
	web.SetCookie(w, r, anywayCookie, s.ID, anywayLasts)
	return web.SeeOther(w, r, back)
}

// service is one that people sign in to.
func (wa *Waiting) service(ctx context.Context, id string) (*registry.Service, error) {
	x, err := wa.Registry(ctx)
	if err != nil {
		return nil, err
	}
	s := x.Get(id)
	if s == nil || wa.Accounts == nil {
		return nil, web.PageMissing
	}
	return s, nil
}
