package sso

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// SessionEnded signs a person out of every service that holds an answer of the
// session. Identity calls it in the transaction that ends the session, for
// whatever reason it ends.
func (m *Module) SessionEnded(ctx context.Context, tx db.Tx, session string) error {
	return m.answers.SessionEnded(ctx, tx, session)
}

// missed is told of a service that could not be reached when a session ended.
func (m *Module) missed(ctx context.Context, s *registry.Service, l answer.Logout) error {
	m.Note(ctx, gate.Incident{Service: s, Reason: LogoutUnanswered, Expected: l.Address})
	return LogoutUnanswered.With(fault.Args{"service": s.ID})
}

// casCloser ends sessions at services of CAS (§2.3.3). The protocol knows no
// acknowledgement: an answer of success says that the service took the message,
// any other answer below 500 that it was reached (Apache's mod_auth_cas ends its
// session and lets the page behind it refuse the POST with 405).
type casCloser struct{ *Module }

// Close implements [answer.Closer].
func (c casCloser) Close(ctx context.Context, _ *registry.Service, l answer.Logout) (answer.LogoutState, string, error) {
	status, err := c.postLogout(ctx, l)
	switch {
	case err != nil:
		return answer.Waiting, "", err
	case status < 300:
		return answer.Told, fmt.Sprint(status), nil
	case status < 500:
		return answer.Answered, fmt.Sprint(status), nil
	}
	return answer.Waiting, "", fmt.Errorf("the service answered %d", status)
}

// postLogout sends the message as appendix C and every known client want it: a
// form with the one field logoutRequest, to the address of the ticket.
func (m *Module) postLogout(ctx context.Context, l answer.Logout) (status int, err error) {
	message := cas.LogoutRequest("LR-"+id.New(), l.Handle, m.Clock.Now())
	body := url.Values{"logoutRequest": {message}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.Address, strings.NewReader(body))
	if err != nil {
		return 0, jobs.GiveUp(fmt.Errorf("address of the service: %w", err))
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "Amphi single logout")
	answer, err := m.channel.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	// A little of the answer is read so that the connection can be used again.
	if _, err := io.CopyN(io.Discard, answer.Body, 4<<10); err != nil && err != io.EOF {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	return answer.StatusCode, nil
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

// openServices are the services that a session has signed in to.
func (m *Module) openServices(ctx context.Context, session string) ([]*registry.Service, error) {
	ids, err := m.answers.Services(ctx, session)
	if err != nil {
		return nil, err
	}
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	var open []*registry.Service
	for _, one := range ids {
		if s := x.Get(one); s != nil {
			open = append(open, s)
		}
	}
	return open, nil
}
