package oidcop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// The errors of endpoints that programs ask (RFC 6749 §5.2, RFC 8628 §3.5, RFC
// 9449 §5, RFC 6750 §3.1, RFC 7591 §3.2.2).
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	invalidGrant         = "invalid_grant"
	invalidScope         = "invalid_scope"
	unauthorizedClient   = "unauthorized_client"
	unsupportedGrant     = "unsupported_grant_type"
	authorizationPending = "authorization_pending"
	slowDown             = "slow_down"
	accessDenied         = "access_denied"
	expiredToken         = "expired_token"
	invalidProof         = "invalid_dpop_proof"
	invalidToken         = "invalid_token"
	insufficientScope    = "insufficient_scope"
	invalidMetadata      = "invalid_client_metadata"
	invalidRedirect      = "invalid_redirect_uri"
	serverError          = "server_error"
	unavailable          = "temporarily_unavailable"
)

// refusal is what a program is told, and with which reason the log and the
// technical contact are.
type refusal struct {
	code        string
	description string // English, for whoever writes the client
	reason      *fault.Reason
	status      int // zero: 400
	// challenge is the WWW-Authenticate header, where one is due.
	challenge string
}

func (e *refusal) Error() string { return e.code + ": " + e.description }

// refuse makes a refusal.
func refuse(code string, reason *fault.Reason, format string, args ...any) *refusal {
	return &refusal{code: code, reason: reason, description: fmt.Sprintf(format, args...)}
}

// program makes a handler of something that answers a program: JSON, also for
// failures, and never kept by a cache.
func (p *Provider) program(h func(http.ResponseWriter, *http.Request) (any, error)) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		p.allowOrigin(w, r)
		body, err := h(w, r)
		if err != nil {
			return p.refuseProgram(w, r, err)
		}
		if body == nil {
			w.WriteHeader(http.StatusOK)
			return nil
		}
		return writeJSON(w, http.StatusOK, body)
	}
}

// created wraps an answer that gets 201 instead of 200.
type created struct{ body any }

func writeJSON(w http.ResponseWriter, status int, body any) error {
	if c, ok := body.(created); ok {
		status, body = http.StatusCreated, c.body
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text) // a client that went away is no failure of ours
	return nil
}

// refuseProgram tells a program why not. What is our fault is said so, so that
// the client tries again instead of giving its person up.
func (p *Provider) refuseProgram(w http.ResponseWriter, r *http.Request, err error) error {
	var why *refusal
	if !errors.As(err, &why) {
		f := fault.Of(err)
		web.Note(r, f)
		p.Log.ErrorContext(r.Context(), "openid connect request failed", "id", web.RequestID(r.Context()), "error", err)
		status, code := http.StatusInternalServerError, serverError
		switch f.Reason.Kind() {
		case fault.Unavailable, fault.Upstream, fault.Busy:
			status, code = http.StatusServiceUnavailable, unavailable
		case fault.Malformed, fault.TooLarge, fault.Invalid:
			status, code = f.Reason.Kind().Status(), invalidRequest
		}
		return writeJSON(w, status, map[string]string{"error": code, "error_description": "See the request " + web.RequestID(r.Context()) + " in the log of the provider."})
	}
	web.Note(r, &fault.Fault{Reason: why.reason, Cause: why})
	status := why.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if why.challenge != "" {
		w.Header().Set("WWW-Authenticate", why.challenge)
	}
	return writeJSON(w, status, map[string]string{"error": why.code, "error_description": p.describe(r, why.description, why.reason)})
}

// describe is an error description that also names the reason and the request, for
// whoever asks us about it. Its alphabet is that of RFC 6749 §5.2.
func (p *Provider) describe(r *http.Request, text string, reason *fault.Reason) string {
	return plain(fmt.Sprintf("%s (%s, %s)", text, reason.Code(), web.RequestID(r.Context())))
}

// plain keeps to the characters that an error description may have.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return '\''
		}
		return c
	}, text[:min(len(text), 600)])
}

// peer is the network address that asks, for incidents.
func peer(r *http.Request) string { return web.ClientAddr(r).String() }

// note tells the technical contact of a service what went wrong.
func (p *Provider) note(r *http.Request, i gate.Incident) {
	i.Peer = peer(r)
	p.Gate.Note(r.Context(), i)
}
