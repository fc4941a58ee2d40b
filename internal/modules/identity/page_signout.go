package identity

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// signOutPage asks before signing out, for those who follow a link: a GET must
// not change anything.
func (m *Module) signOutPage(w http.ResponseWriter, r *http.Request) error {
	if !web.Viewer(r).SignedIn() {
		return web.SeeOther(w, r, "/logout/done")
	}
	return web.Render(w, r, http.StatusOK, signOutTempl())
}

func (m *Module) signOut(w http.ResponseWriter, r *http.Request) error {
	session := web.Viewer(r).Session
	if err := m.End(r.Context(), w, r); err != nil {
		return err
	}
	if m.doors != nil && session != "" {
		to, err := m.doors.Farewell(r.Context(), session)
		if err != nil { // the session is over all the same
			m.log.ErrorContext(r.Context(), "no page about the services of a session", "session", session, "error", err)
		}
		if to != "" {
			return web.SeeOther(w, r, to)
		}
	}
	return web.SeeOther(w, r, "/logout/done")
}

func (m *Module) signedOutPage(w http.ResponseWriter, r *http.Request) error {
	if web.Viewer(r).SignedIn() { // came back by the history
		return web.SeeOther(w, r, "/")
	}
	left, _, err := m.upstreams.Remaining(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return web.Render(w, r, http.StatusOK, signedOutTempl(left))
}
