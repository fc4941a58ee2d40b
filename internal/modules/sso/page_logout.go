package sso

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// SignOut implements [gate.Exit].
func (m *Module) SignOut(w http.ResponseWriter, r *http.Request, d gate.Departing) error {
	v := web.Viewer(r)
	open, err := m.openServices(r.Context(), v.Session)
	if err != nil {
		return err
	}
	if v.SignedIn() {
		if err := m.Sessions.End(r.Context(), w, r); err != nil {
			return err
		}
	}
	if d.Onward != "" {
		return m.Leave(w, r, d.Onward)
	}
	var stopped *fault.Fault
	if d.Refused != nil {
		stopped = fault.Of(d.Refused)
	}
	return m.showLogout(w, r, open, stopped)
}

// logoutView is the page after a sign-out.
type logoutView struct {
	Told    []string // services that are being signed out
	Kept    []string // services that keep their own session
	Stopped *web.Failure
}

// showLogout says what was closed, what was not, and why we do not go on.
func (m *Module) showLogout(w http.ResponseWriter, r *http.Request, open []*registry.Service, stopped *fault.Fault) error {
	var view logoutView
	for _, s := range open {
		name := s.Name(i18n.Locale(r.Context()))
		if s.NoSingleLogout {
			view.Kept = append(view.Kept, name)
		} else {
			view.Told = append(view.Told, name)
		}
	}
	status := http.StatusOK
	if stopped != nil {
		web.Note(r, stopped)
		failure := web.Explain(r.Context(), stopped)
		view.Stopped, status = &failure, failure.Status
	}
	return web.Render(w, r, status, logoutTempl(view))
}
