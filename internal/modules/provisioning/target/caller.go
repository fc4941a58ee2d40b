package target

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Line is how a service is reached: with patience, at its pace, and no faster.
type Line struct {
	// Base is the address of the service, without a slash at its end.
	Base string
	// Timeout ends one question.
	Timeout time.Duration
	// Rate is how many questions may be asked a second.
	Rate float64
	// CAFile is a PEM file of the authority behind its certificate; empty means the
	// system's.
	CAFile string
	// Transport replaces the network.
	Transport http.RoundTripper
	// Now tells the time, for dates that services send.
	Now func() time.Time
	// GroupName is what people call a group, by its code; nil knows no names.
	GroupName func(ctx context.Context, code string) (string, error)
}

// Pace is what keeps questions apart.
func (l Line) Pace() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(l.Rate), max(1, int(l.Rate)))
}

// TLS is how the service proves who it is.
func (l Line) TLS() (*tls.Config, error) {
	if l.CAFile == "" {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	pem, err := os.ReadFile(l.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authority of %s: %w", l.Base, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", l.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}

// Caller asks a service over HTTP.
type Caller struct {
	base   string
	client *http.Client
	pace   *rate.Limiter
	now    func() time.Time
	hidden []string
	sign   func(*http.Request) error
}

// NewCaller prepares the line. Sign adds to each request what proves who we are;
// nil adds nothing. Hidden texts are kept out of everything that is noted.
func NewCaller(l Line, sign func(*http.Request) error, hidden ...string) (*Caller, error) {
	transport := l.Transport
	if transport == nil {
		trust, err := l.TLS()
		if err != nil {
			return nil, err
		}
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig, t.MaxIdleConnsPerHost = trust, 8
		transport = t
	}
	now := l.Now
	if now == nil {
		now = time.Now
	}
	return &Caller{
		base: strings.TrimSuffix(l.Base, "/"), pace: l.Pace(), now: now, hidden: hidden, sign: sign,
		client: &http.Client{
			Transport: transport, Timeout: l.Timeout,
			// A redirect would carry our token to somewhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Answer is what a service said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON reads the body.
func (a Answer) JSON(into any) error {
	if err := json.Unmarshal(a.Body, into); err != nil {
		return &Failure{Kind: Unclear, Cause: err, Detail: Short("status " + strconv.Itoa(a.Status) + ": " + string(a.Body))}
	}
	return nil
}

// mostRead bounds what is read of one answer, in bytes.
const mostRead = 128 << 20

// Do asks one question: path is below the base, or a full address on the same
// host. An answer that no connector could use comes back as a failure: none at
// all, 5xx, 429, 401 and 403. What else the service says is for the connector.
func (c *Caller) Do(ctx context.Context, method, path string, header http.Header, body []byte) (Answer, error) {
	if err := c.pace.Wait(ctx); err != nil {
		return Answer{}, &Failure{Kind: Busy, Cause: err}
	}
	address, err := c.address(path)
	if err != nil {
		return Answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("ask %s: %w", c.base, err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "Amphi")
	if c.sign != nil {
		if err := c.sign(r); err != nil {
			return Answer{}, err
		}
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return Answer{}, &Failure{Kind: Down, Detail: c.clean(err.Error()), Maybe: method != http.MethodGet && !neverSent(err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostRead))
	if err != nil {
		return Answer{}, &Failure{Kind: Down, Detail: c.clean(err.Error()), Maybe: method != http.MethodGet}
	}
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Body: text}
	said := c.clean(fmt.Sprintf("status %d: %s", a.Status, text))
	after := c.after(resp.Header.Get("Retry-After"))
	switch {
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable && after > 0:
		return a, &Failure{Kind: Busy, Detail: said, After: after}
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		return a, &Failure{Kind: Denied, Detail: said}
	case a.Status >= 500:
		return a, &Failure{Kind: Down, Detail: said, Maybe: method != http.MethodGet}
	case a.Status >= 300 && a.Status < 400:
		return a, &Failure{Kind: Unclear, Detail: c.clean(fmt.Sprintf("status %d to %s", a.Status, resp.Header.Get("Location")))}
	}
	return a, nil
}

// address is the full address of a path; a page that a service names elsewhere is
// not followed, for our token would go there.
func (c *Caller) address(path string) (string, error) {
	if !strings.HasPrefix(path, "http") {
		return c.base + path, nil
	}
	to, err1 := url.Parse(path)
	base, err2 := url.Parse(c.base)
	if err1 != nil || err2 != nil || to.Host != base.Host || to.Scheme != base.Scheme {
		return "", Fail(Unclear, "an answer leads to another host: %s", path)
	}
	return path, nil
}

// neverSent reports whether the request cannot have reached the service.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// after reads Retry-After (RFC 9110 §10.2.3): seconds, or a date.
func (c *Caller) after(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, min(at.Sub(c.now()), time.Hour))
	}
	return 0
}

// Fail makes a failure of what the service said, without our secrets.
func (c *Caller) Fail(k Kind, format string, args ...any) *Failure {
	return &Failure{Kind: k, Detail: c.clean(fmt.Sprintf(format, args...))}
}

// clean keeps our secrets out of what is noted: services quote what they were
// asked.
func (c *Caller) clean(text string) string {
	for _, secret := range c.hidden {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "•••")
			text = strings.ReplaceAll(text, url.QueryEscape(secret), "•••")
		}
	}
	return Short(text)
}
