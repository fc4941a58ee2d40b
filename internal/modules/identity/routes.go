package identity

import "github.com/amphi-campus/amphi/internal/platform/web"

// maxSignIn is the largest sign-in, in bytes: the longest address of a service,
// escaped twice on its way through /login, and the two fields. What is sent stays
// in memory for everybody in line, so it must not be large.
const maxSignIn = 32 << 10

// Routes lists every address of the room. /login and /logout are the published
// addresses of the front door; the rest starts with the room's name.
func (m *Module) Routes(r *web.Router) {
	r.Handle("GET /login", m.signInPage, web.Public)
	r.Handle("POST /login", m.signIn, web.Public, web.BodyLimit(maxSignIn))
	r.Handle("GET /login/waiting", m.waitingPage, web.Public)
	r.Handle("GET /logout", m.signOutPage, web.Public)
	r.Handle("POST /logout", m.signOut, web.Public)
	r.Handle("GET /logout/done", m.signedOutPage, web.Public)
	r.Handle("GET /identity/account", m.accountPage)
	r.Handle("GET /identity/sessions", m.sessionsPage)
	r.Handle("POST /identity/sessions/{id}/close", m.closeSession)
	r.Handle("POST /identity/sessions/close-others", m.closeOtherSessions)
	for _, a := range m.furniture() {
		a.Routes(r)
	}
}
