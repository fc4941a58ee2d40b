package ldapbind

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// servers are the machines of one directory: connections to them, and whether
// they answer.
type servers struct {
	config  upstream.Config
	clock   clock.Clock
	roots   *x509.CertPool  // nil for the system's
	seekers chan *ldap.Conn // idle, bound as the account that searches
	binders chan *ldap.Conn // idle, bound as whoever came last
	busy    chan struct{}   // bounds how many are asked at once

	mu        sync.Mutex
	downSince time.Time // zero while the directory answers
	retryAt   time.Time
}

// atOnce is how many questions a directory is asked at once for each connection
// that is kept.
const atOnce = 8

func newServers(c upstream.Config, now clock.Clock) (*servers, error) {
	pool := cmp.Or(c.LDAP.Pool, 4)
	s := &servers{
		config: c, clock: now, seekers: make(chan *ldap.Conn, pool), binders: make(chan *ldap.Conn, pool), busy: make(chan struct{}, atOnce*pool),
	}
	if c.LDAP.CAFile == "" {
		return s, nil
	}
	pem, err := os.ReadFile(c.LDAP.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authority of the directory: %w", err)
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", c.LDAP.CAFile)
	}
	return s, nil
}

// search runs ask on a connection of the account that searches. An error is the
// ldap.Error of an answer that refuses, or a *upstream.Failure.
func (s *servers) search(ctx context.Context, ask func(*ldap.Conn) error) error {
	return s.on(ctx, s.seekers, true, ask)
}

// asUser runs ask on a connection on which it may bind as anybody.
func (s *servers) asUser(ctx context.Context, ask func(*ldap.Conn) error) error {
	return s.on(ctx, s.binders, false, ask)
}

// on runs ask on an idle connection, and on a new one when the idle one turns out
// to be dead.
func (s *servers) on(ctx context.Context, idle chan *ldap.Conn, named bool, ask func(*ldap.Conn) error) error {
	if err := s.open(); err != nil {
		return err
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) { // who asked went away, which says nothing about the directory
			return fmt.Errorf("wait for a connection to the directory: %w", ctx.Err())
		}
		return s.failed(ctx.Err())
	}
	for {
		c, fresh, err := s.take(ctx, idle, named)
		if err != nil {
			return err
		}
		if deadline, ok := ctx.Deadline(); ok {
			c.SetTimeout(max(time.Millisecond, time.Until(deadline)))
		}
		err = ask(c)
		if err == nil || lost(err) == nil {
			s.answered()
			s.give(idle, c)
			if err == nil || ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
				return err
			}
			return failure(err)
		}
		c.Close() // it is lost: there is nobody to say goodbye to
		if fresh || ctx.Err() != nil {
			return s.failed(err)
		}
	}
}

// open is why nobody is asked now: the directory did not answer a moment ago.
func (s *servers) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if s.downSince.IsZero() || !now.Before(s.retryAt) {
		if !s.downSince.IsZero() {
			s.retryAt = now.Add(s.patience()) // one goes to look; the others do not wait for it
		}
		return nil
	}
	return s.silent(nil)
}

func (s *servers) patience() time.Duration { return cmp.Or(s.config.LDAP.Patience, 15*time.Second) }

// silent is the failure of a directory that does not answer. Call it locked.
func (s *servers) silent(cause error) *upstream.Failure {
	return &upstream.Failure{
		Reason: upstream.Unreachable, Untested: true, Args: fault.Args{"since": s.downSince}, Cause: cause,
		Expected: "an answer of " + s.config.LDAP.URLs[0], Received: "none since " + s.downSince.UTC().Format(time.RFC3339),
	}
}

// failed notes that nobody answered.
func (s *servers) failed(cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if s.downSince.IsZero() {
		s.downSince = now
	}
	s.retryAt = now.Add(s.patience())
	return s.silent(cause)
}

func (s *servers) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.downSince = time.Time{}
}

// take gives an idle connection or a new one; fresh says which.
func (s *servers) take(ctx context.Context, idle chan *ldap.Conn, named bool) (c *ldap.Conn, fresh bool, err error) {
	for {
		select {
		case c := <-idle:
			if c.IsClosing() {
				continue
			}
			return c, false, nil
		default:
		}
		c, err := s.dialAny(ctx)
		if err != nil {
			return nil, false, s.failed(err)
		}
		if named && s.config.LDAP.BindDN != "" {
			if err := c.Bind(s.config.LDAP.BindDN, s.config.LDAP.BindPassword); err != nil {
				c.Close() // the answer to the bind says it all
				return nil, false, s.unnamed(err)
			}
		}
		return c, true, nil
	}
}

// unnamed is why the account that searches may not: nobody's password was looked
// at then.
func (s *servers) unnamed(err error) error {
	if lost(err) != nil {
		return s.failed(err)
	}
	f := failure(err)
	return &upstream.Failure{Reason: upstream.Misconfigured, Untested: true, Code: f.Code, Text: f.Text, Expected: "the bind of " + s.config.LDAP.BindDN, Received: string(f.Reason.Code()), Cause: err}
}

// give keeps a connection for the next one.
func (s *servers) give(idle chan *ldap.Conn, c *ldap.Conn) {
	select {
	case idle <- c:
	default:
		c.Close() // enough are idle
	}
}

// dialAny connects to the first server that answers.
func (s *servers) dialAny(ctx context.Context) (*ldap.Conn, error) {
	var failures []error
	for _, address := range s.config.LDAP.URLs {
		c, err := s.dial(ctx, address)
		if err == nil {
			return c, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", address, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failures...)
}

func (s *servers) dial(ctx context.Context, address string) (*ldap.Conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", err)
	}
	limit := s.config.TimeoutOr5s()
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	trust := &tls.Config{RootCAs: s.roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	c, err := ldap.DialURL(address, ldap.DialWithDialer(&net.Dialer{Timeout: limit}), ldap.DialWithTLSConfig(trust))
	if err != nil {
		return nil, err
	}
	c.SetTimeout(limit)
	if s.config.LDAP.StartTLS && u.Scheme == "ldap" {
		if err := c.StartTLS(trust); err != nil {
			c.Close()
			return nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	return c, nil
}

// probe walks to every server.
func (s *servers) probe(ctx context.Context) (steps []upstream.Step) {
	for _, address := range s.config.LDAP.URLs {
		c, err := s.dial(ctx, address)
		if err != nil {
			steps = append(steps, upstream.Step{Name: "connect", Detail: address + ": " + err.Error()})
			continue
		}
		step := upstream.Step{Name: "connect", OK: true, Detail: address}
		if state, encrypted := c.TLSConnectionState(); encrypted && len(state.PeerCertificates) > 0 {
			step.Detail += " " + tls.VersionName(state.Version)
			step.Ends = state.PeerCertificates[0].NotAfter
		}
		steps = append(steps, step)
		if s.config.LDAP.BindDN != "" {
			err := c.Bind(s.config.LDAP.BindDN, s.config.LDAP.BindPassword)
			step := upstream.Step{Name: "bind", OK: err == nil, Detail: s.config.LDAP.BindDN}
			if err != nil {
				step.Detail += ": " + err.Error()
			}
			steps = append(steps, step)
		}
		c.Close() // it was only looked at
	}
	return steps
}
