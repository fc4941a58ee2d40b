package oidcop

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// logoutEvent is what a logout token says (Back-Channel Logout §2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutTokenLifetime is short: the token is on its way while it is made.
const logoutTokenLifetime = 2 * time.Minute

// Close implements [answer.Closer]: it tells a client that a session ended
// (OpenID Connect Back-Channel Logout 1.0).
func (p *Provider) Close(ctx context.Context, s *registry.Service, l answer.Logout) (answer.LogoutState, string, error) {
	if s.OIDC.BackChannelURI == "" {
		return answer.Skipped, "no back_channel_logout_uri", nil
	}
	token, err := p.logoutToken(ctx, s, l)
	if err != nil {
		return answer.Waiting, "", err
	}
	status, said, err := p.tell(ctx, s.OIDC.BackChannelURI, token)
	switch {
	case err != nil:
		return answer.Waiting, "", err
	case status < 300:
		return answer.Told, fmt.Sprint(status), nil
	case status < 500:
		// The client understood and did not do it (§2.8); asking again changes nothing.
		return answer.Failed, "", jobs.GiveUp(fmt.Errorf("the client answered %d %s", status, said))
	}
	return answer.Waiting, "", fmt.Errorf("the client answered %d %s", status, said)
}

// logoutToken says which session ended, and nothing that an ID token says: it must
// not be taken for one (§2.4 forbids nonce).
func (p *Provider) logoutToken(ctx context.Context, s *registry.Service, l answer.Logout) (string, error) {
	now := p.Clock.Now()
	return p.sign(ctx, s.OIDC.Algorithm(), "logout+jwt", map[string]any{
		"iss": p.BaseURL, "aud": s.OIDC.ClientID, "sub": p.subject(s, l.Person), "sid": l.Handle,
		"iat": now.Unix(), "exp": now.Add(logoutTokenLifetime).Unix(), "jti": id.New(),
		"events": map[string]any{logoutEvent: map[string]any{}},
	})
}

// tell posts a logout token once.
func (p *Provider) tell(ctx context.Context, address, token string) (status int, said string, err error) {
	body := url.Values{"logout_token": {token}}.Encode()
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return 0, "", jobs.GiveUp(fmt.Errorf("address of the client: %w", err))
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("User-Agent", userAgent)
	got, err := p.Channel.Do(post)
	if err != nil {
		return 0, "", err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, 4<<10))
	if err != nil {
		return 0, "", fmt.Errorf("read the answer: %w", err)
	}
	return got.StatusCode, plain(string(text[:min(len(text), 200)])), nil
}
