package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The sign-in that plays everybody.
const (
	demoLogin     = "student"
	demoPassword  = "Amphi-demo-2026!"
	sessionCookie = "amphi_session"
	browserCookie = "amphi_browser"
)

// newClient returns a client that keeps connections and leaves redirects to us.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 4096, IdleConnTimeout: 30 * time.Second},
		Timeout:   60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// visitor is one browser as far as it matters here: cookies and a status.
type visitor struct {
	client  *http.Client
	base    string
	cookies map[string]string
	address string // that a proxy in front reports; empty for no proxy
}

func newVisitor(client *http.Client, base string) *visitor {
	return &visitor{client: client, base: base, cookies: map[string]string{}}
}

// answer is what came back, read to its end.
type answer struct {
	status   int
	location string
	refresh  string
	body     []byte
}

func (v *visitor) get(ctx context.Context, path string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		return answer{}, err
	}
	return v.send(request)
}

func (v *visitor) post(ctx context.Context, path string, form url.Values) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.send(request)
}

func (v *visitor) send(request *http.Request) (answer, error) {
	for name, value := range v.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if v.address != "" {
		request.Header.Set("X-Forwarded-For", v.address)
	}
	response, err := v.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	for _, c := range response.Cookies() {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
			continue
		}
		v.cookies[c.Name] = c.Value
	}
	return answer{response.StatusCode, response.Header.Get("Location"), response.Header.Get("Refresh"), body}, nil
}

// signIn goes through the front door, and through the waiting room when it is
// sent there. It reports whether it had to wait on that page.
func (v *visitor) signIn(ctx context.Context) (waited bool, err error) {
	a, waited, err := v.knock(ctx, demoLogin, demoPassword)
	if err == nil && v.cookies[sessionCookie] == "" {
		err = fmt.Errorf("the sign-in was answered %d, location %q", a.status, a.location)
	}
	return waited, err
}

// knock sends a password, waits for its turn, and returns what the door answered
// then.
func (v *visitor) knock(ctx context.Context, login, password string) (a answer, waited bool, err error) {
	a, err = v.post(ctx, "/login", url.Values{"username": {login}, "password": {password}})
	for err == nil {
		switch {
		case a.status == http.StatusSeeOther && strings.HasPrefix(a.location, "/login/waiting"):
			waited = true
		case a.status == http.StatusOK && a.refresh != "":
			if err := pause(ctx, refreshAfter(a.refresh)); err != nil {
				return a, waited, err
			}
		default:
			return a, waited, nil
		}
		a, err = v.get(ctx, "/login/waiting")
	}
	return a, waited, err
}

// refreshAfter reads the seconds of a Refresh header such as "2; url=/login/waiting".
func refreshAfter(header string) time.Duration {
	number, _, _ := strings.Cut(header, ";")
	seconds, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || seconds < 0 || seconds > 60 {
		return 2 * time.Second
	}
	return time.Duration(seconds * float64(time.Second))
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// expect turns an unexpected status into an error.
func expect(a answer, err error, status int, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if a.status != status {
		return fmt.Errorf("%s answered %d instead of %d", what, a.status, status)
	}
	return nil
}
