// Package web is the path of every request: request id, security headers,
// cross-origin protection, language, who is asking, access, the handler, and the
// one place where a failure becomes an answer.
package web

import (
	"context"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/a-h/templ"
	"github.com/klauspost/compress/gzhttp"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Handler answers one request or returns why it could not.
type Handler func(http.ResponseWriter, *http.Request) error

// Limiter says whether one more request under key is welcome, and otherwise how
// long to wait.
type Limiter interface {
	Allow(key string) (wait time.Duration, ok bool)
}

// Config is what the front hall gives to web.
type Config struct {
	// BaseURL is the address that people type, such as https://ent.univ.fr. Its
	// scheme decides whether cookies are Secure and carry the __Host- prefix.
	BaseURL *url.URL
	Log     *slog.Logger
	Clock   clock.Clock
	Texts   *i18n.Catalogue
	// Language is what somebody reads who has not chosen and whose browser asks
	// for a language that we do not have.
	Language campus.Locale
	// Authenticate tells who is asking. A fault of kind Unauthenticated says why
	// a session that once was is no more; the viewer is then the zero Viewer.
	Authenticate func(http.ResponseWriter, *http.Request) (campus.Viewer, error)
	// Prepare adds to the context what pages need (the shell), after Authenticate.
	Prepare func(http.ResponseWriter, *http.Request) context.Context
	// ErrorPage draws a failure for a person.
	ErrorPage func(Failure) templ.Component
	// BriefPage draws [TooManyRequests], which is said before Prepare and must cost
	// little; nil means ErrorPage.
	BriefPage func(Failure) templ.Component
	// ClientAddr finds the address of the client behind trusted proxies.
	ClientAddr func(*http.Request) netip.Addr
	// Limit bounds requests per client address; nil means no bound.
	Limit Limiter
	// Sign authenticates small values that a browser keeps for us (flash
	// messages).
	Sign func(purpose string, data []byte) []byte
	// Observe is told of each finished request, with the route's pattern.
	Observe func(method, pattern string, status int, took time.Duration)
}

// Server is the house as an http.Handler.
type Server struct {
	Config
	mux    *http.ServeMux
	routes []Route
	origin *http.CrossOriginProtection
	chain  http.Handler
}

// New returns a server without routes.
func New(c Config) *Server {
	s := &Server{Config: c, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection()}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.RandomJitter(32, 0, false))
	if err != nil {
		panic("web: " + err.Error()) // the options above are constants
	}
	s.chain = s.identify(s.guard(s.headers(compress(http.HandlerFunc(s.dispatch)))))
	return s
}

// ServeHTTP makes Server an http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.chain.ServeHTTP(w, r) }

// Secure reports whether people reach the house by https.
func (s *Server) Secure() bool { return s.BaseURL.Scheme == "https" }

// Routes lists every route with its access, in the order of registration.
func (s *Server) Routes() []Route { return s.routes }

// Router returns the router of one room.
func (s *Server) Router(room string) *Router { return &Router{server: s, room: room} }

// state is what the middleware knows about one request; handlers reach it
// through the functions below.
type state struct {
	server    *Server
	requestID string
	address   netip.Addr
	viewer    campus.Viewer
	denied    error // why a session that was presented is not valid
	pattern   string
	room      string
	failure   *fault.Fault
	original  http.ResponseWriter
	body      *countingBody
	cookies   map[string]string // given to the browser in this answer
	form      *multipart.Form   // whose files may lie on the disk until the answer is over
}

type stateKey struct{}

func stateOf(ctx context.Context) *state {
	st, _ := ctx.Value(stateKey{}).(*state)
	if st == nil {
		return &state{}
	}
	return st
}

// Viewer is who is asking; the zero Viewer for a stranger.
func Viewer(r *http.Request) campus.Viewer { return stateOf(r.Context()).viewer }

// Denied is why a session presented with this request is not valid any more, or
// nil.
func Denied(r *http.Request) error { return stateOf(r.Context()).denied }

// RequestID names the request in logs and on failure pages.
func RequestID(ctx context.Context) string { return stateOf(ctx).requestID }

// ClientAddr is the network address of the client.
func ClientAddr(r *http.Request) netip.Addr { return stateOf(r.Context()).address }

// Absolute turns a path of ours into a full address on the configured base; it
// never trusts the Host header.
func Absolute(r *http.Request, path string) string {
	s := stateOf(r.Context()).server
	if s == nil {
		return path
	}
	return s.BaseURL.String() + path
}
