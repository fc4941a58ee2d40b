package sso

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// SessionEnded signs a person out of every service that holds an answer of the
// session. Identity calls it in the transaction that ends the session, for
// whatever reason it ends.
func (m *Module) SessionEnded(ctx context.Context, tx db.Tx, session string) error {
	if err := m.answers.SessionEnded(ctx, tx, session); err != nil {
		return err
	}
	for _, f := range those[follower](m.alcoves()) {
		if err := f.SessionEnded(ctx, tx, session); err != nil {
			return err
		}
	}
	return nil
}

// PersonShutOut takes back what services may do for somebody without a session of
// theirs. Identity calls it in the transaction that shuts others out of an account.
func (m *Module) PersonShutOut(ctx context.Context, tx db.Tx, who campus.PersonID, except string) error {
	return m.oidc.ShutOut(ctx, tx, who, except)
}

// missed is told of a service that could not be reached when a session ended.
func (m *Module) missed(ctx context.Context, s *registry.Service, l answer.Logout) error {
	m.Note(ctx, gate.Incident{Service: s, Reason: LogoutUnanswered, Expected: l.Address})
	return LogoutUnanswered.With(fault.Args{"service": s.ID})
}

// backChannel is a client for messages to services: patient for the given time,
// through the proxy of the environment, and never led elsewhere by a redirect.
func backChannel(timeout time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = timeout
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.MaxIdleConnsPerHost = 4
	return &http.Client{
		Timeout: timeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
