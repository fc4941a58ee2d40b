package sso

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// casLogout ends the session here and at the services (§2.3). It acts on a GET,
// as the protocol wants. Afterwards it follows a service address only when that
// is registered: anything else would make us a signpost for strangers.
func (m *Module) casLogout(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r)
	if err != nil {
		return err
	}
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
	// CAS 2 called the parameter url (§2.3.1).
	services := values["service"]
	if len(services) == 0 {
		services = values["url"]
	}
	if len(services) == 0 || services[0] == "" {
		return m.showLogout(w, r, open, nil)
	}
	address, err := serviceAddress(services)
	if err != nil {
		return m.showLogout(w, r, open, fault.Of(err))
	}
	x, err := m.services(r.Context())
	if err != nil {
		return err
	}
	if x.Match(address) == nil {
		return m.showLogout(w, r, open, fault.Of(SignOutTargetUnknown.With(fault.Args{"host": address.Host()})))
	}
	return m.Leave(w, r, address.Address())
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
