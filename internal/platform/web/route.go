package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// The failures of the way to a handler.
var (
	// PageMissing: nothing lives at this address.
	PageMissing = fault.Declare(fault.NotFound, "platform.page_missing")
	// MethodWrong: the address exists, the method does not.
	MethodWrong = fault.Declare(http.StatusMethodNotAllowed, "platform.method_wrong")
	// SignInNeeded: the page is for people who have signed in.
	SignInNeeded = fault.Declare(fault.Unauthenticated, "platform.sign_in_needed")
	// RightMissing: the page needs a right that the viewer does not hold.
	RightMissing = fault.Declare(fault.Forbidden, "platform.right_missing")
	// CrossOrigin: another site tried to act in the person's name.
	CrossOrigin = fault.Declare(fault.Forbidden, "platform.cross_origin")
	// TooManyRequests: the client's address asks faster than is welcome.
	TooManyRequests = fault.Declare(fault.Busy, "platform.too_many_requests")
)

// Route is one address of the house and who may use it.
type Route struct {
	Room    string
	Pattern string // as http.ServeMux takes it, such as "GET /portal/news/{id}"
	// Public routes are open to strangers.
	Public bool
	// Rights of which the viewer must hold one; empty means that signing in is
	// enough.
	Rights []campus.Right

	scoped    bool // holding a right over anybody is enough
	crossSite bool
	static    bool
	bodyLimit int64
	handler   Handler
}

// granted says which rights of the viewer open the route.
func (r *Route) granted(v campus.Viewer) func(campus.Right) bool {
	if r.scoped {
		return v.CanSomewhere
	}
	return v.Can
}

// Option changes a route from its default: signed in, same origin, small body.
type Option func(*Route)

// Public opens a route to people who have not signed in.
func Public(r *Route) { r.Public = true }

// Static marks a public route whose answer is the same for everybody: nobody is
// authenticated and no shell is prepared for it.
func Static(r *Route) { r.Public, r.static = true, true }

// CrossSite lets other sites post here; the handler makes its own checks.
func CrossSite(r *Route) { r.crossSite = true }

// Needs asks for one of the rights, held over everybody.
func Needs(rights ...campus.Right) Option {
	return func(r *Route) { r.Rights = rights }
}

// NeedsSomewhere asks for one of the rights, held over anybody: the handler asks
// campus.Viewer.CanFor about whom it shows, or lists only those.
func NeedsSomewhere(rights ...campus.Right) Option {
	return func(r *Route) { r.Rights, r.scoped = rights, true }
}

// BodyLimit sets how many bytes a request may carry. The default is 256 KiB.
func BodyLimit(n int64) Option {
	return func(r *Route) { r.bodyLimit = n }
}

const defaultBodyLimit = 256 << 10

// Router registers the addresses of one room.
type Router struct {
	server *Server
	room   string
}

// Handle registers a handler under a pattern of http.ServeMux. Without options
// the route is for people who have signed in.
func (rt *Router) Handle(pattern string, h Handler, options ...Option) {
	route := Route{Room: rt.room, Pattern: pattern, handler: h, bodyLimit: defaultBodyLimit}
	for _, o := range options {
		o(&route)
	}
	s := rt.server
	s.routes = append(s.routes, route)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := s.enter(&route, w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// dispatch finds the route of a request that is meant for us. ServeMux answers unknown addresses and wrong methods
// in plain text by itself, so those are caught before.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	if s.rebound(r) {
		s.fail(w, r.WithContext(s.withLanguage(r)), HostForeign.With(fault.Args{"address": s.BaseURL.String()}))
		return
	}
	unknown, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	probe := httptest.NewRecorder()
	unknown.ServeHTTP(probe, r)
	if location := probe.Header().Get("Location"); location != "" { // a cleaned path
		http.Redirect(w, r, location, probe.Code)
		return
	}
	route := Route{Public: true, bodyLimit: defaultBodyLimit, handler: func(http.ResponseWriter, *http.Request) error {
		if probe.Code == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.Header().Get("Allow"))
			return MethodWrong
		}
		return PageMissing
	}}
	if err := s.enter(&route, w, r); err != nil {
		s.fail(w, r, err)
	}
}

// sweep removes what a large form left on the disk. net/http does so only for the
// request that it made itself, and handlers read forms from copies of it.
func (s *Server) sweep(r *http.Request) {
	form := stateOf(r.Context()).form
	if form == nil {
		return
	}
	if err := form.RemoveAll(); err != nil {
		s.Log.WarnContext(r.Context(), "remove the files of a form", "error", err)
	}
}

// enter walks from the door of a route to its handler.
func (s *Server) enter(route *Route, w http.ResponseWriter, r *http.Request) error {
	st := stateOf(r.Context())
	st.pattern, st.room = r.Pattern, route.Room
	st.body = newCountingBody(r.Body, route.bodyLimit)
	r.Body = st.body
	defer s.sweep(r)
	if route.static {
		return route.handler(w, r)
	}
	w.Header().Set("Cache-Control", "no-store")
	// The language comes first, so that every refusal below can speak.
	*r = *r.WithContext(s.withLanguage(r))
	// Who asks too often is told before anything is looked up for them.
	if s.Limit != nil {
		if wait, ok := s.Limit.Allow(limit.AddressKey(st.address)); !ok {
			RetryAfter(w, wait)
			return TooManyRequests.With(fault.Args{"wait": wait})
		}
	}
	var unknown error
	if s.Authenticate != nil {
		var err error
		st.viewer, err = s.Authenticate(w, r)
		switch {
		case err == nil:
		case fault.Of(err).Reason.Kind() == fault.Unauthenticated:
			st.denied = err
		default:
			unknown = err
		}
	}
	*r = *r.WithContext(s.withLanguage(r)) // a person's own choice wins
	if s.Prepare != nil {
		*r = *r.WithContext(s.Prepare(w, r))
	}
	if unknown != nil {
		return unknown
	}
	if !isText(r.URL.Path) { // handlers look names of an address up in the database
		return PageMissing
	}
	if !route.crossSite {
		if err := s.origin.Check(r); err != nil {
			return CrossOrigin.From(err)
		}
	}
	if err := route.admit(st.viewer); err != nil {
		if errors.Is(err, SignInNeeded) && r.Method == http.MethodGet && !wantsJSON(r) {
			return toSignIn(w, r, st.denied)
		}
		if errors.Is(err, SignInNeeded) && st.denied != nil {
			return st.denied
		}
		return err
	}
	return route.handler(w, r)
}

// admit decides whether the viewer may use the route.
func (route *Route) admit(v campus.Viewer) error {
	switch {
	case route.Public:
		return nil
	case !v.SignedIn():
		return SignInNeeded
	case len(route.Rights) > 0 && !slices.ContainsFunc(route.Rights, route.granted(v)):
		return RightMissing
	default:
		return nil
	}
}

// toSignIn sends a stranger to the front door and remembers where they wanted
// to go, and why a session they had is over.
func toSignIn(w http.ResponseWriter, r *http.Request, denied error) error {
	q := url.Values{}
	if next := r.URL.RequestURI(); next != "/" {
		q.Set("next", next)
	}
	if denied != nil {
		q.Set("because", fault.Of(denied).Reason.Code())
	}
	to := "/login"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return SeeOther(w, r, to)
}

// Local returns next when it is a path of ours, and "/" otherwise: an address
// that could lead to another site is never followed.
func Local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t\x00") {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || strings.Contains(u.Path, "//") {
		return "/"
	}
	return next
}
