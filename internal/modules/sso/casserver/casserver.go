// Package casserver speaks CAS with services: it sends people on with tickets,
// answers the services that validate them, and tells services that a session
// ended. The words of the protocol are in sso/cas, the conditions on which
// somebody enters a service in sso/gate.
//
// Section numbers are those of the CAS Protocol 3.0 Specification.
package casserver

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Answers *answer.Store
	Gate    gate.Gate
	Exit    gate.Exit
	// SignIn shows the sign-in page to somebody whom no service sent; its form
	// leads on to next. renew asks for the password although a session is open.
	SignIn func(w http.ResponseWriter, r *http.Request, next string, renew bool) error
	// AsksFactor reports whether the institution asks for a second factor in front of
	// a service, which nobody can be asked for behind their back.
	AsksFactor func(service string) bool
	// Channel sends messages to services. It must not follow redirects.
	Channel *http.Client
	// Issuer is our public address, without a slash at its end.
	Issuer string
}

// Server is the CAS server. It is safe for concurrent use.
type Server struct {
	Deps
	config   Config
	failures *limit.Limiter // refused validations by address
	unknowns *limit.Limiter // incidents about unknown services by address
}

// Refused validations are bounded by address, those that succeed are not: a
// service signs in a whole lecture hall from one address within a minute. What
// is left is far above what a broken service causes.
var (
	failureRate = limit.Rate{Every: 100 * time.Millisecond, Burst: 600}
	unknownRate = limit.Rate{Every: time.Minute, Burst: 20}
)

// New makes the alcove.
func New(d Deps, c Config) *Server {
	return &Server{
		Deps: d, config: c,
		failures: limit.New(failureRate, limit.DefaultKeys, d.Clock),
		unknowns: limit.New(unknownRate, limit.DefaultKeys, d.Clock),
	}
}

var _ answer.Closer = (*Server)(nil)

// Routes lists the addresses, all of them published by the protocol.
func (s *Server) Routes(r *web.Router) {
	r.Handle("GET /cas/login", s.login, web.Public)
	r.Handle("POST /cas/login", s.login, web.Public, web.CrossSite)
	r.Handle("GET /cas/logout", s.logout, web.Public)
	r.Handle("POST /cas/logout", s.logout, web.Public, web.CrossSite)
	r.Handle("GET /cas/continue.js", s.continueScript, web.Static)

	// Asked by servers, not by browsers: no session, no language, no shell.
	for path, h := range map[string]web.Handler{
		"/cas/validate": s.plainValidate, "/cas/proxy": s.proxyPage,
		"/cas/serviceValidate": s.serviceValidate, "/cas/p3/serviceValidate": s.serviceValidate,
		"/cas/proxyValidate": s.proxyValidate, "/cas/p3/proxyValidate": s.proxyValidate,
	} {
		r.Handle("GET "+path, h, web.Static)
		r.Handle("POST "+path, h, web.Static, web.CrossSite)
	}
	r.Handle("POST /cas/samlValidate", s.samlValidate, web.Static, web.CrossSite)
}

// Jobs forgets grants that are left over.
func (s *Server) Jobs(r *jobs.Registry) { r.Every("sso.cas_prune", 24*time.Hour, s.prune) }

// Destination says which service a local address of ours leads to, and on which
// origins its redirects end; ok is false for any other address.
func (s *Server) Destination(ctx context.Context, next string) (d contract.Destination, ok bool) {
	address, err := destinationOf(next)
	if err != nil {
		return contract.Destination{}, false
	}
	service, err := s.match(ctx, address)
	if err != nil || service == nil || !service.SignsIn() { // the sign-in itself can go on
		return contract.Destination{}, false
	}
	return contract.Destination{Service: service.ID, Name: service.Name(i18n.Locale(ctx)), Origins: originsOf(service, address)}, true
}

// match finds the service of an address; nil when there is none. An entry that
// speaks another protocol gets no ticket.
func (s *Server) match(ctx context.Context, address cas.ServiceURL) (*registry.Service, error) {
	x, err := s.Gate.Registry(ctx)
	if err != nil {
		return nil, err
	}
	if service := x.Match(address); service != nil && service.Protocol == registry.CAS {
		return service, nil
	}
	return nil, nil
}
