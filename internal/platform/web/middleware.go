package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// recorder remembers what was answered, for the log and the metrics.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= 200 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// identify gives the request its id and writes its one line in the log.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.Clock.Now()
		st := &state{server: s, requestID: id.Token(9), original: w}
		if s.ClientAddr != nil {
			st.address = s.ClientAddr(r)
		} else if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			st.address = ap.Addr().Unmap()
		}
		rec := &recorder{ResponseWriter: w}
		rec.Header().Set("X-Request-Id", st.requestID)
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), stateKey{}, st)))

		took := s.Clock.Now().Sub(start)
		if s.Observe != nil {
			s.Observe(r.Method, st.pattern, rec.status, took)
		}
		level, attrs := levelOf(st), []any{
			"id", st.requestID, "method", r.Method, "route", st.pattern,
			"status", rec.status, "bytes", rec.bytes, "took", took,
		}
		if st.viewer.SignedIn() {
			attrs = append(attrs, "person", string(st.viewer.Person))
		}
		if st.failure != nil {
			attrs = append(attrs, "reason", st.failure.Reason.Code(), "error", st.failure.Error())
		}
		s.Log.Log(r.Context(), level, "request", attrs...)
	})
}

// guard turns a panic into a failure page and a log line with its stack.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // net/http's own way to drop a connection
			}
			s.Log.ErrorContext(r.Context(), "panic", "id", RequestID(r.Context()), "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			s.fail(w, r.WithContext(s.withLanguage(r)), fmt.Errorf("panic: %v", p))
		}()
		next.ServeHTTP(w, r)
	})
}

// policy is the content-security policy of every page: our own files only, no
// inline script or style, no framing.
func policy(formTargets string) string {
	return "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'" + formTargets
}

// headers sets what every answer carries. A handler may override them.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy(""))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		if s.Secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// AllowFormTo lets the forms of this page end, after redirects, on another
// origin. Browsers apply form-action to the whole chain, so the sign-in page
// that leads on to a service must name the service's origin.
func AllowFormTo(w http.ResponseWriter, origins ...string) {
	if len(origins) > 0 {
		w.Header().Set("Content-Security-Policy", policy(" "+strings.Join(origins, " ")))
	}
}

// OriginOf is the origin of an address as a content-security policy names it: the
// scheme alone where an application has its own, and "" for what is no address or
// would end a source of the policy.
func OriginOf(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme == "" || strings.ContainsAny(u.Host, ";,'"):
		return ""
	case u.Host == "":
		return u.Scheme + ":"
	default:
		return u.Scheme + "://" + u.Host
	}
}

// AllowFrames lets this page hold frames of other origins, and of ours.
func AllowFrames(w http.ResponseWriter, origins ...string) {
	h := w.Header()
	h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; frame-src 'self' "+strings.Join(origins, " "))
}

// AllowFraming lets this answer stand in a frame of a page of ours.
func AllowFraming(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
}

// LanguageCookie keeps the language of somebody who has not signed in.
const LanguageCookie = "amphi_language"

// withLanguage chooses the language: the person's own, the browser's cookie,
// what the browser asks for, the institution's.
func (s *Server) withLanguage(r *http.Request) context.Context {
	ctx := r.Context()
	if s.Texts == nil {
		return ctx
	}
	locale := stateOf(ctx).viewer.Locale
	if locale == "" {
		if c, err := r.Cookie(LanguageCookie); err == nil {
			locale, _ = campus.ParseLocale(c.Value)
		}
	}
	if locale == "" {
		locale = acceptLanguage(r.Header.Get("Accept-Language"))
	}
	if locale == "" {
		locale = s.Language
	}
	return i18n.With(ctx, s.Texts.For(locale))
}

// acceptLanguage returns our best match for the header (RFC 9110 §12.5.4), or
// "". Weights other than order are ignored on purpose: browsers send them sorted.
func acceptLanguage(header string) campus.Locale {
	for i, part := range strings.Split(header, ",") {
		if i == 16 { // longer lists are not from browsers
			break
		}
		tag, _, _ := strings.Cut(part, ";")
		if l, ok := campus.ParseLocale(tag); ok {
			return l
		}
	}
	return ""
}
