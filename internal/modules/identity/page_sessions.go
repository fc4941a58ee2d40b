package identity

import (
	"context"
	"net/http"
	"strconv"

	"github.com/mileusna/useragent"

	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

func (m *Module) sessionsPage(w http.ResponseWriter, r *http.Request) error {
	sessions, err := m.Sessions(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, sessionsTempl(sessions, web.Viewer(r).Session))
}

func (m *Module) closeSession(w http.ResponseWriter, r *http.Request) error {
	v, session := web.Viewer(r), r.PathValue("id")
	if session == v.Session {
		return m.signOut(w, r)
	}
	if err := m.CloseSession(r.Context(), v, session); err != nil {
		return err
	}
	web.Flash(w, r, "identity.sessions.closed_one")
	return web.SeeOther(w, r, "/identity/sessions")
}

func (m *Module) closeOtherSessions(w http.ResponseWriter, r *http.Request) error {
	n, err := m.CloseOtherSessions(r.Context(), web.Viewer(r))
	if err != nil {
		return err
	}
	if n == 0 {
		web.Flash(w, r, "identity.sessions.closed_none")
	} else {
		web.Flash(w, r, "identity.sessions.closed_others", "number", strconv.Itoa(n))
	}
	return web.SeeOther(w, r, "/identity/sessions")
}

// appliance says in words what a session was opened with, and which picture fits.
func appliance(ctx context.Context, agent string) (name, icon string) {
	ua := useragent.Parse(agent)
	icon = "computer"
	if ua.Mobile || ua.Tablet {
		icon = "phone"
	}
	return device.Name(i18n.Of(ctx), agent), icon
}
