package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/klauspost/compress/gzhttp"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Render answers with a page. The page is made whole before the first byte
// leaves, so that a failure on the way is still a clean failure page.
func Render(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := page.Render(r.Context(), b); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) // a client that went away is no failure of ours
	}
	return nil
}

// RenderBrief is Render for a small page that programs fetch without end: it is sent as
// it is, because compressing it each time would cost more than sending it.
func RenderBrief(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	w.Header().Set(gzhttp.HeaderNoCompression, "1") // the compressor takes it away
	return Render(w, r, status, page)
}

// partial reports whether htmx asks for a part of the page.
func partial(r *http.Request) bool { return r.Header.Get("HX-Request-Type") == "partial" }

// SeeOther sends the browser on after a form was handled. htmx would swap the
// page behind a 303 into the part it asked for, so it gets HX-Location instead.
func SeeOther(w http.ResponseWriter, r *http.Request, to string) error {
	if partial(r) {
		w.Header().Set("HX-Location", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "html")
}

// Failure is what somebody is told when something stopped them, in their
// language.
type Failure struct {
	Status    int
	Code      string // reason code
	RequestID string
	Title     string
	Message   string // what happened
	Kept      string // what was kept, when there is something to say
	Next      string // what to do next
	// Action and ActionURL are the one button that does it; both may be empty.
	Action, ActionURL string
	// Incident is the code of the story that this failure is part of; it is the
	// fact "incident" of the fault, and may be empty.
	Incident string
}

// Explain words a fault in the language of ctx.
func Explain(ctx context.Context, f *fault.Fault) Failure {
	code := f.Reason.Code()
	pairs := Pairs(f.Args)
	said := func(part string) string {
		p := i18n.Of(ctx)
		if p == nil || !p.Has(code+"."+part) {
			return ""
		}
		return p.T(code+"."+part, pairs...)
	}
	failure := Failure{
		Status: f.Reason.Kind().Status(), Code: code, RequestID: RequestID(ctx),
		Title: said("title"), Message: said("message"), Kept: said("kept"), Next: said("next"),
	}
	if f.Reason.To() != "" {
		failure.Action, failure.ActionURL = said("action"), f.Reason.To()
	}
	failure.Incident, _ = f.Args["incident"].(string)
	if failure.Title == "" {
		failure.Title = i18n.T(ctx, "platform.failure_title."+family(f.Reason.Kind()))
	}
	return failure
}

// family groups kinds under the titles that failure pages share.
func family(k fault.Kind) string {
	switch k {
	case fault.NotFound, fault.Gone:
		return "missing"
	case fault.Forbidden, fault.Unauthenticated:
		return "refused"
	case fault.Busy, fault.Unavailable, fault.Upstream:
		return "later"
	case fault.Broken:
		return "broken"
	default:
		return "invalid"
	}
}

// Pairs turns the facts of a fault into arguments of [i18n.T].
func Pairs(args fault.Args) []any {
	pairs := make([]any, 0, 2*len(args))
	for k, v := range args {
		pairs = append(pairs, k, v)
	}
	return pairs
}

func levelOf(st *state) slog.Level {
	if st.failure != nil {
		return st.failure.Reason.Kind().Level()
	}
	return slog.LevelInfo
}

// fail is the one place where an error becomes an answer.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	st := stateOf(r.Context())
	f := fault.Of(err)
	if f.Cause == nil && err != error(f) {
		f = &fault.Fault{Reason: f.Reason, Args: f.Args, Cause: err} // keep the wrapping for the log
	}
	st.failure = f
	if st.body != nil {
		st.body.drain(st.original)
	}
	failure := Explain(r.Context(), f)
	if r.Context().Err() != nil { // nobody is there to read a page
		w.WriteHeader(failure.Status)
		return
	}
	h := w.Header()
	h.Del("Content-Encoding")
	if wantsJSON(r) || s.ErrorPage == nil {
		h.Set("Content-Type", "application/problem+json") // RFC 9457
		w.WriteHeader(failure.Status)
		body, _ := json.Marshal(map[string]any{ // strings and an int always encode
			"type": "about:blank", "title": failure.Title, "status": failure.Status,
			"detail": failure.Message, "code": failure.Code, "next": failure.Next, "request_id": failure.RequestID,
		})
		w.Write(body)
		return
	}
	page, render := s.ErrorPage, Render
	if f.Reason == TooManyRequests && s.BriefPage != nil {
		page, render = s.BriefPage, RenderBrief
	}
	if err := render(w, r, failure.Status, page(failure)); err != nil {
		s.Log.ErrorContext(r.Context(), "failure page", "id", st.requestID, "error", err)
		http.Error(w, failure.Title+"\n"+failure.Message+"\n"+failure.Next+"\n"+failure.Code+" "+failure.RequestID, failure.Status)
	}
}

// Seconds is d in whole seconds, rounded up and at least one, as the headers
// Retry-After and Refresh want it.
func Seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

// RetryAfter tells programs when to come back (RFC 9110 §10.2.3).
func RetryAfter(w http.ResponseWriter, d time.Duration) { w.Header().Set("Retry-After", Seconds(d)) }

// Note puts into the request's log line why it stopped, for a handler that shows
// the reason on a page of its own.
func Note(r *http.Request, f *fault.Fault) { stateOf(r.Context()).failure = f }
