package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/diagnostic"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/log"
)

type serveCommand struct{ configured }

func (c serveCommand) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	logger := log.New(cfg.Log, t.err)
	house, err := Open(t, cfg, logger)
	if err != nil {
		return err
	}
	defer house.Close()
	listener, err := net.Listen("tcp", cfg.Server.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	logger.Info("amphi is open", "address", cfg.Server.BaseURL, "listen", listener.Addr().String(), "version", version(), "database", string(house.DB.Dialect()))
	return house.Serve(t, listener)
}

// The limits of a slow client. A form is small and a page is small; what is
// larger (files) sets its own deadlines.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	writeTimeout  = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeaders    = 128 << 10 // far above what diagnostic.Oversized answers with a page
	closeTimeout  = 15 * time.Second
)

// leaveRoom gives Go more threads than cores while the house serves: each hashing
// worker keeps one for itself at a low priority (see identity/password), and
// without spare ones a page would wait for the scheduler's next round instead of
// stepping in front of it.
func leaveRoom() { runtime.GOMAXPROCS(2 * runtime.NumCPU()) }

// Serve answers on the listener, runs the jobs and the monitors' listener, until
// ctx ends. Requests under way are finished first.
func (h *House) Serve(ctx context.Context, listener net.Listener) error {
	leaveRoom()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	main := newServer(diagnostic.Oversized(h.Web), h.log)
	servers := []*http.Server{main}
	failed := make(chan error, 2+len(h.listeners))
	var running sync.WaitGroup
	running.Go(func() { h.runner.Run(ctx) })
	running.Go(func() { failed <- h.answer(main, listener) })
	for _, l := range h.listeners {
		running.Go(func() {
			if err := l.Listen(ctx); err != nil {
				failed <- err
			}
		})
	}
	if h.config.Monitor.Listen != "" {
		l, err := net.Listen("tcp", h.config.Monitor.Listen)
		if err != nil {
			cancel()
			listener.Close() // the error that counts is the one below
			running.Wait()
			return fmt.Errorf("listen for monitors: %w", err)
		}
		monitor := newServer(health.Handler(h.doctor, h.metrics.Handler()), h.log)
		servers = append(servers, monitor)
		running.Go(func() { failed <- monitor.Serve(l) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		cancel()
	}
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer done()
	for _, s := range servers {
		if shutErr := s.Shutdown(closing); shutErr != nil {
			h.log.Warn("some requests were cut short", "error", shutErr)
		}
	}
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// answer serves with TLS when the configuration names a certificate.
func (h *House) answer(s *http.Server, l net.Listener) error {
	if h.config.Server.TLSCertificate != "" {
		return s.ServeTLS(l, h.config.Server.TLSCertificate, h.config.Server.TLSKey)
	}
	return s.Serve(l)
}

func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaders,
		ErrorLog:       slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// measure adds the house's own figures to /metrics.
func (h *House) measure() error {
	identity, database, jobs, accounts := h.metrics.Room("identity"), h.metrics.Room("db"), h.metrics.Room("jobs"), h.metrics.Room("provisioning")
	for _, add := range []func() error{
		func() error {
			return identity.Gauge("sign_in_waiting", "People who wait in line to sign in.", func() float64 { return float64(h.identity.Waiting()) })
		},
		func() error {
			return identity.Gauge("open_sessions", "Sessions that are open.", h.counted("count open sessions", h.identity.CountOpenSessions))
		},
		func() error {
			return database.Gauge("writes_waiting", "Transactions that wait for the writer (SQLite).", func() float64 { return float64(h.DB.Stats().Queued) })
		},
		func() error {
			return accounts.Gauge("queued", "Accounts in other services that wait to be worked on.", h.counted("count accounts that wait", h.provisioning.Queued))
		},
		func() error {
			return accounts.Gauge("blocked", "Accounts in other services that somebody has to decide about.", h.counted("count blocked accounts", h.provisioning.Blocked))
		},
		func() error {
			return jobs.Gauge("running", "Jobs that run on this server.", func() float64 { return float64(h.runner.Stats().Running) })
		},
		func() error {
			return jobs.Gauge("gave_up", "Jobs that gave up since this server started.", func() float64 { return float64(h.runner.Stats().GaveUp) })
		},
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// counted is a gauge that asks the database, with a deadline of its own: a scrape
// must not hang on a database that does. A failure shows as -1.
func (h *House) counted(what string, count func(context.Context) (int64, error)) func() float64 {
	return func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := count(ctx)
		if err != nil {
			h.log.Warn(what, "error", err)
			return -1
		}
		return float64(n)
	}
}
