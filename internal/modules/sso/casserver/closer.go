package casserver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Close implements [answer.Closer]: it tells a service that a session ended
// (§2.3.3). The protocol knows no acknowledgement: an answer of success says that
// the service took the message, any other answer below 500 that it was reached
// (Apache's mod_auth_cas ends its session and lets the page behind it refuse the
// POST with 405).
func (s *Server) Close(ctx context.Context, _ *registry.Service, l answer.Logout) (answer.LogoutState, string, error) {
	status, err := s.postLogout(ctx, l)
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
func (s *Server) postLogout(ctx context.Context, l answer.Logout) (status int, err error) {
	message := cas.LogoutRequest("LR-"+id.New(), l.Handle, s.Clock.Now())
	body := url.Values{"logoutRequest": {message}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.Address, strings.NewReader(body))
	if err != nil {
		return 0, jobs.GiveUp(fmt.Errorf("address of the service: %w", err))
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "Amphi single logout")
	answer, err := s.Channel.Do(request)
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
