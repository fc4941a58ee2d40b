// Package diagnostic helps people who cannot get in to find out why: a self-test
// of the browser, a guided page of causes, and an end to sign-ins that go round
// in circles. None of its pages asks who one is.
package diagnostic

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the house.
type Deps struct {
	Clock     clock.Clock
	Keys      *crypt.Keyring
	Incidents Incidents
	Sessions  Sessions
}

// Incidents knows the stories of sign-ins, see package attempt.
type Incidents interface {
	// Attach keeps the self-test, as JSON, with the newest sign-in of this
	// browser, and returns its incident code. A browser without a sign-in gets
	// a story of its own.
	Attach(w http.ResponseWriter, r *http.Request, result []byte) (code string, err error)
	// Story returns what is known under an incident code, or attempt.Missing.
	Story(r *http.Request, code string) (Story, error)
}

// Story is what an incident code may tell to who holds it.
type Story struct {
	Code   string
	Reason string            // reason code of what stopped the sign-in; empty when nothing did
	Facts  map[string]string // arguments of the reason's sentence
	// Mine: it happened in the browser that asks.
	Mine bool
	// In: the sign-in ended well.
	In bool
}

// Sessions ends sessions.
type Sessions interface {
	// End ends the session of a request, if there is one, and removes its cookie.
	End(ctx context.Context, w http.ResponseWriter, r *http.Request) error
}

// Help is the pages of the alcove.
type Help struct{ Deps }

// New makes the alcove.
func New(d Deps) *Help { return &Help{d} }

// Routes lists every address of the alcove. All are open to strangers: they are
// for people who cannot sign in.
func (h *Help) Routes(r *web.Router) {
	r.Handle("GET /diagnostic", h.testPage, web.Public)
	r.Handle("POST /diagnostic", h.test, web.Public)
	r.Handle("GET /diagnostic/echo", h.echo, web.Public)
	r.Handle("GET /diagnostic/result", h.resultPage, web.Public)
	r.Handle("POST /diagnostic/result", h.attach, web.Public)
	r.Handle("GET /diagnostic/cookies", h.cookiesPage, web.Public)
	r.Handle("POST /diagnostic/cookies", h.cleanCookies, web.Public)
	r.Handle("GET /login/loop", h.loopPage, web.Public)
	r.Handle("POST /login/loop", h.startClean, web.Public)
	r.Handle("GET /why", h.whyPage, web.Public)
	r.Handle("GET /why/code", h.codePage, web.Public)
	r.Handle("GET /why/{cause}", h.causePage, web.Public)
}
